//! Who is connected and who is enrolled, in memory; one lock, held for moments.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argus_protocol::SessionId;
use argus_protocol::node::{Connect, NodeInfo, RUNTIME};
use tokio::time::Instant;

use super::calls::Calls;
use super::resolve::Seen;
use super::{Leave, Outgoing, Sight};
use crate::store::ledger::NodeRow;

/// A node counts as stale after this long without a word, in milliseconds: three heartbeats.
const STALE_MS: u64 = 45_000;

/// A connection of a node.
#[derive(Debug)]
pub(super) struct Online {
    /// Tells it from an earlier one of the same node.
    pub(super) number: u64,
    pub(super) out: Outgoing,
    pub(super) said: Connect,
    pub(super) from: SocketAddr,
    /// Sessions that may use it while it is not enrolled; none: all.
    pub(super) usually: Option<Vec<SessionId>>,
    pub(super) connected_ms: u64,
    /// When it last said something, unix milliseconds.
    pub(super) heard_ms: Arc<AtomicU64>,
}

/// Everything that is known now.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) online: HashMap<String, Online>,
    pub(super) enrolled: BTreeMap<String, NodeRow>,
    pub(super) calls: Calls,
    next: u64,
}

impl Registry {
    /// With the nodes that are enrolled.
    pub(super) fn of(rows: Vec<NodeRow>) -> Self {
        let enrolled = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        Self { enrolled, ..Self::default() }
    }

    /// A node is there; an older connection of the same id is let go, and not waited for. Its number.
    pub(super) fn arrive(&mut self, mut online: Online) -> u64 {
        self.next += 1;
        online.number = self.next;
        let (id, boot, out) = (online.said.node_id.clone(), online.said.boot.clone(), online.out.clone());
        if let Some(old) = self.online.insert(id.clone(), online) {
            old.out.close(Leave::Replaced);
        }
        self.calls.node_came(&id, boot.as_deref(), &out);
        self.next
    }

    /// A connection has ended; whether the node is away now.
    pub(super) fn leave(&mut self, id: &str, number: u64) -> bool {
        if self.online.get(id).is_none_or(|online| online.number != number) {
            return false;
        }
        self.online.remove(id);
        self.calls.node_left(id, Instant::now());
        true
    }

    /// Whether those eyes see that node: a session its own runtime, and machines that are open to it.
    fn is_seen(&self, id: &str, sight: &Sight) -> bool {
        let Sight::Of(session) = sight else { return true };
        if let Some(of) = id.strip_prefix(RUNTIME) {
            return of == session.as_str();
        }
        let open_to = match (self.enrolled.get(id), self.online.get(id)) {
            (Some(row), _) => &row.sessions,
            (None, Some(online)) => &online.usually,
            (None, None) => return false,
        };
        open_to.as_ref().is_none_or(|open| open.contains(session))
    }

    /// Whether a node that is no runtime may speak to that session.
    pub(super) fn is_open_to(&self, id: &str, session: &SessionId) -> bool {
        self.is_seen(id, &Sight::Of(session.clone()))
    }

    pub(super) fn name(&self, id: &str) -> Option<String> {
        let (row, online) = (self.enrolled.get(id), self.online.get(id));
        let given = row.and_then(|row| row.given_name.clone());
        let said = || online.and_then(|online| online.said.display_name.clone());
        given.or_else(said).or_else(|| row.and_then(|row| row.display_name.clone()))
    }

    /// Ids that are known to those eyes.
    fn ids(&self, sight: &Sight) -> impl Iterator<Item = &String> {
        let away = self.enrolled.keys().filter(|id| !self.online.contains_key(*id));
        self.online.keys().chain(away).filter(move |id| self.is_seen(id, sight))
    }

    /// Those among which a name is looked for.
    pub(super) fn seen(&self, sight: &Sight) -> Vec<Seen> {
        let mut seen: Vec<_> =
            self.ids(sight).map(|id| Seen { id: id.clone(), name: self.name(id) }).collect();
        seen.sort_by(|a, b| a.id.cmp(&b.id));
        seen
    }

    /// What is told of each node that those eyes see, by name, then by id.
    pub(super) fn told(&self, sight: &Sight, now_ms: u64) -> Vec<NodeInfo> {
        let mut told: Vec<_> = self.ids(sight).map(|id| self.info(id, now_ms)).collect();
        if *sight == Sight::Everything {
            for node in &mut told {
                node.sessions = self.sessions(&node.node_id);
            }
        }
        let key = |node: &NodeInfo| node.display_name.as_ref().unwrap_or(&node.node_id).to_lowercase();
        told.sort_by_cached_key(|node| (key(node), node.node_id.clone()));
        told
    }

    /// Ids of the sessions that may use it; none: every one.
    fn sessions(&self, id: &str) -> Option<Vec<String>> {
        if let Some(own) = id.strip_prefix(RUNTIME) {
            return Some(vec![own.to_owned()]);
        }
        let usually = || self.online.get(id)?.usually.as_ref();
        let named = self.enrolled.get(id).map_or_else(usually, |row| row.sessions.as_ref())?;
        Some(named.iter().map(ToString::to_string).collect())
    }

    pub(super) fn info(&self, id: &str, now_ms: u64) -> NodeInfo {
        let (online, row) = (self.online.get(id), self.enrolled.get(id));
        let said = online.map(|online| &online.said);
        let heard = online.map(|online| online.heard_ms.load(Ordering::Relaxed));
        let last_seen_ms = heard.or_else(|| row.and_then(|row| row.last_seen_ms));
        let or_row =
            |said: Option<&Option<String>>, row: Option<&Option<String>>| said.or(row).cloned().flatten();
        NodeInfo {
            node_id: id.to_owned(),
            display_name: self.name(id),
            platform: or_row(said.map(|said| &said.platform), row.map(|row| &row.platform)),
            version: or_row(said.map(|said| &said.version), row.map(|row| &row.version)),
            caps: said.map(|said| said.caps.clone()).unwrap_or_default(),
            commands: said.map(|said| said.commands.clone()).unwrap_or_default(),
            connected_at_ms: online.map(|online| online.connected_ms),
            last_seen_ms,
            connected: online.is_some(),
            stale: last_seen_ms.is_none_or(|seen| now_ms.saturating_sub(seen) >= STALE_MS),
            policy: said.and_then(|said| said.policy.clone()),
            sessions: None,
        }
    }
}
