//! How a heartbeat ended.

use argus_session::{Origin, Outcome, Settlement};

use super::plan::pause;
use crate::delivery::has_something_to_tell;
use crate::store::ledger::{BeatOutcome, HeartbeatEnd};

/// How it ended, where it was a heartbeat.
pub(in super::super) fn end_of(settlement: &Settlement) -> Option<HeartbeatEnd> {
    let Origin::Heartbeat { .. } = settlement.origin else { return None };
    let outcome = match &settlement.outcome {
        Outcome::Completed { text } if has_something_to_tell(text) => BeatOutcome::Told,
        Outcome::Completed { .. } => BeatOutcome::Quiet,
        Outcome::Interrupted { .. } => BeatOutcome::Stopped,
        Outcome::Failed { .. } => BeatOutcome::Failed,
    };
    Some(HeartbeatEnd { outcome, pause })
}
