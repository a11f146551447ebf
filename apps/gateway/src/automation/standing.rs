//! How what is done unasked stands, and its pause.

use std::collections::{BTreeMap, BTreeSet};

use argus_protocol::argus::automation::{Lane, Pause, Runtime, State, Status};
use argus_protocol::{RpcError, SessionId, ThreadId};
use argus_session::Target;

use super::Automation;
use crate::store::ledger::{LedgerError, OpenLane};
use crate::store::state_file::StateError;

impl Automation {
    /// From now on that session does nothing unasked; what has begun ends.
    pub async fn pause(&self, session: &SessionId) -> Result<Pause, RpcError> {
        self.0.state.pause(session).await.map_err(|error| unchanged(&error))?;
        tracing::info!(session.id = %session, "automation is paused");
        Ok(Pause { ok: true, session_id: session.clone(), paused: true })
    }

    /// From now on it does again.
    pub async fn resume(&self, session: &SessionId) -> Result<Pause, RpcError> {
        self.0.state.resume(session).await.map_err(|error| unchanged(&error))?;
        tracing::info!(session.id = %session, "automation goes on");
        self.0.pulse.wake();
        Ok(Pause { ok: true, session_id: session.clone(), paused: false })
    }

    /// How one session stands.
    pub async fn status(&self, session: &SessionId) -> Result<Status, RpcError> {
        let figures = self.figures().await.map_err(|error| unread(&error))?;
        Ok(figures.of(session))
    }

    /// How everything stands.
    pub async fn state(&self) -> Result<State, RpcError> {
        let lanes = self.lanes().await.map_err(|error| unread(&error))?;
        let figures = self.figures().await.map_err(|error| unread(&error))?;
        let sessions =
            figures.sessions().chain(lanes.iter().map(|lane| &lane.session_id)).collect::<BTreeSet<_>>();
        let sessions = sessions.into_iter().map(|session| figures.of(session)).collect();
        let persisted = self.0.state.whole().await;
        Ok(State { ok: true, persisted, runtime: Runtime { lanes }, sessions })
    }

    async fn figures(&self) -> Result<Figures, LedgerError> {
        let parts = &self.0;
        let mut due = parts.state.next_runs().await;
        if parts.config.heartbeat.every.is_some() {
            for (session, at) in parts.ledger.heartbeats_due().await? {
                let earliest = due.entry(session).or_default();
                *earliest = Some(earliest.map_or(at, |job| job.min(at)));
            }
        }
        let waiting = parts.ledger.waiting_events().await?.into_iter().collect();
        Ok(Figures { due, waiting, paused: parts.state.paused_sessions().await })
    }

    /// Threads with open submissions, sorted.
    async fn lanes(&self) -> Result<Vec<Lane>, LedgerError> {
        let mut lanes = BTreeMap::<_, (bool, u64)>::new();
        for open in self.0.ledger.open_lanes().await? {
            let thread = self.thread_of_lane(&open).await?;
            let (busy, depth) = lanes.entry((open.session, thread)).or_default();
            *busy |= open.running > 0;
            *depth += open.waiting;
        }
        let lane = |((session_id, thread_id), (busy, followup_depth))| Lane {
            session_id,
            thread_id,
            busy,
            followup_depth,
        };
        Ok(lanes.into_iter().map(lane).collect())
    }

    /// A submission that has not begun may not know the thread that its target has got since.
    async fn thread_of_lane(&self, open: &OpenLane) -> Result<Option<ThreadId>, LedgerError> {
        let (parts, session) = (&self.0, &open.session);
        match (&open.thread, &open.target) {
            (Some(thread), _) | (None, Target::Thread { id: thread }) => Ok(Some(thread.clone())),
            (None, Target::Main) => Ok(parts.state.main_thread(session).await),
            (None, Target::Chat { chat, era }) => parts.ledger.chat_thread(session, chat, *era).await,
            (None, Target::Named { name }) => parts.ledger.named_thread(session, name).await,
        }
    }
}

/// What there is to tell of sessions.
struct Figures {
    /// Every session of `state.json` and every one with a heartbeat, and when something is due next.
    due: BTreeMap<SessionId, Option<u64>>,
    waiting: BTreeMap<SessionId, u64>,
    paused: BTreeSet<SessionId>,
}

impl Figures {
    fn sessions(&self) -> impl Iterator<Item = &SessionId> {
        self.due.keys().chain(self.waiting.keys())
    }

    fn of(&self, session: &SessionId) -> Status {
        Status {
            session_id: session.clone(),
            paused: self.paused.contains(session),
            waiting_events: self.waiting.get(session).copied().unwrap_or(0),
            next_due_at_ms: self.due.get(session).copied().flatten(),
        }
    }
}

fn unchanged(error: &StateError) -> RpcError {
    tracing::error!(%error, "a pause cannot be stored");
    RpcError::failed(error.to_string())
}

fn unread(error: &LedgerError) -> RpcError {
    tracing::error!(%error, "how automation stands cannot be read");
    RpcError::failed(error.to_string())
}
