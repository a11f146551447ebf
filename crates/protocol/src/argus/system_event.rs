//! `argus/systemEvent/*`: what a session is to hear of with its next turn.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{SessionId, SubmissionId, ThreadId};

/// Tells a session of an event; durable when it is answered. Parameters: [`Enqueue`], result: [`Enqueued`].
pub const ENQUEUE: &str = "argus/systemEvent/enqueue";
/// What waits, oldest first, then what turns took, newest first. Parameters: [`List`], result: [`Listed`].
pub const LIST: &str = "argus/systemEvent/list";

/// Events that [`LIST`] answers where no limit is named.
pub const LISTED: u32 = 50;
/// Events that it answers at most.
pub const MOST_LISTED: u32 = 500;

/// Parameters of [`ENQUEUE`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enqueue {
    /// What happened; not blank.
    pub text: String,
    /// Which kind; absent or blank: `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// More of it, for who evaluates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
    /// Which thread; absent or blank means the session's main thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// `"main"`: the session's main thread, whatever `threadId` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The same key again makes no second event; it is answered with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// On `POST /rpc`: which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// An event. Times are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id: 32 hex digits.
    pub event_id: String,
    /// Which kind.
    pub kind: String,
    /// What happened.
    pub text: String,
    /// When it was told.
    pub created_at_ms: u64,
    /// More of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

/// Result of [`ENQUEUE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enqueued {
    /// Always true.
    pub ok: bool,
    /// The event.
    pub event: Event,
    /// The thread that is to hear of it; null where the main thread is meant and there is none yet.
    pub thread_id: Option<ThreadId>,
}

/// Parameters of [`LIST`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct List {
    /// How many at most; absent: [`LISTED`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// On `POST /rpc`: which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Result of [`LIST`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The session.
    pub session_id: SessionId,
    /// Its events.
    pub events: Vec<Standing>,
}

/// An event and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Where it waits, or waited.
    pub queue: QueueKind,
    /// The thread of that queue, where it has one.
    pub thread_id: Option<ThreadId>,
    /// How far it is.
    pub state: State,
    /// Whose turn carries it, or took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission_id: Option<SubmissionId>,
    /// When a turn took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at_ms: Option<u64>,
}

/// Where an event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueueKind {
    /// For the main thread, whichever that is.
    Main,
    /// For one of the others.
    Thread,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It waits for a turn.
    Waiting,
    /// A turn that was asked for carries it; it waits again if that turn does not begin.
    Carried,
    /// A turn took it.
    Taken,
}
