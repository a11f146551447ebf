//! So many in a second, some of them at once: one number, changed without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A pace (generic cell rate algorithm). What it remembers is the time at which everything taken so far would have been
/// taken evenly.
#[derive(Debug)]
pub struct Rate {
    start: Instant,
    /// Nanoseconds from one to the next.
    every: u64,
    /// Nanoseconds that may be taken ahead.
    ahead: u64,
    even: AtomicU64,
}

impl Rate {
    /// One `every` so often, and `burst` of them at once.
    pub fn new(every: Duration, burst: u32) -> Self {
        let every = nanos(every).max(1);
        let ahead = every.saturating_mul(u64::from(burst.max(1) - 1));
        Self { start: Instant::now(), every, ahead, even: AtomicU64::new(0) }
    }

    /// So many in a second, taken over four seconds.
    pub fn per_second(number: u32) -> Self {
        let number = number.max(1);
        Self::new(Duration::from_secs(1) / number, number.saturating_mul(4))
    }

    /// Takes one; how long to wait where there is none now, and then nothing is taken.
    pub fn take(&self, now: Instant) -> Result<(), Duration> {
        let now = self.since_start(now);
        let taken = self.even.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |even| {
            (even <= now.saturating_add(self.ahead)).then(|| even.max(now).saturating_add(self.every))
        });
        match taken {
            Ok(_) => Ok(()),
            Err(even) => Err(Duration::from_nanos(even.saturating_sub(now.saturating_add(self.ahead)))),
        }
    }

    /// Takes one in any case; how long to wait before it is right to have done so.
    pub fn claim(&self, now: Instant) -> Duration {
        let now = self.since_start(now);
        let step = |even: u64| Some(even.max(now).saturating_add(self.every));
        let before = match self.even.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(before) | Err(before) => before,
        };
        Duration::from_nanos(before.saturating_sub(now.saturating_add(self.ahead)))
    }

    fn since_start(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.start))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_seconds_worth_is_there_at_once_and_then_one_at_a_time() {
        let rate = Rate::per_second(10);
        let at = |ms| rate.start + Duration::from_millis(ms);
        assert!((0..40).all(|_| rate.take(at(0)).is_ok()));
        assert_eq!(rate.take(at(0)), Err(Duration::from_millis(100)));
        assert_eq!(rate.take(at(60)), Err(Duration::from_millis(40)), "a refusal takes nothing");
        assert_eq!((rate.take(at(100)), rate.take(at(100))), (Ok(()), Err(Duration::from_millis(100))));
        assert!((0..40).all(|_| rate.take(at(60_000)).is_ok()) && rate.take(at(60_000)).is_err());
    }

    #[test]
    fn what_cannot_be_refused_waits_its_turn() {
        let rate = Rate::new(Duration::from_millis(100), 2);
        let at = |ms| rate.start + Duration::from_millis(ms);
        let waits: Vec<_> = (0..4).map(|_| rate.claim(at(0)).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200]);
        assert_eq!(rate.claim(at(1000)), Duration::ZERO);
    }
}
