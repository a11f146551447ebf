//! Questions of nodes to their owner: brought to whoever asks, and the answers back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argus_protocol::node::{Answer, Ask, ToNode};

use super::ports::{Owner, Owners};
use super::{Devices, Outgoing};

/// Longest name of a question, in bytes.
const LONGEST_ID: usize = 128;

impl Devices {
    /// Who asks owners from now on.
    pub fn ask_through(&self, owners: Arc<dyn Owners>) {
        if self.0.owners.set(owners).is_err() {
            tracing::error!("nodes' owners are asked by somebody already");
        }
    }

    /// An owner has answered. Should the node be away, it asks again and is told then.
    pub fn answer(&self, node: &str, ask: &str, allow: bool, by: &str) {
        let registry = self.registry();
        if let Some(online) = registry.online.get(node) {
            online.out.say(&answer(ask, allow, by));
        }
    }

    /// Puts a node's question to its owner.
    pub(super) async fn ask_owner(&self, node: &str, out: &Outgoing, ask: &Ask) {
        static NOBODY_WAS_TOLD: AtomicBool = AtomicBool::new(false);
        if ask.id.is_empty() || ask.id.len() > LONGEST_ID {
            return;
        }
        let Some(owners) = self.0.owners.get() else { return };
        let name = self.registry().name(node).unwrap_or_else(|| node.to_owned());
        match owners.ask(node, &name, ask).await {
            Ok(Owner::Waits) => {}
            Ok(Owner::Answered(allow, by)) => {
                out.say(&answer(&ask.id, allow, &by));
            }
            // Somebody at the machine itself may still answer.
            Ok(Owner::Nobody) => {
                if !NOBODY_WAS_TOLD.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        node.id = node,
                        "a node asks for a yes, and there is no operator with a chat to be asked; `argus pair` lets one in"
                    );
                }
            }
            Err(why) => tracing::warn!(node.id = node, why, "the owner of a node cannot be asked"),
        }
    }

    /// A node's question needs no answer any more.
    pub(super) async fn owner_is_not_needed(&self, node: &str, ask: &str) {
        let Some(owners) = self.0.owners.get() else { return };
        if let Err(why) = owners.not_needed(node, ask).await {
            tracing::warn!(node.id = node, why, "the question of a node cannot be taken back");
        }
    }

    /// Takes back the questions whose time is over.
    pub(super) async fn end_overdue_asks(&self) {
        let Some(owners) = self.0.owners.get() else { return };
        if let Err(why) = owners.end_overdue().await {
            tracing::warn!(why, "questions of nodes cannot be taken back");
        }
    }
}

fn answer(ask: &str, allow: bool, by: &str) -> ToNode {
    ToNode::Answer(Answer { id: ask.to_owned(), allow, by: by.to_owned() })
}
