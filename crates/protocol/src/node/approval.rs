//! A call that waits for its device's owner to say yes, asked through the gateway.

use serde::{Deserialize, Serialize};

/// `node.approval.request`: put this to the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The question. The same id again is the same question.
    pub id: String,
    /// The command, such as `system.run`.
    pub command: String,
    /// What is to be done, for a person to read: a command line, a path. 2000 characters at most.
    pub what: String,
    /// The folder in which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The session that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Milliseconds after which the node takes no answer for a no.
    pub expires_in_ms: u64,
}

/// `node.approval.over`: the question needs no answer any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskOver {
    /// The question.
    pub id: String,
}

/// `node.approval.answer`: what the owner says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question.
    pub id: String,
    /// Yes or no.
    pub allow: bool,
    /// Who said so, or why nobody can be asked, for the node's audit.
    pub by: String,
}
