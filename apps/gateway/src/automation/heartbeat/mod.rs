//! Heartbeats: a session looks by itself whether there is something to do, when its time has come or events wait for it.

mod asked;
mod look;
mod outcome;
mod plan;
mod tasks;

#[cfg(test)]
mod tests;

use argus_protocol::SessionId;
use argus_schedule::Day;
use argus_session::{Beat, ChatRef, Origin, Submission, Target};

pub(super) use self::look::{FILE, Seen};
pub(super) use self::outcome::end_of;
use self::plan::Time;
use super::Automation;
use super::time::{at, ms};
use crate::clock::new_submission_id;
use crate::config::{BeatThread, When};
use crate::store::ledger::{LedgerError, NewHeartbeat, NewSubmission, Queue, QueueWaiting, Submitted};
use crate::workspace::Workspaces;

/// The name of the thread of heartbeats that have one of their own.
const OWN_THREAD: &str = "heartbeat";

/// A heartbeat that is to begin.
struct Wanted<'a> {
    session: &'a SessionId,
    why: Beat,
    target: Target,
    /// Where it is told.
    chat: Option<ChatRef>,
    /// Names it within its session.
    key: Option<String>,
    /// When the next one is due from now on.
    next: Option<u64>,
    /// What there is to see, where it looks at everything.
    sees: Option<String>,
}

impl Automation {
    /// Begins the heartbeats that are due at this time; answers when one is due next.
    pub(super) async fn beat(&self, now: u64) -> Option<u64> {
        let mut next = Vec::new();
        for session in self.beating(now).await {
            match self.on_time(&session, now).await {
                Ok(at) => next.extend(at),
                Err(error) => tracing::warn!(session.id = %session, %error, "its heartbeat has to wait"),
            }
        }
        let waiting = self.0.ledger.queues_waiting().await;
        let waiting =
            waiting.inspect_err(|error| tracing::warn!(%error, "events have to wait")).unwrap_or_default();
        for queue in waiting {
            match self.on_events(&queue, now).await {
                Ok(at) => next.extend(at),
                Err(error) => tracing::warn!(session.id = %queue.session, %error, "its events have to wait"),
            }
        }
        next.into_iter().min()
    }

    /// The sessions whose heartbeats come of themselves: the default one where all share a workspace, else each.
    async fn beating(&self, now: u64) -> Vec<SessionId> {
        let parts = &self.0;
        if parts.config.heartbeat.every.is_none() {
            return Vec::new();
        }
        let sessions = match &parts.workspaces {
            Workspaces::Shared(workspace) => match parts.workers.stored_default().await {
                Some(session) => Ok(vec![session]),
                None if self.seen().tasks(None, workspace.clone(), now).await.any => {
                    parts.workers.default_session().await.map(|session| vec![session])
                }
                None => Ok(Vec::new()),
            },
            Workspaces::Own { .. } => match self.seen().sessions(now) {
                Some(sessions) => Ok(sessions),
                None => parts.workers.list().await.inspect(|sessions| self.seen().listed(now, sessions)),
            },
        };
        sessions.inspect_err(|error| tracing::warn!(error, "heartbeats have to wait")).unwrap_or_default()
    }

    /// Begins a session's heartbeat where its time has come; answers when it comes next.
    async fn on_time(&self, session: &SessionId, now: u64) -> Result<Option<u64>, LedgerError> {
        let parts = &self.0;
        if parts.state.is_paused(session).await {
            return Ok(None);
        }
        let settings = &parts.config.heartbeat;
        let known = parts.ledger.heartbeat(session).await?;
        let time = plan::time(settings, parts.config.zone, now, known.as_ref());
        match time {
            Time::Off => return Ok(None),
            Time::Wait(until) => return Ok(Some(until)),
            Time::First(_) | Time::Now { .. } => {}
        }
        let workspace = parts.workspaces.of(session);
        let tasks = self.seen().tasks(Some(session), workspace, now).await;
        // What does not exist cannot be spoken to; a heartbeat that is due stays so until it does.
        if !tasks.any || !parts.workers.knows(session).await {
            return Ok(None);
        }
        let (due, next) = match time {
            Time::Now { due, next } => (due, next),
            Time::First(due) | Time::Wait(due) => {
                parts.ledger.set_heartbeat_due(session, due).await?;
                return Ok(Some(due));
            }
            Time::Off => return Ok(None),
        };
        let target = self.own_target();
        if self.is_beating(session, &target).await? {
            return Ok(None);
        }
        let sees = format!("{:016x}:{}", tasks.hash, parts.ledger.last_doing(session).await?);
        let saw_it = known.and_then(|known| known.seen).as_ref() == Some(&sees);
        if settings.when == When::Changed && saw_it {
            parts.ledger.set_heartbeat_due(session, next).await?;
            return Ok(Some(next));
        }
        let chat = self.place(session, &settings.target).await?;
        if !self.within_budget(session, now, chat.as_ref()).await? {
            return Ok(Some(self.midnight(now)));
        }
        let key = Some(format!("heartbeat:{due}"));
        let (why, sees) = (Beat::Due, Some(sees));
        self.begin(Wanted { session, why, target, chat, key, next: Some(next), sees }).await?;
        Ok(Some(next))
    }

