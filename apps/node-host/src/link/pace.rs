//! How often, how long, and when again: the link's times, and the wait before the next attempt to connect.

use std::time::Duration;

/// The link's times. Tests have shorter ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often the node says that it lives, and asks whether the gateway does.
    pub heartbeat: Duration,
    /// After so long a silence the gateway is taken for gone.
    pub silence: Duration,
    /// How long connecting may take, and again how long the greeting.
    pub patience: Duration,
    /// After so long an unacknowledged end of a job is told again.
    pub tell_again: Duration,
    /// How long a cancelled call may take to settle.
    pub settle: Duration,
    /// A connection that held so long was a good one: the next wait is short again.
    pub stable: Duration,
    /// The longest first wait before another attempt; it doubles from attempt to attempt.
    pub first_wait: Duration,
    /// The longest wait of all, and the usual one after a refusal.
    pub longest_wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            heartbeat: Duration::from_millis(argus_protocol::node::HEARTBEAT_MS),
            silence: seconds(45),
            patience: seconds(15),
            tell_again: seconds(30),
            settle: seconds(4),
            stable: seconds(10),
            first_wait: seconds(1),
            longest_wait: seconds(60),
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It could not be made, or was lost.
    Lost,
    /// The gateway ends, or another node came in this one's place (close code 1012).
    Restarting,
    /// The gateway has too much to do (close code 1013, HTTP 429 or 503).
    Busy,
    /// The gateway does not know this node's token.
    Refused,
}

/// How long to wait before the next attempt: after `failures` attempts in a row that led to no stable connection, and a
/// throw of the dice of 0 to 1. Full jitter, so that the nodes of a gateway do not come back all at once.
pub fn wait(pace: &Pace, cause: Cause, failures: u32, dice: f64) -> Duration {
    let steps = match cause {
        Cause::Lost => failures,
        Cause::Restarting => failures.max(2),
        Cause::Busy => failures.max(4),
        // Nobody but a person can change it: neither often nor all at the same moment.
        Cause::Refused => return pace.longest_wait.mul_f64(0.8 + 0.4 * dice.clamp(0.0, 1.0)),
    };
    let ceiling = pace.first_wait.saturating_mul(1 << steps.min(16)).min(pace.longest_wait);
    let least = pace.first_wait / 10;
    least + ceiling.saturating_sub(least).mul_f64(dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_is_thrown_by_dice() {
        let longest = |cause, failures| wait(&Pace::default(), cause, failures, 1.0).as_secs();
        let table: Vec<_> = (0..9).map(|failures| longest(Cause::Lost, failures)).collect();
        assert_eq!(table, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(longest(Cause::Lost, u32::MAX), 60);
        let half = wait(&Pace::default(), Cause::Lost, 3, 0.5);
        assert_eq!(half, Duration::from_millis(4050));
        assert_eq!(wait(&Pace::default(), Cause::Lost, 9, 0.0), Duration::from_millis(100));
    }

    #[test]
    fn a_gateway_that_asks_for_time_gets_it() {
        let longest = |cause, failures| wait(&Pace::default(), cause, failures, 1.0).as_secs();
        assert_eq!([0, 1, 4].map(|failures| longest(Cause::Restarting, failures)), [4, 4, 16]);
        assert_eq!([0, 4, 6].map(|failures| longest(Cause::Busy, failures)), [16, 16, 60]);
    }

    #[test]
    fn a_refused_node_asks_about_once_a_minute() {
        let after = |dice| wait(&Pace::default(), Cause::Refused, 0, dice).as_secs();
        assert_eq!([0.0, 0.5, 1.0].map(after), [48, 60, 72]);
    }
}
