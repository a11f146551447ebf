//! `state.json`: the default session and each session's main thread, and whatever else others keep in it.
//!
//! The file is that of the reference implementation, version 1: an object with `version`, `defaultSessionId` and
//! `sessions` (by session id, each with `mainThreadId`, `cronJobs`, …). Members we do not know are kept as they are.

use std::io;
use std::path::{Path, PathBuf};

use argus_protocol::{SessionId, ThreadId};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::durable;

/// The only version there is.
const VERSION: u64 = 1;

/// Why the state cannot be used. The file has then not been changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not a state file.
    #[error(
        "`{path}` cannot be read and was left untouched: {reason}; mend it, put back `{path}.bak`, or move it away to \
         begin anew"
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another version of this program has written it.
    #[error(
        "`{path}` has version {found} and this program knows version 1 only: use the program that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its `version`, as it stands there.
        found: String,
    },
    /// It cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The one owner of `state.json`. Every change is on disk before its call returns; the version before the last change
/// stays as `state.json.bak`.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    state: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    value: Map<String, Value>,
    /// What is on disk; `None` before the first write.
    bytes: Option<Vec<u8>>,
}

impl StateFile {
    /// Reads the file; that there is none is an empty state.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let invalid = |reason: String| StateError::Invalid { path: path.to_owned(), reason };
        let kept = match std::fs::read(path) {
            Ok(bytes) => {
                let value: Value = serde_json::from_slice(&bytes).map_err(|e| invalid(e.to_string()))?;
                Kept { value: check(path, value)?, bytes: Some(bytes) }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept { value: empty(), bytes: None },
            Err(error) => return Err(invalid(error.to_string())),
        };
        Ok(Self { path: path.to_owned(), state: Mutex::new(kept) })
    }

    /// The session that those get who name none.
    pub async fn default_session(&self) -> Option<SessionId> {
        let state = self.state.lock().await;
        state.value.get("defaultSessionId")?.as_str()?.parse().ok()
    }

    /// Chooses it.
    pub async fn set_default_session(&self, session: &SessionId) -> Result<(), StateError> {
        self.change(|state| {
            state.insert("defaultSessionId".to_owned(), json!(session.as_str()));
        })
        .await
    }

    /// A session's main thread, where it has one.
    pub async fn main_thread(&self, session: &SessionId) -> Option<ThreadId> {
        let state = self.state.lock().await;
        state.value.get("sessions")?.get(session.as_str())?.get("mainThreadId")?.as_str()?.parse().ok()
    }

    /// Sets or takes it.
    pub async fn set_main_thread(
        &self,
        session: &SessionId,
        thread: Option<&ThreadId>,
    ) -> Result<(), StateError> {
        self.change(|state| {
            let Some(Value::Object(sessions)) = state.get_mut("sessions") else { return };
            let fresh = || json!({ "mainThreadId": null, "cronJobs": [], "systemEventQueues": {}, "lastActiveByThread": {} });
            let own = sessions.entry(session.as_str()).or_insert_with(fresh);
            own["mainThreadId"] = json!(thread.map(ThreadId::as_str));
        })
        .await
    }

    /// Forgets all of a session, and that it is the default one.
    pub async fn forget_session(&self, session: &SessionId) -> Result<(), StateError> {
        self.change(|state| {
            if let Some(Value::Object(sessions)) = state.get_mut("sessions") {
                sessions.remove(session.as_str());
            }
            if state.get("defaultSessionId").and_then(Value::as_str) == Some(session.as_str()) {
                state.insert("defaultSessionId".to_owned(), Value::Null);
            }
        })
        .await
    }

    /// Changes a copy, writes it, and only then takes it: memory is never ahead of the disk.
    async fn change(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), StateError> {
        let mut kept = self.state.lock().await;
        let mut value = kept.value.clone();
        change(&mut value);
        if value == kept.value && kept.bytes.is_some() {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec_pretty(&value).expect("a JSON value serializes");
        bytes.push(b'\n');
        let (path, before, written) = (self.path.clone(), kept.bytes.clone(), bytes.clone());
        let writing = tokio::task::spawn_blocking(move || {
            if let Some(before) = before {
                durable::replace(&durable::beside(&path, ".bak"), &before)?;
            }
            durable::replace(&path, &written)
        });
        let done = writing.await.unwrap_or_else(|gone| Err(io::Error::other(gone)));
        done.map_err(|source| StateError::Write { path: self.path.clone(), source })?;
        *kept = Kept { value, bytes: Some(bytes) };
        Ok(())
    }
}

fn empty() -> Map<String, Value> {
    let mut state = Map::new();
    state.insert("version".to_owned(), json!(VERSION));
    state.insert("defaultSessionId".to_owned(), Value::Null);
    state.insert("sessions".to_owned(), json!({}));
    state
}

/// Takes a value whose members that we own have the form they must have.
fn check(path: &Path, value: Value) -> Result<Map<String, Value>, StateError> {
    let invalid = |reason: String| StateError::Invalid { path: path.to_owned(), reason };
    let Value::Object(mut state) = value else { return Err(invalid("it is not an object".to_owned())) };
    match state.get("version") {
        None => {}
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(other) => return Err(StateError::Version { path: path.to_owned(), found: other.to_string() }),
    }
    id::<SessionId>(state.get("defaultSessionId"))
        .map_err(|reason| invalid(format!("`defaultSessionId`: {reason}")))?;
    let sessions = state.entry("sessions").or_insert_with(|| json!({}));
    let Value::Object(sessions) = sessions else {
        return Err(invalid("`sessions` is not an object".to_owned()));
    };
    for (name, session) in sessions {
        if !session.is_object() {
            return Err(invalid(format!("`sessions.{name}` is not an object")));
        }
        id::<ThreadId>(session.get("mainThreadId"))
            .map_err(|reason| invalid(format!("`sessions.{name}.mainThreadId`: {reason}")))?;
    }
    state.insert("version".to_owned(), json!(VERSION));
    Ok(state)
}

/// Absent, null and blank mean none; anything else must be an id.
fn id<T: std::str::FromStr<Err: ToString>>(value: Option<&Value>) -> Result<(), String> {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(()),
        Some(Value::String(text)) => text.parse::<T>().map(|_| ()).map_err(|error| error.to_string()),
        Some(_) => Err("it is neither text nor null".to_owned()),
    }
}

#[cfg(test)]
#[path = "state_file_tests.rs"]
mod tests;
