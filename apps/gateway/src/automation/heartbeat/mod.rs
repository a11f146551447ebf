//! Heartbeats: a session looks by itself whether there is something to do.

mod tasks;

use super::Automation;

impl Automation {
    /// Begins the heartbeats that are due at this time; answers when one is due next.
    #[expect(clippy::unused_async, reason = "no session has a heartbeat yet")]
    pub(super) async fn beat(&self, _now: u64) -> Option<u64> {
        None
    }
}
