//! The one time of a job that comes once, as people write it.

use argus_schedule::{DateTime, Dialect, Expression, Tz, Utc};

/// Unix milliseconds of `2026-12-24T08:00:00+01:00`, or of `2026-12-24 08:00` as the clock of that zone shows it. A time that
/// this clock leaves out is meant when it has jumped, and one that it shows twice the first time.
pub(super) fn read(text: &str, zone: Tz) -> Option<u64> {
    let text = text.trim();
    let at = text.parse::<DateTime<Utc>>().ok().or_else(|| shown(text, zone))?;
    u64::try_from(at.timestamp_millis()).ok()
}

fn shown(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let (date, time) = text.split_once(['T', ' '])?;
    let numbers = |text: &str, between: char| -> Option<Vec<u32>> {
        text.split(between).map(|part| part.trim().parse().ok()).collect()
    };
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let (&[year, month, day], &[hour, minute, ..]) = (date.as_slice(), time.as_slice()) else { return None };
    let second = time.get(2).copied().unwrap_or(0);
    if time.len() > 3 {
        return None;
    }
    // Zones are known to expressions; this one names a single time.
    let single = format!("{minute} {hour} {day} {month} * {second} {year}");
    let epoch = DateTime::UNIX_EPOCH;
    Expression::read(&single, Dialect::SecondsLast, epoch).ok()?.next_after(epoch, zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, zone: &str) -> Option<String> {
        let ms = read(text, argus_schedule::zone(zone).unwrap())?;
        DateTime::from_timestamp_millis(i64::try_from(ms).unwrap()).map(|at: DateTime<Utc>| at.to_rfc3339())
    }

    #[test]
    fn a_time_is_read_with_its_offset_or_as_a_clock_shows_it() {
        for (text, zone, expected) in [
            ("2026-12-24T08:00:00+01:00", "UTC", Some("2026-12-24T07:00:00+00:00")),
            ("2026-12-24T08:00:00Z", "Europe/Berlin", Some("2026-12-24T08:00:00+00:00")),
            ("2026-12-24 08:00", "Europe/Berlin", Some("2026-12-24T07:00:00+00:00")),
            ("2026-12-24T08:00:30", "Asia/Shanghai", Some("2026-12-24T00:00:30+00:00")),
            // Left out by this clock, and shown twice by it.
            ("2026-03-29 02:30", "Europe/Berlin", Some("2026-03-29T01:00:00+00:00")),
            ("2026-10-25 02:30", "Europe/Berlin", Some("2026-10-25T00:30:00+00:00")),
            ("2026-02-30 08:00", "UTC", None),
            ("2026-12-24", "UTC", None),
            ("2026-12-24 8", "UTC", None),
            ("2026-12-24 08:00:00:00", "UTC", None),
            ("tomorrow", "UTC", None),
            ("*-*-* *:*", "UTC", None),
        ] {
            assert_eq!(told(text, zone).as_deref(), expected, "{text} {zone}");
        }
    }
}
