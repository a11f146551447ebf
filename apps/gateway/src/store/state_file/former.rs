//! What the reference kept in the file and the ledger keeps now: events that wait, and who spoke with a thread last.

use argus_protocol::{ChatKey, SessionId, ThreadId};
use serde_json::{Map, Value};

use super::check::whole_number;
use super::check_former::{last_place, text};
use super::{StateError, StateFile, sessions};

/// An event as the reference kept it.
#[derive(Clone, Debug, PartialEq)]
pub struct FormerEvent {
    /// Its id.
    pub id: String,
    /// What kind it is of.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// What else is known of it.
    pub meta: Option<Map<String, Value>>,
    /// When it came, unix milliseconds.
    pub created_ms: u64,
}

impl FormerEvent {
    /// Reads one; what it lacks otherwise.
    pub(super) fn read(event: &Value) -> Result<Self, String> {
        if !event.is_object() {
            return Err("it is not an object".to_owned());
        }
        let created = event.get("createdAtMs").and_then(whole_number);
        Ok(Self {
            id: text(event, "eventId")?.to_owned(),
            kind: text(event, "kind")?.to_owned(),
            text: match event.get("text") {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(_) => return Err("`text` is not text".to_owned()),
            },
            meta: match event.get("meta") {
                None | Some(Value::Null) => None,
                Some(Value::Object(meta)) => Some(meta.clone()),
                Some(_) => return Err("`meta` is not an object".to_owned()),
            },
            created_ms: created.ok_or("`createdAtMs` is not a time in milliseconds")?,
        })
    }
}

/// Events that wait for one thread, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct FormerQueue {
    /// Whose they are.
    pub session: SessionId,
    /// The thread.
    pub thread: ThreadId,
    /// They.
    pub events: Vec<FormerEvent>,
}

impl StateFile {
    /// Every queue that the reference left and that holds something readable.
    pub async fn former_queues(&self) -> Vec<FormerQueue> {
        queues(&self.state.lock().await.value)
    }

    /// Takes out of the file what [`Self::former_queues`] tells, in one write. What cannot be read stays.
    pub async fn empty_former_queues(&self) -> Result<(), StateError> {
        self.change(|state| {
            for queue in queues(state) {
                let session = state.get_mut("sessions").and_then(|all| all.get_mut(queue.session.as_str()));
                let Some(Value::Object(own)) = session.and_then(|own| own.get_mut("systemEventQueues"))
                else {
                    continue;
                };
                let Some(Value::Array(events)) = own.get_mut(queue.thread.as_str()) else { continue };
                events.retain(|event| FormerEvent::read(event).is_err());
                if events.is_empty() {
                    own.remove(queue.thread.as_str());
                }
            }
        })
        .await
    }

    /// Channel and chat in which that thread was spoken to last, as the reference kept it.
    pub async fn last_active(&self, session: &SessionId, thread: &ThreadId) -> Option<(String, ChatKey)> {
        let state = self.state.lock().await;
        let own = state.value.get("sessions")?.get(session.as_str())?;
        let (channel, chat) = last_place(own.get("lastActiveByThread")?.get(thread.as_str())?).ok()?;
        Some((channel.to_owned(), chat))
    }
}

/// The queues in a state.
pub(super) fn queues(state: &Map<String, Value>) -> Vec<FormerQueue> {
    let mut found = Vec::new();
    for (session, own) in sessions(state) {
        let Ok(session) = session.parse::<SessionId>() else { continue };
        for (thread, events) in own.get("systemEventQueues").and_then(Value::as_object).into_iter().flatten()
        {
            let Ok(thread) = thread.parse() else { continue };
            let events = events.as_array().into_iter().flatten();
            let events: Vec<_> = events.filter_map(|event| FormerEvent::read(event).ok()).collect();
            if !events.is_empty() {
                found.push(FormerQueue { session: session.clone(), thread, events });
            }
        }
    }
    found
}
