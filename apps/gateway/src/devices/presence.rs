//! What a session is told of nodes that come and go: only what lasts.

use std::collections::{HashMap, HashSet};

use argus_protocol::node::{NodeInfo, RUNTIME};
use tokio::time::{Duration, Instant, interval};
use tokio_util::sync::CancellationToken;

use super::Devices;
use super::ports::{Change, NotTold};
use crate::clock::unix_ms;

/// A node counts as gone after this long.
const GONE: Duration = Duration::from_secs(90);
/// How often somebody looks.
const LOOK: Duration = Duration::from_secs(2);
/// Nodes that are not enrolled of which is known what was told.
const MOST_GUESTS: usize = 256;

/// What was told of nodes, beside what the ledger keeps of those that are enrolled.
#[derive(Debug)]
pub(super) struct Presence {
    began: Instant,
    /// Since when nodes have been away that were here before.
    away: HashMap<String, Instant>,
    /// Nodes that are not enrolled, and were told to be there.
    guests: HashSet<String>,
}

/// A node, as far as it matters here.
struct Standing {
    id: String,
    is_there: bool,
    told: bool,
}

impl Presence {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, away: HashMap::new(), guests: HashSet::new() }
    }

    /// What is to be told of a node now.
    fn due(&mut self, node: &Standing, now: Instant) -> Option<Change> {
        if node.is_there {
            self.away.remove(&node.id);
            return (!node.told).then_some(Change::Came);
        }
        if !node.told {
            self.away.remove(&node.id);
            return None;
        }
        // Whoever has not been seen since the start may still come back.
        let since = *self.away.entry(node.id.clone()).or_insert(now);
        (now >= since + GONE).then_some(Change::Went)
    }
}

impl Devices {
    /// Looks who came and who is gone, until the gateway stops.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {
                    self.look(Instant::now()).await;
                    self.end_overdue_asks().await;
                }
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, now: Instant) {
        for (node, ip, change) in self.news(now) {
            let told = match self.0.facts.stored_default().await {
                Some(session) if self.registry().is_open_to(&node.node_id, &session) => {
                    self.0.facts.changed(&session, &node, ip, change).await
                }
                // It is news again for a session that comes.
                None if change == Change::Came => continue,
                _ => Ok(()),
            };
            match told {
                Ok(()) => {}
                Err(NotTold::Never(why)) => {
                    tracing::warn!(node.id = node.node_id, why, "nobody is told of a node");
                }
                Err(NotTold::NotNow(why)) => {
                    tracing::debug!(node.id = node.node_id, why, "a node is told of later");
                    continue;
                }
            }
            self.note_told(&node.node_id, change).await;
        }
    }

    /// What is to be told now.
    fn news(&self, now: Instant) -> Vec<(NodeInfo, Option<String>, Change)> {
        let (mut presence, registry) = (self.presence(), self.registry());
        let enrolled = registry.enrolled.values().map(|row| Standing {
            id: row.id.clone(),
            is_there: registry.online.contains_key(&row.id),
            told: row.told,
        });
        let early = now < presence.began + GONE;
        let strangers = registry
            .online
            .keys()
            .filter(|id| !id.starts_with(RUNTIME) && !registry.enrolled.contains_key(*id));
        // Of those that are there soon after a start it is not known whether they are new.
        for id in strangers.clone().filter(|_| early).take(MOST_GUESTS) {
            presence.guests.insert(id.clone());
        }
        presence.guests.retain(|id| !registry.enrolled.contains_key(id));
        let room = presence.guests.len() < MOST_GUESTS;
        let new = strangers.filter(|id| room && !presence.guests.contains(*id));
        let new = new.map(|id| Standing { id: id.clone(), is_there: true, told: false });
        let known = presence.guests.iter().map(|id| Standing {
            id: id.clone(),
            is_there: registry.online.contains_key(id),
            told: true,
        });
        let all: Vec<_> = enrolled.chain(new).chain(known).collect();
        presence.away.retain(|id, _| all.iter().any(|node| node.id == *id));
        let mut news = Vec::new();
        for node in all {
            if let Some(change) = presence.due(&node, now) {
                let ip = registry.online.get(&node.id).map(|online| online.from.ip().to_string());
                news.push((registry.info(&node.id, unix_ms()), ip, change));
            }
        }
        news
    }

    async fn note_told(&self, id: &str, change: Change) {
        let is_there = change == Change::Came;
        let enrolled = match self.registry().enrolled.get_mut(id) {
            Some(row) => {
                row.told = is_there;
                true
            }
            None => false,
        };
        if enrolled {
            if let Err(error) = self.0.ledger.node_told(id, is_there).await {
                tracing::warn!(%error, node.id = id, "what was told of a node could not be stored");
            }
        } else if is_there {
            self.presence().guests.insert(id.to_owned());
        } else {
            self.presence().guests.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lasts_is_news() {
        let began = Instant::now();
        let mut presence = Presence::new(began);
        let mut look = |seconds: u64, is_there: bool, told: bool| {
            let node = Standing { id: "n".into(), is_there, told };
            presence.due(&node, began + Duration::from_secs(seconds))
        };
        // It was there before the start, and comes back in time.
        assert_eq!(look(0, false, true), None);
        assert_eq!(look(89, false, true), None);
        assert_eq!(look(89, true, true), None);
        // A short absence is none, however often.
        for minute in 2..9 {
            assert_eq!((look(minute * 60, false, true), look(minute * 60 + 59, true, true)), (None, None));
        }
        assert_eq!(look(1000, false, true), None);
        assert_eq!(look(1089, false, true), None);
        assert_eq!(look(1090, false, true), Some(Change::Went));
        assert_eq!(look(1091, false, false), None);
        // It is back, and that is news, once.
        assert_eq!(look(2000, true, false), Some(Change::Came));
        assert_eq!(look(2001, true, true), None);
        // It has to be away as long again.
        assert_eq!((look(3000, false, true), look(3060, false, true)), (None, None));
    }
}
