//! The end of a job that went on in the background.

use serde::{Deserialize, Serialize};

/// `node.process.exited`: a job has ended that nobody was told of yet. A node keeps telling until [`ExitAck`] comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Exited {
    /// Who says so; blank: the one whose connection it is.
    pub node_id: Option<String>,
    /// The session that asked for it.
    pub session_id: Option<String>,
    /// The ticket of the call that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Which job.
    pub job_id: String,
    /// The command.
    pub argv: Vec<String>,
    /// Where it ran.
    pub cwd: Option<String>,
    /// Its exit code, where it ended by itself.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Whether it was ended for taking too long.
    pub timed_out: bool,
    /// Whether it is not known how it ended: whoever looked after it is gone.
    pub orphaned: bool,
    /// Unix milliseconds.
    pub started_at_ms: Option<u64>,
    /// Unix milliseconds.
    pub ended_at_ms: Option<u64>,
    /// The last that it wrote, 4000 characters at most.
    pub stdout_tail: String,
    /// The last of its complaints, 4000 characters at most.
    pub stderr_tail: String,
}

/// `node.process.ack`: the session will hear of that end; the node need not tell it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitAck {
    /// The job.
    pub job_id: String,
}
