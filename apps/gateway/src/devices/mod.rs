//! The machines on which commands run: who is connected, and one call of a command.

mod admission;
mod asks;
mod calls;
mod connection;
mod enrolment;
mod facts;
mod invoking;
mod outgoing;
pub mod ports;
mod presence;
mod registry;
mod resolve;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::node::{Fault, NodeInfo};
use argus_protocol::token::SigningKey;
use serde_json::value::RawValue;
use tokio_util::task::TaskTracker;

pub use self::connection::Connection;
pub use self::enrolment::{NewCode, OpenTo};
pub use self::outgoing::{Leave, Outgoing};
use self::ports::{Facts, Owners};
use self::presence::Presence;
use self::registry::Registry;
use crate::access::{Access, Rate};
use crate::clock::unix_ms;
use crate::store::LedgerError;
use crate::store::ledger::Ledger;

/// All nodes. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Devices(Arc<Inner>);

/// What they are made with.
pub struct DevicesParts {
    /// Where enrolled nodes are noted.
    pub ledger: Ledger,
    /// Signs tickets.
    pub key: SigningKey,
    /// Makes and ends credentials, and notes what is done.
    pub access: Access,
    /// Hears what nodes tell.
    pub facts: Arc<dyn Facts>,
    /// Who may use a node for which nothing was said.
    pub usually: Usually,
}

/// Which sessions may use a node for which nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usually {
    /// Every one: people share them.
    All,
    /// The default one only: sessions belong to people or chats.
    Default,
}

struct Inner {
    /// Names this process of the gateway among all that nodes ever meet.
    process: String,
    ledger: Ledger,
    key: SigningKey,
    access: Access,
    facts: Arc<dyn Facts>,
    usually: Usually,
    /// Who asks owners; there once chats are.
    owners: OnceLock<Arc<dyn Owners>>,
    /// Locked before the registry, where both are.
    presence: Mutex<Presence>,
    registry: Mutex<Registry>,
    /// How fast codes can be tried.
    tries: Rate,
    /// Everything that goes on beside connections.
    tasks: TaskTracker,
}

/// Whose eyes look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The operator's: every node.
    Everything,
    /// A session's: its own runtime, and the machines that are open to it.
    Of(SessionId),
}

/// A command to be done.
#[derive(Clone, Debug)]
pub struct Wish {
    /// `self`, an id, or a name that only one has; none: `self`.
    pub node: Option<String>,
    /// What to do.
    pub command: String,
    /// With what.
    pub params: Option<Box<RawValue>>,
    /// How long to wait; then it is ended.
    pub timeout: Duration,
    /// Calls with the same key are one deed.
    pub idempotency_key: Option<String>,
    /// The session that asks, whose runtime is `self` and which hears of a job's end; none: the operator, whose `self`
    /// is the default session's.
    pub session: Option<SessionId>,
    /// Which nodes may be meant.
    pub sight: Sight,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Done {
    /// Which node was meant.
    pub node_id: String,
    /// What it told, or why nothing was done.
    pub outcome: Result<Box<RawValue>, Fault>,
}

impl Devices {
    /// Reads which nodes are enrolled; none is connected yet.
    pub async fn open(parts: DevicesParts) -> Result<Self, LedgerError> {
        let DevicesParts { ledger, key, access, facts, usually } = parts;
        let registry = Mutex::new(Registry::of(ledger.nodes().await?));
        let presence = Mutex::new(Presence::new(tokio::time::Instant::now()));
        let tries = Rate::new(enrolment::TRY_EVERY, enrolment::TRIES_AT_ONCE);
        let tasks = TaskTracker::new();
        let owners = OnceLock::new();
        let process = crate::clock::new_token_id().to_string();
        let inner =
            Inner { process, ledger, key, access, facts, usually, owners, presence, registry, tries, tasks };
        Ok(Self(Arc::new(inner)))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.0.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything is told that nodes told; nobody may be connected any more.
    pub async fn settle(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The nodes that are connected, by name, then by id.
    pub fn list(&self, sight: &Sight) -> Vec<NodeInfo> {
        let mut all = self.list_all(sight);
        all.retain(|node| node.connected);
        all
    }

    /// The same, and those that are enrolled and away.
    pub fn list_all(&self, sight: &Sight) -> Vec<NodeInfo> {
        self.registry().told(sight, unix_ms())
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Devices")
    }
}
