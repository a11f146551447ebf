//! Time and random ids: the two things a pure part is given and cannot make.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use argus_protocol::{SessionId, SubmissionId, TokenId};
use argus_session::Now;
use data_encoding::HEXLOWER;

/// A clock that never jumps beside the one people read.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts the monotonic clock at zero.
    #[expect(clippy::new_without_default, reason = "starting a clock is a deed")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> Now {
        let mono = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { mono, unix: unix_ms() }
    }

    /// The instant of a monotonic millisecond.
    pub fn instant(&self, mono: u64) -> Instant {
        self.start + std::time::Duration::from_millis(mono)
    }
}

/// Unix milliseconds.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A new submission's id: 32 hex digits.
pub fn new_submission_id() -> SubmissionId {
    random_hex::<16>().parse().expect("32 hex digits are a submission id")
}

/// A new system event's id: 32 hex digits, as the reference writes it.
pub fn new_event_id() -> String {
    random_hex::<16>()
}

/// A new token's id: 16 hex digits.
pub fn new_token_id() -> TokenId {
    random_hex::<8>().parse().expect("16 hex digits are a token id")
}

/// A new session's id: 12 hex digits, as the reference writes it.
pub fn new_session_id() -> SessionId {
    random_hex::<6>().parse().expect("12 hex digits are a session id")
}

/// A new scheduled job's id: 10 hex digits, as the reference writes it.
pub fn new_job_id() -> String {
    random_hex::<5>()
}

/// What tells a run that somebody asked for from others: 8 hex digits.
pub fn new_run_mark() -> String {
    random_hex::<4>()
}

/// A new call's id: 32 hex digits.
pub fn new_call_id() -> String {
    random_hex::<16>()
}

/// A new name for a numbering: 16 hex digits.
pub fn new_epoch() -> String {
    random_hex::<8>()
}

fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    HEXLOWER.encode(&bytes)
}
