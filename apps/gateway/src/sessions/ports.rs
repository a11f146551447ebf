//! What sessions need from above, stated here and implemented there.

use argus_protocol::{SessionId, SubmissionId, ThreadId};
use argus_session::{ChatQuestion, Origin, Preparation, Progress, Prompt, QuestionEnd, Settlement};
use async_trait::async_trait;

/// Writes the prompt of a turn.
#[async_trait]
pub trait PrepareTurn: Send + Sync {
    /// What the agent is told; an error in words fails the turn.
    async fn prepare(&self, session: &SessionId, preparation: Preparation) -> Result<Prompt, String>;
}

/// Makes deeds of what happened.
#[async_trait]
pub trait React: Send + Sync {
    /// Makes the end of a turn durable, with everything that follows from it. Called again after an error.
    async fn settle(&self, session: &SessionId, settlement: &Settlement) -> Result<(), String>;

    /// Puts a question of the agent to the chat that asked for the turn; it is durable when this returns. The same key again
    /// asks nobody again: where the chat has answered already, its answer (JSON text, for the agent) is returned. Called
    /// again after an error.
    async fn ask_chat(&self, session: &SessionId, question: &ChatQuestion) -> Result<Option<String>, String>;

    /// Such a question needs no answer any more; its chat is told. Called again after an error, and by each owner of the
    /// session that did not see it recorded.
    async fn question_over(&self, session: &SessionId, key: &str, end: QuestionEnd) -> Result<(), String>;

    /// The agent works on a turn that a chat asked for; `submission` is the turn's first. Must not wait.
    fn progress(&self, origin: &Origin, submission: &SubmissionId, progress: Progress);

    /// A turn that somebody asked for runs, in this thread where it is known.
    fn turn_running(&self, origin: &Origin, thread: Option<&ThreadId>);

    /// It runs no more.
    fn turn_over(&self, origin: &Origin);
}
