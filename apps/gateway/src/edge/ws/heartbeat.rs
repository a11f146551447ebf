//! When a quiet client is asked whether it lives, and when it counts as gone.

use std::time::Duration;

use tokio::time::Instant;

/// A client is asked whether it lives …
const PING_EVERY: Duration = Duration::from_secs(20);
/// … and is gone after this long without a word.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// What is to be done about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing yet.
    Wait,
    /// Ask it.
    Ping,
    /// It is gone.
    Gone,
}

/// One client's.
#[derive(Debug)]
pub(super) struct Heartbeat {
    next_ping: Instant,
}

impl Heartbeat {
    /// Of a client that came now.
    pub(super) fn new(now: Instant) -> Self {
        Self { next_ping: now + PING_EVERY }
    }

    /// What is to be done now about a client that was heard last at `heard`.
    pub(super) fn beat(&mut self, now: Instant, heard: Instant) -> Beat {
        if now >= heard + SILENCE_LIMIT {
            return Beat::Gone;
        }
        if now < self.next_ping {
            return Beat::Wait;
        }
        self.next_ping = now + PING_EVERY;
        Beat::Ping
    }

    /// When to look again.
    pub(super) fn due(&self, heard: Instant) -> Instant {
        self.next_ping.min(heard + SILENCE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_open_client_is_noticed_at_the_limit_whenever_it_was_heard_last() {
        let began = Instant::now();
        for ms in (0..60_000).step_by(500) {
            let mut heartbeat = Heartbeat::new(began);
            let last = began + Duration::from_millis(ms);
            let (mut now, mut pings) = (began, Vec::new());
            loop {
                // It answers everything up to its last word.
                let heard = last.min(now);
                match heartbeat.beat(now, heard) {
                    Beat::Gone => break,
                    Beat::Ping => pings.push(now),
                    Beat::Wait => {}
                }
                let due = heartbeat.due(heard);
                assert!(due > now, "it never looks twice at once");
                now = due;
            }
            assert_eq!(now, last + SILENCE_LIMIT, "heard last after {ms} ms");
            // It was asked in vain at least twice.
            assert!(pings.iter().filter(|ping| **ping > last).count() >= 2);
        }
    }
}
