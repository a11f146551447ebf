//! Days as the clock on the wall has them, also those that are longer or shorter than others.

use chrono::{DateTime, Days, NaiveTime, Timelike as _, Utc};
use chrono_tz::Tz;

use crate::zone::{first, wall};

/// One day of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its date, such as `2026-03-29`.
    pub date: String,
    /// Its first instant.
    pub begins: DateTime<Utc>,
    /// The first instant after it.
    pub ends: DateTime<Utc>,
}

impl Day {
    /// The day of that instant.
    pub fn of(at: DateTime<Utc>, zone: Tz) -> Self {
        let date = wall(at, zone).date();
        let midnight = |days| {
            let day = date.checked_add_days(Days::new(days))?;
            first(day.and_time(NaiveTime::MIN), zone)
        };
        // There is a midnight everywhere but at the ends of time.
        Self { date: date.to_string(), begins: midnight(0).unwrap_or(at), ends: midnight(1).unwrap_or(at) }
    }
}

/// How many minutes of its day the clock shows at that instant.
pub fn minute_of_day(at: DateTime<Utc>, zone: Tz) -> u16 {
    let shown = wall(at, zone);
    u16::try_from(shown.hour() * 60 + shown.minute()).unwrap_or(0)
}

/// When the clock shows that minute of a day next after that instant; where it leaves it out, when it has jumped.
pub fn next_minute(after: DateTime<Utc>, minute: u16, zone: Tz) -> Option<DateTime<Utc>> {
    let today = wall(after, zone).date();
    let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(minute % 1440) * 60, 0)?;
    let days = (0..3).filter_map(|days| today.checked_add_days(Days::new(days)));
    days.filter_map(|day| first(day.and_time(time), zone)).find(|at| *at > after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_and_ends_at_midnight_of_its_zone_however_long_it_is() {
        let table = [
            ("2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-25T00:30:00Z", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ("2026-06-30T21:59:59Z", "2026-06-30", "2026-06-29T22:00:00Z", "2026-06-30T22:00:00Z"),
            ("2026-06-30T22:00:00Z", "2026-07-01", "2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"),
        ];
        for (instant, date, begins, ends) in table {
            let expected = Day { date: date.to_owned(), begins: at(begins), ends: at(ends) };
            assert_eq!(Day::of(at(instant), Tz::Europe__Berlin), expected, "{instant}");
        }
    }

    #[test]
    fn a_minute_that_is_left_out_comes_when_the_clock_has_jumped() {
        let next = |after, minute| next_minute(at(after), minute, Tz::Europe__Berlin).unwrap();
        assert_eq!(next("2026-03-28T12:00:00Z", 150), at("2026-03-29T01:00:00Z"));
        assert_eq!(next("2026-03-29T12:00:00Z", 150), at("2026-03-30T00:30:00Z"));
        assert_eq!(next("2026-06-30T06:00:00Z", 8 * 60), at("2026-07-01T06:00:00Z"));
        assert_eq!(next("2026-06-30T05:59:59Z", 8 * 60), at("2026-06-30T06:00:00Z"));
        assert_eq!(minute_of_day(at("2026-03-29T01:00:00Z"), Tz::Europe__Berlin), 180);
    }
}
