//! What there is to see for a heartbeat: the tasks in `HEARTBEAT.md`, read not more often than needed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argus_protocol::SessionId;
use tokio::sync::Semaphore;

use super::tasks::has_tasks;
use crate::workspace::Workspace;

/// The file.
pub(in super::super) const FILE: &str = "HEARTBEAT.md";
/// Most of it that is looked at, in bytes.
const FILE_LIMIT: u64 = 32 << 10;
/// How long what was seen holds, in milliseconds.
const HOLDS: u64 = 30_000;
/// How long a look may take; the workspace may be on a network that is away.
const LIMIT: Duration = Duration::from_secs(5);
/// Looks at once, those among them that hang.
const MOST: usize = 4;
/// Sessions that are remembered.
const REMEMBERED: usize = 4096;

/// What a `HEARTBEAT.md` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tasks {
    /// Whether there is something to do.
    pub(super) any: bool,
    /// Tells one content from another.
    pub(super) hash: u64,
}

/// When somebody looked, unix milliseconds, and what was seen, or why it was not.
type Looked = (u64, Result<Tasks, String>);

/// What was seen lately.
#[derive(Debug)]
pub(in super::super) struct Seen {
    tasks: Mutex<HashMap<Option<SessionId>, Looked>>,
    sessions: Mutex<Option<(u64, Vec<SessionId>)>>,
    looks: Arc<Semaphore>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { tasks: Mutex::default(), sessions: Mutex::default(), looks: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Seen {
    /// The tasks of a session, or of the workspace that all share. A file that cannot be read asks for nothing.
    pub(super) async fn tasks(&self, of: Option<&SessionId>, workspace: Workspace, now: u64) -> Tasks {
        let of = of.cloned();
        let before = locked(&self.tasks).get(&of).cloned();
        if let Some((at, tasks)) = &before
            && now.abs_diff(*at) < HOLDS
        {
            return tasks.clone().unwrap_or_default();
        }
        let tasks = self.read(workspace).await;
        if let Err(reason) = &tasks
            && before.is_none_or(|(_, before)| before != tasks)
        {
            tracing::warn!(reason, "{FILE} cannot be read; no heartbeat comes by the clock until it can");
        }
        let mut all = locked(&self.tasks);
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(of, (now, tasks.clone()));
        tasks.unwrap_or_default()
    }

    async fn read(&self, workspace: Workspace) -> Result<Tasks, String> {
        let Ok(permit) = self.looks.clone().try_acquire_owned() else {
            return Err("earlier looks have not come back".to_owned());
        };
        let look = tokio::task::spawn_blocking(move || {
            let read = workspace.head(FILE, FILE_LIMIT);
            drop(permit);
            read
        });
        match tokio::time::timeout(LIMIT, look).await {
            Ok(Ok(Ok(head))) => {
                let mut hasher = DefaultHasher::new();
                (&head.bytes, head.length).hash(&mut hasher);
                let any = has_tasks(&String::from_utf8_lossy(&head.bytes));
                Ok(Tasks { any, hash: hasher.finish() })
            }
            Ok(Ok(Err(error))) if error.kind() == std::io::ErrorKind::NotFound => Ok(Tasks::default()),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(gone)) => Err(gone.to_string()),
            Err(_) => Err(format!("it took longer than {LIMIT:?}")),
        }
    }

    /// The sessions as they were listed lately.
    pub(super) fn sessions(&self, now: u64) -> Option<Vec<SessionId>> {
        let listed = locked(&self.sessions);
        listed.as_ref().filter(|(at, _)| now.abs_diff(*at) < HOLDS).map(|(_, sessions)| sessions.clone())
    }

    /// They are these.
    pub(super) fn listed(&self, now: u64, sessions: &[SessionId]) {
        *locked(&self.sessions) = Some((now, sessions.to_vec()));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_is_read_again_after_half_a_minute() {
        let dir = tempfile::tempdir().unwrap();
        let (seen, file) = (Seen::default(), dir.path().join(FILE));
        let any = async |now| seen.tasks(None, Workspace::Open(dir.path().to_owned()), now).await.any;
        assert!(!any(0).await, "no file asks for nothing");
        std::fs::write(&file, "- look\n").unwrap();
        assert!(!any(HOLDS - 1).await && any(HOLDS).await);
        std::fs::write(&file, "# Nothing\n").unwrap();
        assert!(any(HOLDS + 1).await && !any(2 * HOLDS).await);
    }
}
