//! The machines on which commands run: who is connected, and one call of a command.

use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::node::{Fault, NodeInfo, RUNTIME, code};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

/// All nodes. Clones are handles to the same ones.
#[derive(Clone, Debug, Default)]
pub struct Devices(());

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
    /// The nodes that are connected, by name, then by id.
    pub fn list(&self, _sight: &Sight) -> Vec<NodeInfo> {
        Vec::new()
    }

    /// Has a command done. Where `cancel` comes first, it is ended on the node.
    pub async fn invoke(&self, wish: Wish, _cancel: CancellationToken) -> Done {
        let own = || wish.session.as_ref().map_or_else(|| "self".to_owned(), |own| format!("{RUNTIME}{own}"));
        let node_id = wish.node.filter(|node| !node.eq_ignore_ascii_case("self")).unwrap_or_else(own);
        let fault = Fault::new(code::NOT_CONNECTED, format!("the node `{node_id}` is not connected"));
        Done { node_id, outcome: Err(fault) }
    }
}
