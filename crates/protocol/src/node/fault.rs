//! Why a command was not done.

use serde::{Deserialize, Serialize};

/// Why a command was not done, in a word for programs and words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct Fault {
    /// One of [`code`].
    pub code: String,
    /// What failed, on which subject, what to do.
    pub message: String,
    /// The job that was begun all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
}

impl Fault {
    /// With this code and these words.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), job_id: None }
    }

    /// The same, naming a job.
    #[must_use]
    pub fn of_job(self, job_id: impl Into<String>) -> Self {
        Self { job_id: Some(job_id.into()), ..self }
    }
}

/// The codes. The first ten are the reference's.
pub mod code {
    /// No such node is known, or not to who asks.
    pub const NODE_NOT_FOUND: &str = "NODE_NOT_FOUND";
    /// The node is not connected now.
    pub const NOT_CONNECTED: &str = "NOT_CONNECTED";
    /// The node does not take that command.
    pub const UNSUPPORTED: &str = "UNSUPPORTED";
    /// The parameters are no JSON.
    pub const BAD_PARAMS: &str = "BAD_PARAMS";
    /// The node could not be told.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// It took too long and was ended.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The node is gone, and did not come back in time.
    pub const NODE_DISCONNECTED: &str = "NODE_DISCONNECTED";
    /// The node's program was started anew, or another one connected in its place.
    pub const NODE_REPLACED: &str = "NODE_REPLACED";
    /// The parameters are not what the command takes.
    pub const BAD_INPUT: &str = "BAD_INPUT";
    /// The program could not be started.
    pub const SPAWN_FAILED: &str = "SPAWN_FAILED";
    /// There is no such job or file.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// The job has ended already.
    pub const NOT_RUNNING: &str = "NOT_RUNNING";
    /// The device's owner does not let it be done.
    pub const DENIED: &str = "DENIED";
    /// Nobody said yes in time.
    pub const NOT_APPROVED: &str = "NOT_APPROVED";
    /// Too much at once.
    pub const BUSY: &str = "BUSY";
    /// Who asked does not want it any more.
    pub const CANCELLED: &str = "CANCELLED";
    /// What came of it is too large to be told.
    pub const TOO_LARGE: &str = "TOO_LARGE";
    /// Something failed on the node.
    pub const FAILED: &str = "FAILED";
    /// Several nodes could be meant.
    pub const AMBIGUOUS: &str = "AMBIGUOUS";
}
