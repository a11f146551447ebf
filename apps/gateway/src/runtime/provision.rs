//! What every kind of runtime can do for the sessions.

use argus_protocol::SessionId;
use argus_session::AfterLoss;
use async_trait::async_trait;
use tokio::sync::watch;

use super::fixed::FixedSessions;
use super::link::Link;

/// Makes, finds and removes runtimes. One implementation for each [`crate::config::ProvisionMode`].
#[async_trait]
pub trait Provisioner: Send + Sync {
    /// The only sessions there are, where none is ever made or ended.
    fn fixed(&self) -> Option<&FixedSessions> {
        None
    }

    /// Makes the session known, so that it outlives the gateway, without starting anything.
    async fn reserve(&self, session: &SessionId) -> Result<(), ProvisionError>;

    /// Whether the session is known.
    async fn knows(&self, session: &SessionId) -> bool;

    /// Reaches the session's runtime: the one that lives, else a new one. Not called twice at once for one session.
    async fn reach(&self, session: &SessionId) -> Result<Reached, ProvisionError>;

    /// Every known session.
    async fn list(&self) -> Result<Vec<KnownRuntime>, ProvisionError>;

    /// Runtimes that somebody else made and that are left alone.
    async fn others(&self) -> Vec<KnownRuntime> {
        Vec::new()
    }

    /// Ends the runtime and forgets the session. Files that the agent made stay.
    async fn remove(&self, session: &SessionId) -> Result<(), ProvisionError>;

    /// Counts how often runtimes could be had again after they could not; who waits for one need not wait longer then.
    fn revivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// What keeps runtimes from being made or reached now, in words for the operator.
    fn trouble(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A runtime at the other end of a link.
#[derive(Debug)]
pub struct Reached {
    /// What its bridge said.
    pub welcome: Welcome,
    /// The link; kept lines come first.
    pub link: Link,
}

/// The bridge's greeting (protocol: `argus_protocol::bridge::FromBridge::Welcome`).
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The bridge process.
    pub boot: String,
    /// What becomes of it when the connection is lost.
    pub after_loss: AfterLoss,
    /// The agent just before `first_seq`.
    pub agent_epoch: u64,
    /// Its state there.
    pub agent_state: argus_protocol::bridge::AgentState,
    /// The first kept line.
    pub first_seq: u64,
    /// The newest line.
    pub last_seq: u64,
    /// The newest frame it took.
    pub last_down_seq: u64,
    /// Nothing is lost when it is ended.
    pub free: bool,
}

/// A session that a provisioner knows, as `GET /sessions` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownRuntime {
    /// The session.
    pub session_id: SessionId,
    /// The container, where there is one.
    pub container_id: Option<String>,
    /// A name for people.
    pub name: String,
    /// `running` or `stopped`, or a word for something rarer.
    pub status: String,
    /// Which layout its files follow.
    pub runtime_layout: String,
}

/// No runtime to be had.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProvisionError {
    /// What failed, on which subject, what to do.
    pub reason: String,
    /// Whether it may work later without anybody's doing.
    pub passing: bool,
}

impl ProvisionError {
    /// Somebody must mend something.
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), passing: false }
    }

    /// The same call may work in a moment.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), passing: true }
    }
}
