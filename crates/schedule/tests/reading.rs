//! What is taken, what is refused and with which words; and that nothing breaks it.

use argus_schedule::{DateTime, Dialect, Expression, Tz, Utc};
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn next(text: &str, dialect: Dialect) -> Option<String> {
    let expression = Expression::read(text, dialect, now()).unwrap();
    Some(expression.next_after(now(), Tz::UTC)?.format("%F %T").to_string())
}

fn refused(text: &str, dialect: Dialect) -> String {
    Expression::read(text, dialect, now()).unwrap_err().to_string()
}

#[test]
fn seconds_stand_where_it_is_said_that_they_do() {
    assert_eq!(next("15 30 4 * * *", Dialect::SecondsFirst).unwrap(), "2026-11-26 04:30:15");
    assert_eq!(next("30 4 * * * 15", Dialect::SecondsLast).unwrap(), "2026-11-26 04:30:15");
    assert_eq!(next("30 4 1 1 * 0 2030", Dialect::SecondsLast).unwrap(), "2030-01-01 04:30:00");
    assert_eq!(
        refused("15 30 4 * * *", Dialect::Five),
        "the expression: it has 6 fields where there must be five fields: minute, hour, day of the month, month, day of the \
         week; say where the seconds are to have six"
    );
}

#[test]
fn an_expression_of_one_year_comes_to_its_end() {
    let expression = Expression::read("0 0 1 1 * 0 2030", Dialect::SecondsLast, now()).unwrap();
    let only = expression.next_after(now(), Tz::UTC).unwrap();
    assert_eq!(expression.next_after(only, Tz::UTC), None);
}

#[test]
fn special_days_are_taken_in_every_way_they_are_written() {
    for (text, expected) in [
        ("0 0 L * *", "2026-11-30 00:00:00"),
        ("0 0 L-2 * *", "2026-11-28 00:00:00"),
        ("0 0 LW * *", "2026-11-30 00:00:00"),
        ("0 0 1W * *", "2026-12-01 00:00:00"),
        ("0 0 * * 5L", "2026-11-27 00:00:00"),
        ("0 0 * * L5", "2026-11-27 00:00:00"),
        ("0 0 * * fri#L", "2026-11-27 00:00:00"),
        ("0 0 * * tue#1", "2026-12-01 00:00:00"),
    ] {
        assert_eq!(next(text, Dialect::Five).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_field_and_the_reason() {
    for (text, words) in [
        ("", "the expression: it is empty"),
        ("0 0 * *", "the expression: it has 4 fields"),
        ("60 0 * * *", "the minutes: 60 is not within 0 to 59"),
        ("0 24 * * *", "the hours: 24 is not within 0 to 23"),
        ("0 0 32 * *", "the day of the month: 32 is not within 1 to 31"),
        ("0 0 * 13 *", "the month: 13 is not within 1 to 12"),
        ("0 0 * * mo", "the day of the week: `mo` is not understood"),
        ("0 0 * * 5#6", "the day of the week: `5#6`: expected #1 to #5"),
        ("0 0 L-40 * *", "the day of the month: `L-40`: expected L-1 to L-30"),
        ("0 0 30 2 *", "the expression: it names no day that will ever come"),
        ("@reboot", "the expression: `@reboot` is not known"),
        ("H 4 * * *", "the minutes: `H` is not understood"),
    ] {
        let refused = refused(text, Dialect::Five);
        assert!(refused.starts_with(words), "{text}: {refused}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[0-9*/,LW#a-z@ ?-]{0,40}|\\PC{0,40}") {
        for dialect in [Dialect::Five, Dialect::SecondsFirst, Dialect::SecondsLast] {
            if let Ok(expression) = Expression::read(&text, dialect, now()) {
                let next = expression.next_after(now(), Tz::Europe__Berlin);
                prop_assert!(next.is_none_or(|next| next > now()));
            }
        }
    }

    #[test]
    fn times_come_in_order_in_every_zone(
        hour in "\\*|\\*/3|2|1-4",
        minute in "0|30|\\*/15",
        zone in prop::sample::select(vec![Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::UTC]),
        day in 0_i64..700,
    ) {
        let mut at = now() + chrono::Duration::days(day);
        let expression = Expression::read(&format!("{minute} {hour} * * *"), Dialect::Five, now()).unwrap();
        for _ in 0..30 {
            let next = expression.next_after(at, zone).unwrap();
            prop_assert!(next > at);
            // Asked from any moment in between, it is the same.
            let between = at + (next - at) / 2;
            prop_assert_eq!(expression.next_after(between, zone), Some(next));
            at = next;
        }
    }
}
