//! When a session looks by itself: its interval, the hours of the day, and how long it rests after failures. Pure.

use argus_schedule::{Tz, minute_of_day, next_minute};

use super::super::time::{at, ms};
use crate::config::HeartbeatConfig;
use crate::store::ledger::Heartbeat;

/// The pause after the first failure, and the longest, in milliseconds.
const PAUSE: (u64, u64) = (5_000, 600_000);
/// No event waits longer than that until it is worth a turn, in milliseconds.
const LONGEST_WAIT: u64 = 60_000;

/// What the time says about a session's heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// None comes of itself.
    Off,
    /// None was due yet, or at a time that the settings do not mean any more: the first one is due then.
    First(u64),
    /// Nothing before that.
    Wait(u64),
    /// One is due, since `due`; the one after it is due at `next`.
    Now {
        /// Since when.
        due: u64,
        /// The next time.
        next: u64,
    },
}

/// What the time says, with what is known of the session's heartbeats.
pub(super) fn time(settings: &HeartbeatConfig, zone: Tz, now: u64, known: Option<&Heartbeat>) -> Time {
    let Some(every) = settings.every.and_then(|every| u64::try_from(every.as_millis()).ok()) else {
        return Time::Off;
    };
    let first = now.saturating_add(every);
    let Some((known, due)) = known.and_then(|known| Some((known, known.due_ms?))) else {
        return Time::First(first);
    };
    if due > first {
        return Time::First(first);
    }
    let earliest = due.max(rests_until(now, known));
    if earliest > now {
        return Time::Wait(earliest);
    }
    if settings.hours.have(minute_of_day(at(now), zone)) {
        let passed = (now - due) / every.max(1) + 1;
        return Time::Now { due, next: due.saturating_add(every.saturating_mul(passed)) };
    }
    next_minute(at(now), settings.hours.from, zone).map_or(Time::Off, |begins| Time::Wait(ms(begins)))
}

/// When a session looks because of events that have waited for it long enough at `wakes`.
pub(super) fn wakes(now: u64, wakes: u64, known: Option<&Heartbeat>) -> u64 {
    let wakes = if wakes.saturating_sub(now) > LONGEST_WAIT { now } else { wakes };
    wakes.max(known.map_or(0, |known| rests_until(now, known)))
}

/// Until when a session rests after failures. What lies further ahead than any rest was noted before the clock was set back.
fn rests_until(now: u64, known: &Heartbeat) -> u64 {
    if known.retry_ms.saturating_sub(now) > PAUSE.1 { 0 } else { known.retry_ms }
}

