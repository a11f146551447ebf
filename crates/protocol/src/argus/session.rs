//! `argus/session`, the first frame of every client connection, and `argus/gap`, what a client missed for good.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

/// The notification's name.
pub const ATTACHED: &str = "argus/session";

/// Its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The session this connection belongs to.
    pub id: SessionId,
    /// How runtimes are made: `docker`, `process` or `static`.
    pub mode: String,
    /// Whether the client asked for this session.
    pub attached: bool,
    /// Whether the session is new.
    pub created: bool,
    /// Names the numbering, for clients that asked for numbers: those of another epoch mean nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The newest number, 0 before the first; for clients that asked for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// For clients that named themselves: whether this one is known from before, so that replies it is owed follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<bool>,
}

impl Attached {
    /// The first frame of a client that asked for nothing more.
    pub fn new(id: SessionId, mode: &str) -> Self {
        let mode = mode.to_owned();
        Self { id, mode, attached: true, created: false, epoch: None, seq: None, returned: None }
    }
}

/// The notification of numbers that a client missed and that are not kept any more.
pub const GAP: &str = "argus/gap";

/// Its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first number that is gone.
    pub from: u64,
    /// The last one.
    pub to: u64,
}
