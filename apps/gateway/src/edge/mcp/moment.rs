//! A moment, as people and models read it.

use argus_schedule::{DateTime, Utc};

/// Unix milliseconds as RFC 3339 in UTC; the number itself where there is no such moment.
pub(super) fn moment(at_ms: u64) -> String {
    let moment = i64::try_from(at_ms).ok().and_then(DateTime::<Utc>::from_timestamp_millis);
    moment.map_or_else(|| at_ms.to_string(), |moment| moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}
