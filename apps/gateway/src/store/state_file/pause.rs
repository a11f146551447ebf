//! Which sessions do nothing unasked until they are told to again.

use std::collections::{BTreeMap, BTreeSet};

use argus_protocol::SessionId;
use serde_json::{Value, json};

use super::{StateError, StateFile, session_in, sessions};

/// The member of a session that says it.
pub(super) const PAUSED: &str = "automationPaused";

impl StateFile {
    /// Whether that session does nothing unasked.
    pub async fn is_paused(&self, session: &SessionId) -> bool {
        let state = self.state.lock().await;
        let own = state.value.get("sessions").and_then(|all| all.get(session.as_str()));
        own.is_some_and(paused)
    }

    /// Every session that does nothing unasked.
    pub async fn paused_sessions(&self) -> BTreeSet<SessionId> {
        let state = self.state.lock().await;
        sessions(&state.value).filter(|(_, own)| paused(own)).filter_map(|(id, _)| id.parse().ok()).collect()
    }

    /// Every session, and when the next of its jobs is due, unix milliseconds.
    pub async fn next_runs(&self) -> BTreeMap<SessionId, Option<u64>> {
        let state = self.state.lock().await;
        let known = sessions(&state.value).filter_map(|(id, own)| Some((id.parse().ok()?, own)));
        known.map(|(id, own)| (id, next_run(own))).collect()
    }

    /// From now on it does nothing unasked.
    pub async fn pause(&self, session: &SessionId) -> Result<(), StateError> {
        self.change(|state| {
            if let Some(own) = session_in(state, session) {
                own.insert(PAUSED.to_owned(), json!(true));
            }
        })
        .await
    }

    /// From now on it does again.
    pub async fn resume(&self, session: &SessionId) -> Result<(), StateError> {
        self.change(|state| {
            let own = state.get_mut("sessions").and_then(|all| all.get_mut(session.as_str()));
            if let Some(Value::Object(own)) = own {
                own.remove(PAUSED);
            }
        })
        .await
    }
}

/// Whether a session is.
pub(super) fn paused(own: &Value) -> bool {
    own.get(PAUSED).and_then(Value::as_bool).unwrap_or(false)
}

fn next_run(own: &Value) -> Option<u64> {
    let jobs = own.get("cronJobs").and_then(Value::as_array).into_iter().flatten();
    let enabled = jobs.filter(|job| job.get("enabled").and_then(Value::as_bool).unwrap_or(true));
    enabled.filter_map(|job| job.get("nextRunAtMs")?.as_u64()).min()
}
