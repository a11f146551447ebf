//! Zones whose clocks jump: what does not exist is due once after, what comes twice is due once, every hour is every hour.

use argus_schedule::{DateTime, Dialect, Expression, Utc, zone};

/// The next `count` times, as the clock on the wall shows them, with its distance to UTC.
fn next(text: &str, place: &str, after: &str, count: usize) -> Vec<String> {
    let (zone, mut at): (_, DateTime<Utc>) = (zone(place).unwrap(), after.parse().unwrap());
    let expression = Expression::read(text, Dialect::Five, at).unwrap();
    let times = std::iter::from_fn(|| {
        at = expression.next_after(at, zone)?;
        Some(at.with_timezone(&zone).format("%m-%d %H:%M %z").to_string())
    });
    times.take(count).collect()
}

#[test]
fn a_time_that_the_clock_jumps_over_is_due_once_when_it_has_jumped() {
    // Berlin, 2026-03-29: 02:00 becomes 03:00.
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"]
    );
    assert_eq!(
        next("*/20 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", 2),
        ["03-29 03:00 +0200", "03-30 02:00 +0200"]
    );
    // Apia left 2011-12-30 out as a whole; Lord Howe jumps by half an hour.
    assert_eq!(
        next("0 12 30 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", 2),
        ["12-31 00:00 +1400", "12-30 12:00 +1400"]
    );
    assert_eq!(
        next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        ["10-04 02:30 +1100", "10-05 02:15 +1100"]
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_is_due_the_first_time() {
    // Berlin, 2026-10-25: 03:00 becomes 02:00.
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T01:00:00Z", 3),
        ["10-25 02:30 +0200", "10-26 02:30 +0100", "10-27 02:30 +0100"]
    );
    assert_eq!(
        next("*/30 2-3 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4),
        ["10-25 02:30 +0200", "10-25 03:00 +0100", "10-25 03:30 +0100", "10-26 02:00 +0100"]
    );
}

#[test]
fn where_every_hour_is_meant_none_is_left_out_and_none_is_doubled() {
    assert_eq!(
        next("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 6),
        [
            "10-25 02:00 +0200",
            "10-25 02:30 +0200",
            "10-25 02:00 +0100",
            "10-25 02:30 +0100",
            "10-25 03:00 +0100",
            "10-25 03:30 +0100"
        ]
    );
    assert_eq!(
        next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3),
        ["03-29 01:30 +0100", "03-29 03:00 +0200", "03-29 03:30 +0200"]
    );
}

#[test]
fn a_zone_that_nobody_knows_is_named() {
    let words = "the time zone: `Mars/Base` is not known; use a name such as Europe/Berlin or UTC";
    assert_eq!(zone("Mars/Base").unwrap_err().to_string(), words);
}
