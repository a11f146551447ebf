//! What a session is told of between its turns: checked, stored, and somebody looks soon.

mod line;
#[cfg(test)]
mod tests;

use argus_protocol::{RpcError, SessionId};
use serde_json::{Map, Value};

pub use self::line::line;
use super::Automation;
use crate::clock::new_event_id;
pub use crate::store::ledger::{Event, Listed, Queue, Source, Standing};
use crate::store::ledger::{LedgerError, NewEvent, Queued};

/// The kind of what names none.
pub const KIND: &str = "system";
/// Longest text of an event, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// Longest kind, in characters.
const LONGEST_KIND: usize = 64;
/// Longest `meta`, in bytes of its JSON.
const LONGEST_META: usize = 16 * 1024;
/// Longest key, in bytes.
const LONGEST_KEY: usize = 256;

/// What happened, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happening {
    /// Which kind; blank: [`KIND`].
    pub kind: String,
    /// In words.
    pub text: String,
    /// More of it, for who evaluates it.
    pub meta: Option<Map<String, Value>>,
    /// Names this very event within its session: the same key again changes nothing.
    pub key: Option<String>,
    /// What it is about: while an event of that subject waits, this one takes its place.
    pub subject: Option<String>,
}

/// Why an event was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EventError {
    /// It is not one; the words say why.
    #[error("{0}")]
    Invalid(String),
    /// There is no such session.
    #[error("Unknown session `{0}`")]
    Unknown(SessionId),
    /// Too much waits.
    #[error(
        "too many system events wait in this session already, 2000 for one thread or 256 threads: see `argus events`, \
         let a turn take some (a message will do, or `argus heartbeat now`), then send it again"
    )]
    Full,
    /// Which session is meant cannot be told now.
    #[error("{0}")]
    Sessions(String),
    /// It cannot be stored now.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<EventError> for RpcError {
    fn from(error: EventError) -> Self {
        let words = error.to_string();
        match error {
            EventError::Invalid(_) => Self::invalid_params(words),
            EventError::Full => Self::overloaded(words),
            EventError::Unknown(_) | EventError::Sessions(_) => Self::failed(words),
            EventError::Ledger(error) => {
                tracing::error!(%error, "an event cannot be stored");
                Self::failed(words)
            }
        }
    }
}

impl Automation {
    /// Tells a session of an event; durable when it answers. A key that is known already answers its first event.
    #[expect(clippy::too_many_arguments, reason = "they are what an event is")]
    pub async fn enqueue_event(
        &self,
        session: &SessionId,
        queue: Queue,
        kind: &str,
        text: &str,
        meta: Option<Map<String, Value>>,
        dedupe_key: Option<String>,
        source: Source,
    ) -> Result<Event, EventError> {
        let (kind, text) = (kind.to_owned(), text.to_owned());
        let happening = Happening { kind, text, meta, key: dedupe_key, subject: None };
        self.happened(session, queue, happening, source).await
    }

    /// The same, for what may have a subject too.
    pub(super) async fn happened(
        &self,
        session: &SessionId,
        queue: Queue,
        happening: Happening,
        source: Source,
    ) -> Result<Event, EventError> {
        let parts = &self.0;
        let Happening { kind, text, meta, key, subject } = checked(happening)?;
        self.must_exist(session).await?;
        let queue = self.queue_of(session, queue).await;
        let id = new_event_id();
        let new = NewEvent {
            id,
            session: session.clone(),
            queue,
            kind,
            text,
            meta,
            dedupe_key: key,
            subject,
            source,
        };
        let queued = parts.ledger.enqueue_event(new).await?;
        argus_crash_point::here("event.stored").await;
        if let Err(gone) = self.must_exist(session).await {
            // Only this one: where the session is not deleted after all, what it was told before still waits for it.
            if let Queued::New(event) | Queued::Collapsed(event) = &queued {
                parts.ledger.forget_event(&event.id).await?;
            }
            return Err(gone);
        }
        match queued {
            Queued::Repeated(event) => Ok(event),
            Queued::New(event) | Queued::Collapsed(event) => {
                parts.pulse.wake();
                Ok(event)
            }
            Queued::Full => Err(EventError::Full),
        }
    }

    /// What waits for a session, oldest first, then what its turns took, newest first.
    pub async fn recent_events(&self, session: &SessionId, limit: u32) -> Result<Vec<Listed>, EventError> {
        Ok(self.0.ledger.recent_events(session, limit).await?)
    }

    /// The thread of a queue, where it has one yet.
    pub async fn thread_of(&self, session: &SessionId, queue: &Queue) -> Option<argus_protocol::ThreadId> {
        match queue {
            Queue::Main => self.0.state.main_thread(session).await,
            Queue::Thread(thread) => Some(thread.clone()),
        }
    }

    async fn must_exist(&self, session: &SessionId) -> Result<(), EventError> {
        if self.0.workers.knows(session).await { Ok(()) } else { Err(EventError::Unknown(session.clone())) }
    }

    /// The main thread has one queue, however it is named.
    async fn queue_of(&self, session: &SessionId, queue: Queue) -> Queue {
        match queue {
            Queue::Thread(thread) if self.0.state.main_thread(session).await.as_ref() == Some(&thread) => {
                Queue::Main
            }
            queue => queue,
        }
    }
}

/// As it is stored.
pub(super) fn checked(happening: Happening) -> Result<Happening, EventError> {
    let invalid = |words: String| Err(EventError::Invalid(words));
    let Happening { kind, text, meta, key, subject } = happening;
    let (kind, text) = (kind.trim(), text.trim());
    let kind = if kind.is_empty() { KIND } else { kind };
    if text.is_empty() {
        return invalid("Missing 'text'".to_owned());
    }
    if text.len() > LONGEST_TEXT {
        return invalid(format!("'text' has {} bytes, more than {LONGEST_TEXT}", text.len()));
    }
    if kind.chars().count() > LONGEST_KIND
        || kind.chars().any(|c| c.is_control() || "[]\u{2028}\u{2029}".contains(c))
    {
        return invalid(format!(
            "'kind' must have at most {LONGEST_KIND} printable characters without brackets"
        ));
    }
    let meta = meta.filter(|meta| !meta.is_empty());
    let bytes = meta.as_ref().map_or(0, |meta| Value::Object(meta.clone()).to_string().len());
    if bytes > LONGEST_META {
        return invalid(format!("'meta' has {bytes} bytes of JSON, more than {LONGEST_META}"));
    }
    // A blank one names nothing.
    let key = key.filter(|key| !key.trim().is_empty());
    if let Some(key) = &key
        && key.len() > LONGEST_KEY
    {
        return invalid(format!("'idempotencyKey' has {} bytes, more than {LONGEST_KEY}", key.len()));
    }
    Ok(Happening { kind: kind.to_owned(), text: text.to_owned(), meta, key, subject })
}