    /// Begins a turn for events that wait; answers when it is worth one.
    async fn on_events(&self, waiting: &QueueWaiting, now: u64) -> Result<Option<u64>, LedgerError> {
        let parts = &self.0;
        let session = &waiting.session;
        let known = parts.ledger.heartbeat(session).await?;
        let wakes = plan::wakes(now, waiting.wakes_at_ms, known.as_ref());
        if wakes > now {
            return Ok(Some(wakes));
        }
        let target = match &waiting.queue {
            Queue::Main => Target::Main,
            Queue::Thread(id) => Target::Thread { id: id.clone() },
        };
        let may = parts.workers.knows(session).await && !parts.state.is_paused(session).await;
        // What is no more is left alone, and what comes next in that thread takes them along.
        if !may || self.is_busy(session, &target).await? {
            return Ok(None);
        }
        let chat = self.place(session, &parts.config.heartbeat.target).await?;
        if !self.within_budget(session, now, chat.as_ref()).await? {
            return Ok(Some(self.midnight(now)));
        }
        let (why, key) = (Beat::Events, None);
        self.begin(Wanted { session, why, target, chat, key, next: None, sees: None }).await?;
        Ok(None)
    }

    /// Stores a heartbeat and brings it to its session.
    async fn begin(&self, wanted: Wanted<'_>) -> Result<(), LedgerError> {
        let Wanted { session, why, target, chat, key, next, sees } = wanted;
        let id = new_submission_id();
        let named = |kind: &str| format!("{kind}:{}", &id.as_str()[..8]);
        let idempotency_key = key.or_else(|| match why {
            Beat::Due => None,
            Beat::Events => Some(named("events")),
            Beat::Asked => Some(named("asked")),
        });
        let submission = Submission {
            id,
            session: session.clone(),
            target,
            thread: None,
            origin: Origin::Heartbeat { why, chat },
            text: String::new(),
            attachments: Vec::new(),
        };
        let new = NewSubmission { submission, idempotency_key };
        let stored = self.0.ledger.begin_heartbeat(NewHeartbeat { new, due_ms: next, sees }).await?;
        argus_crash_point::here("heartbeat.stored").await;
        if let Submitted::New(submission) = stored {
            tracing::debug!(session.id = %session, ?why, "a heartbeat begins");
            self.0.workers.begin(submission).await;
            argus_crash_point::here("heartbeat.begun").await;
        }
        Ok(())
    }

    /// Where heartbeats run that no thread's events began.
    fn own_target(&self) -> Target {
        match self.0.config.heartbeat.thread {
            BeatThread::Main => Target::Main,
            BeatThread::Own => Target::Named { name: OWN_THREAD.to_owned() },
        }
    }

    /// Whether a heartbeat there has not ended yet.
    async fn is_beating(&self, session: &SessionId, target: &Target) -> Result<bool, LedgerError> {
        let open = self.0.ledger.open_submissions(session).await?;
        Ok(open
            .iter()
            .map(|open| &open.submission)
            .any(|one| matches!(one.origin, Origin::Heartbeat { .. }) && one.target == *target))
    }

    /// Whether anything there has not ended yet.
    async fn is_busy(&self, session: &SessionId, target: &Target) -> Result<bool, LedgerError> {
        let open = self.0.ledger.open_submissions(session).await?;
        Ok(open.iter().map(|open| &open.submission).any(|one| match target {
            Target::Thread { id } => one.target == *target || one.thread.as_ref() == Some(id),
            Target::Main | Target::Chat { .. } | Target::Named { .. } => one.target == *target,
        }))
    }

    /// When the day of the budget ends.
    fn midnight(&self, now: u64) -> u64 {
        ms(Day::of(at(now), self.0.config.zone).ends)
    }
}
