//! Heartbeats on request, and how a session's stand.

use argus_protocol::SessionId;
use argus_protocol::argus::heartbeat::Status;
use argus_session::Beat;

use super::Wanted;
use crate::automation::Automation;
use crate::store::ledger::{BeatOutcome, LedgerError};

impl Automation {
    /// Begins a heartbeat as soon as its thread is free, whatever the time and the tasks. Where one has not ended yet, that
    /// one will do.
    pub async fn request_heartbeat(&self, session: &SessionId) -> Result<(), LedgerError> {
        let target = self.own_target();
        if self.is_beating(session, &target).await? {
            return Ok(());
        }
        let chat = self.place(session, &self.0.config.heartbeat.target).await?;
        self.begin(Wanted { session, why: Beat::Asked, target, chat, key: None, next: None, sees: None })
            .await
    }

    /// How a session's heartbeats stand.
    pub async fn heartbeat_status(&self, session: &SessionId) -> Result<Status, LedgerError> {
        let (parts, now) = (&self.0, (self.0.clock)());
        let known = parts.ledger.heartbeat(session).await?.unwrap_or_default();
        let tasks = self.seen().tasks(Some(session), parts.workspaces.of(session), now).await;
        let used = self.used_today(session, now).await?;
        Ok(Status {
            session_id: session.clone(),
            every_ms: parts.config.heartbeat.every.and_then(|every| u64::try_from(every.as_millis()).ok()),
            next_due_at_ms: known.due_ms.filter(|_| parts.config.heartbeat.every.is_some()),
            last_at_ms: known.last_ms,
            outcome: known.outcome.map(BeatOutcome::as_str).map(str::to_owned),
            failures: known.failures,
            retry_at_ms: Some(known.retry_ms).filter(|retry| *retry > now),
            has_tasks: tasks.any,
            open: self.is_beating(session, &self.own_target()).await?,
            turns_today: used.turns,
            turns_per_day: parts.config.budget.turns,
            tokens_today: used.tokens,
            tokens_per_day: parts.config.budget.tokens,
        })
    }
}
