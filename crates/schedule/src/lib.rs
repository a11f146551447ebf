//! When something is due: cron expressions as people write them, evaluated in their time zones.
//!
//! Pure: no clock, no IO. An expression is read into explicit lists of numbers ([`Expression`]); the times of day and the months
//! of these are found by the `cron` crate, days by rules of our own (`days`), zones and daylight saving by ours (`zone`).

mod day;
mod days;
mod error;
mod expression;
mod field;
mod special;
mod zone;

pub use chrono::{DateTime, Utc};
pub use chrono_tz::Tz;

pub use self::day::{Day, minute_of_day, next_minute};
pub use self::error::{Field, Mistake};
pub use self::expression::{Dialect, Expression};

/// A time zone by its IANA name, such as `Europe/Berlin` or `UTC`.
pub fn zone(name: &str) -> Result<Tz, Mistake> {
    name.trim().parse().map_err(|_| Mistake::zone(name))
}
