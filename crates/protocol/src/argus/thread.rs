//! `argus/thread/main/ensure`: the session's main thread, made when there is none. Parameters: [`super::SessionParams`].

use serde::{Deserialize, Serialize};

use crate::ids::ThreadId;

/// The method's name.
pub const MAIN_ENSURE: &str = "argus/thread/main/ensure";

/// Its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MainThread {
    /// The thread.
    pub thread_id: ThreadId,
}
