//! From unix milliseconds to instants and back.

use argus_schedule::{DateTime, Utc};

/// That instant.
pub(super) fn at(ms: u64) -> DateTime<Utc> {
    i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Its unix milliseconds.
pub(super) fn ms(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp_millis()).unwrap_or(0)
}
