//! What chats need from the sessions, stated here and implemented above.

use argus_protocol::SessionId;
use argus_session::{LaneStatus, Submission, Target};
use async_trait::async_trait;

/// Where turns come from. Errors are words for a person.
#[async_trait]
pub trait Turns: Send + Sync {
    /// A submission is durable: bring it to its session. Should that fail, the session's next start finds it.
    async fn submitted(&self, submission: Submission);

    /// Ends the turn that runs for the target. What waits behind it stays and goes on.
    async fn stop(&self, session: &SessionId, target: &Target) -> Result<Stopped, String>;

    /// How the target stands.
    async fn status(&self, session: &SessionId, target: &Target) -> Result<LaneStatus, String>;

    /// The session that people share, chosen when there is none.
    async fn default_session(&self) -> Result<SessionId, String>;

    /// The session of this owner alone, the same for the same words; made known when it is not yet.
    async fn session_of(&self, owner: &str) -> Result<SessionId, String>;
}

/// What a stop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whether a turn ran, or was about to.
    pub running: bool,
    /// How many submissions wait behind it.
    pub waiting: usize,
}
