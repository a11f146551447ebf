//! Events that others kept before: they keep their id and their time, and are taken once.

use argus_protocol::SessionId;

use super::codec::to_sql;
use super::{Ledger, LedgerError, NewEvent, Queued, Tx};

/// An event that somebody else kept before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerEvent {
    /// It, under its own id, with a key that names it.
    pub event: NewEvent,
    /// The id it gets where an event of another session has its own.
    pub other_id: String,
    /// When it came, unix milliseconds.
    pub created_ms: u64,
}

impl Ledger {
    /// Stores events in their order, all or none; what became of each. Those that were taken before are not taken again.
    pub async fn take_over_events(&self, events: Vec<FormerEvent>) -> Result<Vec<Queued>, LedgerError> {
        self.write(|tx| {
            Box::pin(async move {
                let mut became = Vec::with_capacity(events.len());
                for event in events {
                    became.push(tx.take_over_event(event).await?);
                }
                Ok(became)
            })
        })
        .await
    }
}

impl Tx {
    async fn take_over_event(&mut self, former: FormerEvent) -> Result<Queued, LedgerError> {
        let FormerEvent { event, other_id, created_ms } = former;
        let id = if self.has_other(&event.session, &event.id).await? { other_id } else { event.id };
        let queued = self.enqueue_event(NewEvent { id, ..event }).await?;
        let Queued::New(mut event) = queued else { return Ok(queued) };
        sqlx::query("UPDATE events SET created_ms = $2 WHERE id = $1")
            .bind(&event.id)
            .bind(to_sql(created_ms))
            .execute(&mut self.connection)
            .await?;
        event.created_ms = created_ms;
        Ok(Queued::New(event))
    }

    /// Whether another event has that id; the same one of that session under its key is no other.
    async fn has_other(&mut self, session: &SessionId, id: &str) -> Result<bool, LedgerError> {
        let of: Option<String> = sqlx::query_scalar("SELECT session FROM events WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(of.is_some_and(|of| of != session.as_str()))
    }
}
