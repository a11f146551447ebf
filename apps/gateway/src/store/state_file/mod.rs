//! `state.json`: the default session and each session's main thread, its jobs, and whatever else others keep in it.
//!
//! The file is that of the reference implementation, version 1: an object with `version`, `defaultSessionId` and
//! `sessions` (by session id, each with `mainThreadId`, `cronJobs`, …). Members we do not know are kept as they are.

mod check;
mod check_former;
mod check_jobs;
mod error;
mod former;
mod jobs;
mod pause;
mod restore;
mod strict;
mod survey;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argus_protocol::{SessionId, ThreadId};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

pub use self::error::StateError;
pub use self::former::{FormerEvent, FormerQueue};
pub use self::jobs::DueJobs;
pub use self::restore::{RestoreError, Restored, restore};
pub use self::survey::{JobTrouble, SessionSurvey, Survey, survey};
use super::durable;

/// The only version there is.
const VERSION: u64 = 1;

/// The one owner of `state.json`. Every change is on disk before its call returns; the version before the last change
/// stays as `state.json.bak`.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    state: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    value: Map<String, Value>,
    /// What is on disk; `None` before the first write.
    bytes: Option<Vec<u8>>,
}

impl StateFile {
    /// Reads the file; that there is none is an empty state. What is left out of account in it is logged.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let kept = match read(path)? {
            Some(bytes) => {
                let checked = check::check(path, &bytes)?;
                for warning in checked.warnings {
                    tracing::warn!("{}: {warning}", path.display());
                }
                Kept { value: checked.state, bytes: Some(bytes) }
            }
            None => Kept { value: empty(), bytes: None },
        };
        if kept.bytes.is_none() && backup(path).exists() {
            tracing::warn!(
                "there is no {} and everything in it begins anew; `argus state restore` puts its former version in place, \
                 which is kept until the second change",
                path.display()
            );
        }
        Ok(Self { path: path.to_owned(), state: Arc::new(Mutex::new(kept)) })
    }

    /// All that is in it.
    pub async fn whole(&self) -> Value {
        Value::Object(self.state.lock().await.value.clone())
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
            if let Some(own) = session_in(state, session) {
                own.insert("mainThreadId".to_owned(), json!(thread.map(ThreadId::as_str)));
            }
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

    /// Changes a copy, writes it, and only then takes it: memory is never ahead of the disk. Where nothing changed nothing
    /// is written.
    async fn change(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), StateError> {
        let mut kept = Arc::clone(&self.state).lock_owned().await;
        let mut value = kept.value.clone();
        change(&mut value);
        if value == kept.value {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec_pretty(&value).expect("a JSON value serializes");
        bytes.push(b'\n');
        let path = self.path.clone();
        // Goes on to its end, and keeps others out, even when its caller does not wait for it: two at once would write
        // into one temporary file.
        let writing = tokio::task::spawn_blocking(move || {
            if let Some(before) = &kept.bytes {
                durable::replace(&backup(&path), before)?;
            }
            durable::replace(&path, &bytes)?;
            *kept = Kept { value, bytes: Some(bytes) };
            Ok(())
        });
        let done = writing.await.unwrap_or_else(|gone| Err(io::Error::other(gone)));
        done.map_err(|source| StateError::Write { path: self.path.clone(), source })
    }
}

/// What belongs to a session; made where there is nothing yet.
fn session_in<'s>(
    state: &'s mut Map<String, Value>,
    session: &SessionId,
) -> Option<&'s mut Map<String, Value>> {
    let fresh =
        || json!({ "mainThreadId": null, "cronJobs": [], "systemEventQueues": {}, "lastActiveByThread": {} });
    state.get_mut("sessions")?.as_object_mut()?.entry(session.as_str()).or_insert_with(fresh).as_object_mut()
}

/// The sessions in it.
fn sessions(state: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    state.get("sessions").and_then(Value::as_object).into_iter().flatten()
}

/// Where the version before the last change is.
fn backup(path: &Path) -> PathBuf {
    durable::beside(path, ".bak")
}

/// The bytes of the file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::Invalid { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn empty() -> Map<String, Value> {
    let mut state = Map::new();
    state.insert("version".to_owned(), json!(VERSION));
    state.insert("defaultSessionId".to_owned(), Value::Null);
    state.insert("sessions".to_owned(), json!({}));
    state
}

#[cfg(test)]
mod tests;
