//! From the clock on the wall to instants, also where that clock jumps.
//!
//! A time that does not exist, because the clock is put forward, is due once: when the clock has jumped. A time that comes twice,
//! because the clock is put back, is due the first time only; where every hour is meant, it is due both times.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The largest jump of a clock that is looked for, in hours; Samoa left a whole day out.
const LARGEST_JUMP: i64 = 25;

/// What the clock on the wall shows.
pub(crate) fn wall(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// When the clock shows that for the first time; where it never does, when it has jumped over it.
pub(crate) fn first(shown: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&shown) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        LocalResult::None => jump(shown, zone),
    }
}

/// When the clock shows that for the second time, where it does.
pub(crate) fn second(shown: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&shown) {
        LocalResult::Ambiguous(_, at) => Some(at.to_utc()),
        LocalResult::Single(_) | LocalResult::None => None,
    }
}

/// Whether the clock jumps within some hours of that instant.
pub(crate) fn jumps_about(at: DateTime<Utc>, zone: Tz) -> bool {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let hours = |hours| offset(at + Duration::hours(hours));
    hours(-4) != hours(0) || hours(4) != hours(0)
}

/// The instant at which the clock jumps over a time that it never shows.
fn jump(shown: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let before = Utc.from_utc_datetime(&shown.checked_sub_signed(Duration::hours(LARGEST_JUMP))?);
    let after = Utc.from_utc_datetime(&shown.checked_add_signed(Duration::hours(LARGEST_JUMP))?);
    // The clock jumps forward at the first instant that is shown later than `shown`.
    let passed = |at: DateTime<Utc>| at.naive_utc() + offset(at) > shown;
    if passed(before) || !passed(after) {
        return None;
    }
    let (mut low, mut high) = (before.timestamp(), after.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passed(DateTime::from_timestamp(middle, 0)?) { high = middle } else { low = middle }
    }
    DateTime::from_timestamp(high, 0)
}
