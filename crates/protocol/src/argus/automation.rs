//! What a session does unasked: how it stands, and its pause.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{SessionId, ThreadId};

/// A session does nothing unasked from now on. Parameters: [`SessionParams`](super::SessionParams); result: [`Pause`].
pub const PAUSE: &str = "argus/automation/pause";
/// It does again. Parameters and result are those of [`PAUSE`].
pub const RESUME: &str = "argus/automation/resume";
/// How it stands. Parameters: [`SessionParams`](super::SessionParams); result: [`Status`].
pub const STATUS: &str = "argus/automation/status";

/// Whether a session does nothing unasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// Whether.
    pub paused: bool,
}

/// How what a session does unasked stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The session.
    pub session_id: SessionId,
    /// Whether it does nothing unasked.
    pub paused: bool,
    /// Events that wait for a turn.
    pub waiting_events: u64,
    /// When the next job or heartbeat is due, unix milliseconds; in a pause nothing of it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at_ms: Option<u64>,
}

/// How everything stands, at `GET /automation/state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Always true.
    pub ok: bool,
    /// What `state.json` holds.
    pub persisted: Value,
    /// What goes on.
    pub runtime: Runtime,
    /// Each session about which there is something to tell.
    pub sessions: Vec<Status>,
}

/// What goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// Threads with a turn or messages that wait, by session and thread.
    pub lanes: Vec<Lane>,
}

/// A thread with a turn or messages that wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// The session.
    pub session_id: SessionId,
    /// The thread; null where it has none yet.
    pub thread_id: Option<ThreadId>,
    /// Whether a turn starts or runs.
    pub busy: bool,
    /// Messages that wait.
    pub followup_depth: u64,
}
