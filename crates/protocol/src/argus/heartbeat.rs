//! Heartbeats: a session looks by itself whether there is something to do. Parameters: [`super::SessionParams`].

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// Asks for one now. Its result: `{"ok":true}`, once it is durable.
pub const REQUEST: &str = "argus/heartbeat/request";
/// How they stand.
pub const STATUS: &str = "argus/heartbeat/status";

/// How the heartbeats of a session stand. Times are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The session.
    pub session_id: SessionId,
    /// From one to the next; absent: none come of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// When one is due next, or since when; absent where no time is set yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at_ms: Option<u64>,
    /// When the last one was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at_ms: Option<u64>,
    /// How it ended: `quiet`, `told`, `stopped` or `failed`; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Failures in a row.
    pub failures: u64,
    /// None comes of itself before, after failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at_ms: Option<u64>,
    /// Whether `HEARTBEAT.md` asks for anything.
    pub has_tasks: bool,
    /// Whether one has not ended yet.
    pub open: bool,
    /// Turns begun unasked since midnight, with scheduled jobs.
    pub turns_today: u64,
    /// How many there may be in a day; 0 = no limit.
    pub turns_per_day: u64,
    /// Tokens that they took.
    pub tokens_today: u64,
    /// How many they may take in a day; 0 = no limit.
    pub tokens_per_day: u64,
}
