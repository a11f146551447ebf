//! What a node tells beside the calls, brought to who hears of it: one at a time for each connection, beside its stream.

use argus_protocol::SessionId;
use argus_protocol::node::{Ask, Connect, ExitAck, Exited, RUNTIME, ToNode};
use argus_protocol::token::Secret;
use tokio::sync::mpsc;

use super::ports::NotTold;
use super::{Devices, Outgoing};
use crate::clock::unix_ms;
use crate::store::ledger::NodeSaid;

/// What may wait to be told further of one connection.
pub(super) const WAITING: usize = 64;

/// What a node tells.
#[derive(Debug)]
pub(super) enum Fact {
    /// A job ended.
    Exited(Box<Exited>),
    /// Its owner is to be asked.
    Asked(Box<Ask>),
    /// That needs no answer any more.
    AskOver(String),
}

/// Tells further what comes, until the connection is gone and everything is told.
pub(super) async fn tell_further(
    devices: Devices,
    node: String,
    out: Outgoing,
    mut facts: mpsc::Receiver<Fact>,
) {
    devices.note_came(&node).await;
    while let Some(fact) = facts.recv().await {
        match fact {
            Fact::Exited(exit) => devices.exited(&node, &out, &exit).await,
            Fact::Asked(ask) => devices.ask_owner(&node, &out, &ask).await,
            Fact::AskOver(ask) => devices.owner_is_not_needed(&node, &ask).await,
        }
    }
    devices.note_went(&node).await;
}

impl Devices {
    /// Keeps what an enrolled node says of itself.
    async fn note_came(&self, node: &str) {
        let said = {
            let mut registry = self.registry();
            let said = registry.online.get(node).map(|online| online.said.clone());
            let (Some(said), Some(row)) = (said, registry.enrolled.get_mut(node)) else { return };
            row.display_name.clone_from(&said.display_name);
            row.platform.clone_from(&said.platform);
            row.version.clone_from(&said.version);
            row.last_seen_ms = Some(unix_ms());
            let Connect { display_name, platform, version, .. } = said;
            NodeSaid { display_name, platform, version }
        };
        if let Err(error) = self.0.ledger.node_came(node, said).await {
            tracing::warn!(%error, node.id = node, "what a node says of itself could not be stored");
        }
    }

    /// Keeps when an enrolled node was heard last.
    async fn note_went(&self, node: &str) {
        match self.registry().enrolled.get_mut(node) {
            Some(row) => row.last_seen_ms = Some(unix_ms()),
            None => return,
        }
        if let Err(error) = self.0.ledger.node_heard(node).await {
            tracing::warn!(%error, node.id = node, "when a node was heard last could not be stored");
        }
    }

    /// What proves that a session asked that node for something: that session, and none that has its id later.
    pub(super) fn ticket(&self, node: &str, session: &SessionId) -> Secret {
        let life = self.0.access.life_of(session);
        self.0.key.derive("node ticket", &format!("{node}\n{session}\n{life}"))
    }

    /// Tells of an end, and the node that it need not tell it again.
    async fn exited(&self, node: &str, out: &Outgoing, exit: &Exited) {
        let told = match self.who_hears(node, exit).await {
            Some(session) => self.0.facts.exited(&session, node, exit).await,
            None => Err(NotTold::Never("there is no session to be told".to_owned())),
        };
        argus_crash_point::here("node.exit_told").await;
        match told {
            Ok(()) => {}
            Err(NotTold::Never(why)) => {
                tracing::warn!(node.id = node, why, "nobody is told that a job ended");
            }
            Err(NotTold::NotNow(why)) => {
                tracing::warn!(node.id = node, why, "that a job ended is told later");
                return;
            }
        }
        out.say(&ToNode::ExitAck(ExitAck { job_id: exit.job_id.clone() }));
    }

    /// The session that hears of an end: a runtime's own; that of the ticket; else the default one, where there is one. A
    /// device speaks only to those to which it is open by now.
    async fn who_hears(&self, node: &str, exit: &Exited) -> Option<SessionId> {
        let facts = &self.0.facts;
        if let Some(own) = node.strip_prefix(RUNTIME) {
            let own = own.parse().ok()?;
            return facts.knows(&own).await.then_some(own);
        }
        let named = exit.session_id.as_deref().zip(exit.ticket.as_deref());
        if let Some((session, ticket)) = named
            && let Ok(session) = session.parse::<SessionId>()
            && self.ticket(node, &session).matches(ticket)
        {
            let hears = facts.knows(&session).await && self.registry().is_open_to(node, &session);
            return hears.then_some(session);
        }
        let default = facts.stored_default().await?;
        self.registry().is_open_to(node, &default).then_some(default)
    }
}
