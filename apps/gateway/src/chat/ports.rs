//! What chats need from the sessions, stated here and implemented above.

use argus_protocol::{SessionId, SubmissionId};
use argus_session::{Haste, Hastened, LaneStatus, Submission, Target};
use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::Value;

/// Where turns come from. Errors are words for a person.
#[async_trait]
pub trait Turns: Send + Sync {
    /// A submission is durable: bring it to its session. Should that fail, the session's next start finds it. What is
    /// answered tells, perhaps much later, how it came to stand there.
    async fn submitted(&self, submission: Submission) -> BoxFuture<'static, Standing>;

    /// Ends the turn that runs for the target. What waits behind it stays and goes on.
    async fn stop(&self, session: &SessionId, target: &Target) -> Result<Stopped, String>;

    /// How the target stands.
    async fn status(&self, session: &SessionId, target: &Target) -> Result<LaneStatus, String>;

    /// Brings a submission that waits to the agent now.
    async fn hasten(
        &self,
        session: &SessionId,
        submission: &SubmissionId,
        how: Haste,
    ) -> Result<Hastened, String>;

    /// Changes the text of a submission, which is durable already; whether it still waited.
    async fn amend(
        &self,
        session: &SessionId,
        submission: &SubmissionId,
        text: String,
    ) -> Result<bool, String>;

    /// A chat's answer to a question of the agent, which is durable already. Should it not arrive, the session asks again.
    async fn answer(&self, session: &SessionId, key: &str, result: &str);

    /// Asks the session's agent, which is started where it does not run: its result.
    async fn ask_agent(&self, session: &SessionId, method: &str, params: Value) -> Result<Value, String>;

    /// Every session that exists.
    async fn sessions(&self) -> Result<Vec<SessionLine>, String>;

    /// The session that people share, chosen when there is none.
    async fn default_session(&self) -> Result<SessionId, String>;

    /// The session of this owner alone, the same for the same words; made known when it is not yet.
    async fn session_of(&self, owner: &str) -> Result<SessionId, String>;
}

/// The machines on which commands run.
#[async_trait]
pub trait Machines: Send + Sync {
    /// An operator answered a node's question, which is durable already. Should it not arrive, the node asks again.
    async fn answered(&self, node: &str, ask: &str, allow: bool, by: &str);
}

/// How a submission came to stand in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its turn runs.
    Runs,
    /// It waits behind a turn that runs.
    Waits,
    /// It is not known, or it ended already.
    Unknown,
}

/// What a stop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whether a turn ran, or was about to.
    pub running: bool,
    /// How many submissions wait behind it.
    pub waiting: usize,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// Which.
    pub session: SessionId,
    /// How its runtime stands, in a word.
    pub status: String,
}
