//! What sessions need from above, stated here and implemented there.

use argus_protocol::SessionId;
use argus_session::{Origin, Preparation, Settlement};
use async_trait::async_trait;

/// Writes the prompt of a turn.
#[async_trait]
pub trait PrepareTurn: Send + Sync {
    /// The whole text for the agent; an error in words fails the turn.
    async fn prepare(&self, session: &SessionId, preparation: Preparation) -> Result<String, String>;
}

/// Makes deeds of what happened.
#[async_trait]
pub trait React: Send + Sync {
    /// Makes the end of a turn durable, with everything that follows from it. Called again after an error.
    async fn settle(&self, session: &SessionId, settlement: &Settlement) -> Result<(), String>;

    /// A turn that somebody asked for runs.
    fn turn_running(&self, origin: &Origin);

    /// It runs no more.
    fn turn_over(&self, origin: &Origin);
}
