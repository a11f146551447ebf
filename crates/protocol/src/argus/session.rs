//! `argus/session`: the first frame of every client connection.

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
}