/// How long a session rests after so many failures in a row, in milliseconds.
pub(super) fn pause(failures: u64) -> u64 {
    let (first, longest) = PAUSE;
    let doubled = u32::try_from(failures.saturating_sub(1)).ok().and_then(|n| 2_u64.checked_pow(n));
    doubled.map_or(longest, |factor| first.saturating_mul(factor).min(longest))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use argus_protocol::argus::deliver::Deliver;

    use super::*;
    use crate::config::{BeatThread, Hours, When};

    const MINUTE: u64 = 60_000;

    fn settings(every: u64, hours: Hours) -> HeartbeatConfig {
        HeartbeatConfig {
            every: (every > 0).then(|| Duration::from_mins(every)),
            hours,
            when: When::Always,
            thread: BeatThread::Main,
            target: Deliver::Home,
        }
    }

    fn due(due: u64) -> Heartbeat {
        Heartbeat { due_ms: Some(due * MINUTE), ..Heartbeat::default() }
    }

    fn all_day(now: u64, known: Option<&Heartbeat>) -> Time {
        time(&settings(30, Hours::ALL), Tz::UTC, now * MINUTE, known)
    }

    #[test]
    fn the_first_one_is_due_an_interval_after_the_session_was_seen() {
        assert_eq!(all_day(100, None), Time::First(130 * MINUTE));
        assert_eq!(all_day(100, Some(&Heartbeat::default())), Time::First(130 * MINUTE));
        assert_eq!(time(&settings(0, Hours::ALL), Tz::UTC, 0, Some(&due(0))), Time::Off);
    }

    #[test]
    fn each_is_due_an_interval_after_the_last_and_an_overdue_one_comes_once() {
        assert_eq!(all_day(99, Some(&due(100))), Time::Wait(100 * MINUTE));
        assert_eq!(all_day(100, Some(&due(100))), Time::Now { due: 100 * MINUTE, next: 130 * MINUTE });
        assert_eq!(all_day(129, Some(&due(100))), Time::Now { due: 100 * MINUTE, next: 130 * MINUTE });
        assert_eq!(all_day(500, Some(&due(100))), Time::Now { due: 100 * MINUTE, next: 520 * MINUTE });
    }

    #[test]
    fn a_shorter_interval_holds_from_now_on() {
        assert_eq!(all_day(100, Some(&due(131))), Time::First(130 * MINUTE));
        assert_eq!(all_day(100, Some(&due(130))), Time::Wait(130 * MINUTE));
    }

    #[test]
    fn one_that_is_due_outside_the_hours_waits_for_them() {
        let hours = Hours { from: 8 * 60, to: 22 * 60 };
        let plan = |now: u64, zone| time(&settings(30, hours), zone, now * MINUTE, Some(&due(0)));
        assert_eq!(plan(7 * 60 + 59, Tz::UTC), Time::Wait(8 * 60 * MINUTE));
        assert_eq!(plan(8 * 60, Tz::UTC), Time::Now { due: 0, next: 510 * MINUTE });
        assert_eq!(plan(22 * 60, Tz::UTC), Time::Wait((24 + 8) * 60 * MINUTE));
        assert_eq!(plan(7 * 60, Tz::Europe__Berlin), Time::Now { due: 0, next: 450 * MINUTE });
    }

    #[test]
    fn hours_are_those_of_the_clock_on_the_wall_also_where_it_jumps() {
        let instant = |text: &str| ms(text.parse().unwrap());
        let night = Hours { from: 150, to: 360 };
        let plan = |now: &str| {
            let now = instant(now);
            let known = Heartbeat { due_ms: Some(now - MINUTE), ..Heartbeat::default() };
            time(&settings(30, night), Tz::Europe__Berlin, now, Some(&known))
        };
        // 02:30 does not exist: the hours begin when the clock has jumped to 03:00.
        assert_eq!(plan("2026-03-29T00:59:00Z"), Time::Wait(instant("2026-03-29T01:00:00Z")));
        assert!(matches!(plan("2026-03-29T01:00:00Z"), Time::Now { .. }));
        assert_eq!(plan("2026-03-28T01:00:00Z"), Time::Wait(instant("2026-03-28T01:30:00Z")));
        assert_eq!(plan("2026-03-29T04:00:00Z"), Time::Wait(instant("2026-03-30T00:30:00Z")));
    }

    #[test]
    fn after_failures_a_session_rests_longer_and_longer() {
        let pauses: Vec<_> = [1, 2, 3, 7, 8, 9, 70, u64::MAX].map(pause).to_vec();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 320_000, 600_000, 600_000, 600_000, 600_000]);
        let failed = Heartbeat { retry_ms: 105 * MINUTE, ..due(100) };
        assert_eq!(all_day(101, Some(&failed)), Time::Wait(105 * MINUTE));
        assert!(matches!(all_day(105, Some(&failed)), Time::Now { .. }));
        assert_eq!(wakes(101 * MINUTE, 7, Some(&failed)), 105 * MINUTE);
        assert_eq!(wakes(101 * MINUTE, 7, None), 7);
    }

    #[test]
    fn what_was_noted_before_the_clock_was_set_back_holds_nobody_up() {
        let year = 365 * 24 * 60 * MINUTE;
        let failed = Heartbeat { retry_ms: year, ..due(100) };
        assert_eq!(all_day(100, Some(&failed)), Time::Now { due: 100 * MINUTE, next: 130 * MINUTE });
        assert_eq!(wakes(100 * MINUTE, 7, Some(&failed)), 7);
        assert_eq!(wakes(100 * MINUTE, year, None), 100 * MINUTE);
        assert_eq!(wakes(100 * MINUTE, 100 * MINUTE + 30_000, None), 100 * MINUTE + 30_000);
    }
}
