//! Every session that somebody needs now, by id. The entry comes first and provisions its runtime afterwards, so that
//! any number of simultaneous callers make one runtime.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argus_protocol::SessionId;
use argus_session::SessionConfig;
use tokio::sync::mpsc;

use super::handle::{Command, SessionHandle};
use super::lifetime;
use super::ports::{PrepareTurn, React};
use super::seats::{Bell, Seats};
use crate::clock::{Clock, new_session_id};
use crate::runtime::{FixedSessions, KnownRuntime, ProvisionError, Provisioner};
use crate::store::history_file::Histories;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;

/// How long a session may take to end its runtime and to store what became of its work.
const CLOSE_LIMIT: Duration = Duration::from_mins(1);

/// What every session is made with.
pub struct SessionsParts {
    /// Makes runtimes.
    pub provisioner: Arc<dyn Provisioner>,
    /// Submissions, handshakes, checkpoints.
    pub ledger: Ledger,
    /// What was said to everybody.
    pub histories: Histories,
    /// Main threads, and which session is the default one.
    pub state: Arc<StateFile>,
    /// Writes prompts.
    pub prepare: Arc<dyn PrepareTurn>,
    /// Acts on outcomes.
    pub react: Arc<dyn React>,
    /// Settings; the id is replaced for each session.
    pub config: SessionConfig,
    /// How many runtimes may live at once; `None` is no limit.
    pub most_runtimes: Option<usize>,
    /// The clock of all sessions.
    pub clock: Clock,
}

/// The registry.
#[derive(Clone)]
pub struct Sessions {
    pub(super) parts: Arc<SessionsParts>,
    pub(super) seats: Arc<Seats>,
    entries: Arc<Mutex<Entries>>,
    /// Held while the default session is chosen: whoever comes meanwhile gets the same one.
    choosing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Entries {
    live: HashMap<SessionId, SessionHandle>,
    /// Sessions that are being deleted: unknown to callers, and nothing is started for them again.
    leaving: HashSet<SessionId>,
}

/// A session that is being deleted. Dropping it makes an end of that, however it went.
struct Leaving {
    sessions: Sessions,
    id: SessionId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut entries = self.sessions.entries();
        entries.live.remove(&self.id);
        entries.leaving.remove(&self.id);
    }
}

