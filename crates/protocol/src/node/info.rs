//! What is told of a node.

use serde::{Deserialize, Serialize};

/// A node, as `GET /nodes` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInfo {
    /// Its id.
    pub node_id: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// Its operating system.
    pub platform: Option<String>,
    /// The version of its program.
    pub version: Option<String>,
    /// What it can do, in groups.
    pub caps: Vec<String>,
    /// The commands that it takes.
    pub commands: Vec<String>,
    /// Unix milliseconds; `null` while it is away.
    pub connected_at_ms: Option<u64>,
    /// Unix milliseconds at which it last said something.
    pub last_seen_ms: Option<u64>,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether it has said nothing for three heartbeats, connected or not.
    pub stale: bool,
    /// How its owner lets it be used, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The sessions that may use it; absent: every one. Told to operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<String>>,
}
