//! The wall clock, as unix milliseconds, behind a function that a test can replace.

use std::sync::Arc;

use crate::clock::unix_ms;

/// Tells the time in unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The system's clock.
pub fn system() -> Clock {
    Arc::new(unix_ms)
}