impl Sessions {
    /// An empty registry.
    pub fn new(parts: SessionsParts) -> Self {
        let seats = Arc::new(Seats::new(parts.most_runtimes));
        Self { parts: Arc::new(parts), seats, entries: Arc::default(), choosing: Arc::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session; its actor is started when nobody needed it until now.
    pub fn get(&self, id: &SessionId) -> SessionHandle {
        let mut entries = self.entries();
        let leaving = entries.leaving.contains(id);
        if let Some(handle) = entries.live.get(id).filter(|handle| leaving || !handle.is_gone()) {
            return handle.clone();
        }
        let handle = lifetime::begin(id.clone(), self.clone());
        entries.live.insert(id.clone(), handle.clone());
        handle
    }

    /// Something goes on in the runtime of a session: it is not stopped as if nothing needed it. One that is not at hand
    /// has no runtime that could be stopped.
    pub fn still_at_work(&self, id: &SessionId) {
        if let Some(handle) = self.entries().live.get(id) {
            handle.still_at_work();
        }
    }

    /// Goes on with every runtime that lives: it is watched, and stopped in time if nothing needs it. Whether all could
    /// be told.
    pub async fn adopt_running(&self) -> Result<bool, ProvisionError> {
        let known = self.list().await?;
        for known in known.iter().filter(|known| known.status == "running") {
            self.get(&known.session_id).adopt().await;
        }
        Ok(known.iter().all(|known| known.status != "unknown"))
    }

    /// Lets an actor end that nobody needs; not when somebody has just come or holds its handle.
    pub(super) fn retire(
        &self,
        id: &SessionId,
        bell: &Arc<Bell>,
        commands: &mpsc::Receiver<Command>,
    ) -> bool {
        let mut entries = self.entries();
        // Handles are cloned under this lock only, so that one handle, ours, and an empty line stay so until it is gone.
        let alone = commands.sender_strong_count() == 1 && commands.is_empty();
        let ours = entries.live.get(id).is_some_and(|handle| !handle.is_gone());
        if alone && ours && !entries.leaving.contains(id) {
            entries.live.remove(id);
            self.seats.leave(id, bell);
            return true;
        }
        false
    }

    /// The only sessions there are, where none is ever made or ended.
    pub fn fixed(&self) -> Option<&FixedSessions> {
        self.parts.provisioner.fixed()
    }

    /// The session of those who name none: that of an upstream, else as it is stored, else the first that is known, else a new one.
    pub async fn default_session(&self) -> Result<SessionId, String> {
        if let Some(session) = self.fixed().and_then(FixedSessions::of_chats) {
            return Ok(session.clone());
        }
        let words = |error: ProvisionError| error.to_string();
        let _chosen_once = self.choosing.lock().await;
        if let Some(session) = self.parts.state.default_session().await {
            self.reserve(&session).await.map_err(words)?;
            return Ok(session);
        }
        let known = self.list().await.map_err(words)?;
        let session = known.into_iter().next().map_or_else(new_session_id, |first| first.session_id);
        self.reserve(&session).await.map_err(words)?;
        self.parts.state.set_default_session(&session).await.map_err(|error| error.to_string())?;
        Ok(session)
    }

    /// The default session, where one was chosen already.
    pub async fn stored_default(&self) -> Option<SessionId> {
        if let Some(session) = self.fixed().and_then(FixedSessions::of_chats) {
            return Some(session.clone());
        }
        self.parts.state.default_session().await
    }

    /// Makes a session known without starting anything.
    pub async fn reserve(&self, id: &SessionId) -> Result<(), ProvisionError> {
        self.parts.provisioner.reserve(id).await
    }

    /// Whether this session exists.
    pub async fn knows(&self, id: &SessionId) -> bool {
        !self.entries().leaving.contains(id) && self.parts.provisioner.knows(id).await
    }

    /// Every session that exists.
    pub async fn list(&self) -> Result<Vec<KnownRuntime>, ProvisionError> {
        let mut known = self.parts.provisioner.list().await?;
        let entries = self.entries();
        known.retain(|session| !entries.leaving.contains(&session.session_id));
        Ok(known)
    }

    /// Runtimes of others, which are shown and otherwise left alone.
    pub async fn others(&self) -> Vec<KnownRuntime> {
        self.parts.provisioner.others().await
    }

    /// What keeps runtimes from being made or reached now.
    pub fn trouble(&self) -> Vec<String> {
        self.parts.provisioner.trouble()
    }

    /// Ends a session for good: what waits gets its outcome, the runtime goes, its state is forgotten.
    /// Goes on to its end even when the caller does not wait for it.
    pub async fn delete(&self, id: &SessionId) -> Result<(), ProvisionError> {
        let (sessions, id) = (self.clone(), id.clone());
        let deed = tokio::spawn(async move { sessions.end(&id).await });
        deed.await.unwrap_or_else(|error| Err(ProvisionError::lasting(error.to_string())))
    }

    async fn end(&self, id: &SessionId) -> Result<(), ProvisionError> {
        let handle = self.get(id);
        if !self.entries().leaving.insert(id.clone()) {
            return Err(ProvisionError::passing(format!("session `{id}` is being deleted already")));
        }
        let leaving = Leaving { sessions: self.clone(), id: id.clone() };
        let mut closed =
            tokio::spawn(async move { handle.close("the session was deleted".to_owned()).await });
        if tokio::time::timeout(CLOSE_LIMIT, &mut closed).await.is_err() {
            // Nobody takes its place before its owner is through: two would answer for one runtime.
            tokio::spawn(async move {
                _ = closed.await;
                drop(leaving);
            });
            let words = format!("session `{id}` does not come to its end; the gateway's log says why");
            return Err(ProvisionError::passing(words));
        }
        let _leaving = leaving;
        self.parts.provisioner.remove(id).await?;
        if let Err(error) = self.parts.histories.remove(id) {
            tracing::warn!(session.id = %id, %error, "what was said in it could not be removed");
        }
        self.parts
            .ledger
            .forget_session(id)
            .await
            .map_err(|error| ProvisionError::lasting(error.to_string()))?;
        self.parts.state.forget_session(id).await.map_err(|error| ProvisionError::lasting(error.to_string()))
    }

    /// Ends every actor; runtimes live on. Bounded in time.
    pub async fn shutdown(&self) {
        let handles: Vec<_> = self.entries().live.drain().map(|(_, handle)| handle).collect();
        let all = futures::future::join_all(handles.iter().map(SessionHandle::shutdown));
        _ = tokio::time::timeout(Duration::from_secs(5), all).await;
    }
}
