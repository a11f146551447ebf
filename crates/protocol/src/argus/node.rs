//! `argus/node/*`: the machines on which commands run.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::node::{Fault, NodeInfo};

/// Tells which there are.
pub const LIST: &str = "argus/node/list";
/// Has a command done on one.
pub const INVOKE: &str = "argus/node/invoke";
/// Makes a one-time code with which a machine becomes one.
pub const ENROL: &str = "argus/node/enrol";
/// Takes its credential from one, and ends its connection.
pub const REVOKE: &str = "argus/node/revoke";
/// Gives one another name for people.
pub const RENAME: &str = "argus/node/rename";

/// How long the gateway waits for a command unless the caller says otherwise, in milliseconds.
pub const USUAL_TIMEOUT_MS: u64 = 30_000;
/// How long it waits at most, in milliseconds.
pub const LONGEST_TIMEOUT_MS: u64 = 3_600_000;

/// Parameters of [`LIST`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct List {
    /// Those that are away too, as far as they are enrolled.
    pub all: bool,
    /// Whose; as everywhere.
    pub session_id: Option<String>,
}

/// Result of [`LIST`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Nodes {
    /// By name, then by id.
    pub nodes: Vec<NodeInfo>,
}

/// Parameters of [`INVOKE`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoke {
    /// `self` (the session's own runtime), an id, or a name that only one has; absent: `self`.
    #[serde(default, alias = "nodeId")]
    pub node: Option<String>,
    /// What to do.
    pub command: String,
    /// With what; any JSON.
    #[serde(default)]
    pub params: Option<Box<RawValue>>,
    /// How long to wait in milliseconds, [`LONGEST_TIMEOUT_MS`] at most; then it is ended.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Calls with the same key are one deed, 128 bytes at most.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// Which session asks; as everywhere.
    #[serde(default)]
    pub session_id: Option<String>,
}

/// Result of [`INVOKE`], and of `POST /nodes/invoke`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoked {
    /// Whether the command was done.
    pub ok: bool,
    /// Where.
    pub node_id: String,
    /// What.
    pub command: String,
    /// What came of it.
    pub payload: Option<Box<RawValue>>,
    /// Why it was not done.
    pub error: Option<Fault>,
}

/// Parameters of [`ENROL`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Enrol {
    /// The id that the machine gets; absent: the one that it asks for, as far as that is free.
    pub node_id: Option<String>,
    /// What people call it; absent: what it calls itself.
    pub display_name: Option<String>,
    /// The sessions that may use it; `*` is all of them. Absent: where sessions are shared all, else the default one.
    pub sessions: Option<Vec<String>>,
}

/// Result of [`ENROL`]. `Debug` would show the code, so there is none.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// The code. It works once.
    pub code: String,
    /// Unix milliseconds from which it does not.
    pub expires_at_ms: u64,
}

/// Parameters of [`REVOKE`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revoke {
    /// Which.
    pub node_id: String,
}

/// Parameters of [`RENAME`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rename {
    /// Which.
    pub node_id: String,
    /// The new name.
    pub display_name: String,
}
