//! How times and other people's texts are shown in a terminal.

use std::time::{SystemTime, UNIX_EPOCH};

use argus_schedule::{DateTime, Utc};

/// A time in UTC, to the second: `2026-03-01T08:00:00Z`. `ms` are unix milliseconds; `-` where no calendar has it.
pub(crate) fn utc(ms: u64) -> String {
    moment(ms).map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The same as the clock of a zone shows it, such as `2026-03-01T09:00:00+01:00`; in UTC where the zone is not known.
pub(crate) fn local(ms: u64, zone: &str) -> String {
    match (argus_schedule::zone(zone), moment(ms)) {
        (Ok(zone), Some(at)) => at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        (Err(_), _) | (_, None) => utc(ms),
    }
}

fn moment(ms: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)
}

/// Who is told of writes what they like: nothing of it may steer a terminal, and it stays on its line.
pub(crate) fn on_one_line(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A time as people say it, in its largest unit, rounded.
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", (seconds + 30) / 60),
        7200..172_800 => format!("{}h", (seconds + 1800) / 3600),
        _ => format!("{}d", (seconds + 43_200) / 86_400),
    }
}

/// Unix milliseconds now.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_its_zone_and_else_in_utc() {
        let at = 1_772_352_000_000;
        assert_eq!(utc(at), "2026-03-01T08:00:00Z");
        assert_eq!(local(at, "Europe/Berlin"), "2026-03-01T09:00:00+01:00");
        assert_eq!(local(at, "Mars"), "2026-03-01T08:00:00Z");
        assert_eq!(utc(u64::MAX), "-");
    }

    #[test]
    fn a_text_of_others_is_one_line_that_steers_no_terminal() {
        assert_eq!(on_one_line(" no\n\tway\u{1b}[2J "), "no way [2J");
    }
}
