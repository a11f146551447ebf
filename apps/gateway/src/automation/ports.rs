//! What automation needs of sessions, stated here and implemented above.

use argus_protocol::SessionId;
use argus_session::Submission;
use async_trait::async_trait;
use serde_json::Value;

/// Sessions, as automation sees them. Errors are in words.
#[async_trait]
pub trait Workers: Send + Sync {
    /// Brings a submission that is durable already to its session. What does not get there is found at its next start.
    async fn begin(&self, submission: Submission);

    /// Whether that session exists.
    async fn knows(&self, session: &SessionId) -> bool;

    /// Every session that exists.
    async fn list(&self) -> Result<Vec<SessionId>, String>;

    /// The session of those who name none, where one was chosen already.
    async fn stored_default(&self) -> Option<SessionId>;

    /// The session of those who name none, chosen now where there was none.
    async fn default_session(&self) -> Result<SessionId, String>;

    /// Asks a session's agent something, as a client would; starts its runtime where there is none.
    async fn ask_agent(&self, session: &SessionId, method: &str, params: Value) -> Result<Value, String>;
}
