//! What nodes need of sessions and of those who look after their facts, stated here and implemented above.

use argus_protocol::SessionId;
use argus_protocol::node::{Ask, Exited, NodeInfo};
use async_trait::async_trait;

/// Why somebody was not told of something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// It can never be told.
    #[error("{0}")]
    Never(String),
    /// It can be told later.
    #[error("{0}")]
    NotNow(String),
}

/// What became of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there.
    Came,
    /// It is gone.
    Went,
}

/// Who is told what nodes tell. Durable when it answers.
#[async_trait]
pub trait Facts: Send + Sync {
    /// Whether that session exists.
    async fn knows(&self, session: &SessionId) -> bool;

    /// The session of those who name none, where one was chosen already.
    async fn stored_default(&self) -> Option<SessionId>;

    /// Something goes on in the runtime of a session, which a turn left there. Waits for nothing.
    fn at_work(&self, session: &SessionId);

    /// Tells a session that a job on that node ended.
    async fn exited(&self, session: &SessionId, node: &str, exit: &Exited) -> Result<(), NotTold>;

    /// Tells a session of a node; `ip` is where it connected from.
    async fn changed(
        &self,
        session: &SessionId,
        node: &NodeInfo,
        ip: Option<String>,
        change: Change,
    ) -> Result<(), NotTold>;
}

/// What came of a question that was put to a node's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The owner reads it.
    Waits,
    /// The owner has answered it: yes or no, and who that was.
    Answered(bool, String),
    /// There is nobody to be asked.
    Nobody,
}

/// Those who own nodes. Errors are in words.
#[async_trait]
pub trait Owners: Send + Sync {
    /// Puts a node's question to its owner, once. `name` is what people call the node.
    async fn ask(&self, node: &str, name: &str, ask: &Ask) -> Result<Owner, String>;

    /// A question needs no answer any more.
    async fn not_needed(&self, node: &str, ask: &str) -> Result<(), String>;

    /// Takes back the questions whose time is over.
    async fn end_overdue(&self) -> Result<(), String>;
}
