//! How each upstream was found last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argus_protocol::SessionId;
use tokio::sync::mpsc::WeakSender;

use crate::config::{Upstream, UpstreamProtocol};
use crate::runtime::{LinkCommand, ProvisionError, Reached};

/// The word for an upstream to which there is a connection, or a bridge that is to be looked for.
pub(super) const RUNNING: &str = "running";

/// A failure is told for this long. Who needs the upstream tries again sooner; where nobody does, nothing is known.
const FRESH: Duration = Duration::from_mins(1);

/// How each upstream was found last.
#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<HashMap<SessionId, Found>>);

#[derive(Debug)]
enum Found {
    /// Its link, while that lives.
    Reached(WeakSender<LinkCommand>),
    Failed {
        at: Instant,
        why: String,
    },
}

impl Standing {
    fn found(&self) -> MutexGuard<'_, HashMap<SessionId, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what came of reaching it.
    pub(super) fn note(&self, session: &SessionId, result: &Result<Reached, ProvisionError>) {
        let found = match result {
            Ok(reached) => Found::Reached(reached.link.commands.downgrade()),
            Err(error) => Found::Failed { at: Instant::now(), why: error.reason.clone() },
        };
        self.found().insert(session.clone(), found);
    }

    /// In a word. A plain upstream is not looked for to tell it: that may start an agent.
    pub(super) fn of(&self, upstream: &Upstream) -> &'static str {
        match (self.found().get(&upstream.session), &upstream.protocol) {
            (Some(Found::Reached(link)), _) if link.upgrade().is_some_and(|link| !link.is_closed()) => {
                RUNNING
            }
            (Some(Found::Failed { .. }), _) => "unreachable",
            (None, UpstreamProtocol::Bridge { .. }) => RUNNING,
            (Some(Found::Reached(_)) | None, _) => "idle",
        }
    }

    /// Those that could not be reached a moment ago, in words.
    pub(super) fn trouble(&self) -> Vec<String> {
        let found = self.found();
        let fresh = found.values().filter_map(|found| match found {
            Found::Failed { at, why } if at.elapsed() < FRESH => Some(why.clone()),
            Found::Failed { .. } | Found::Reached(_) => None,
        });
        fresh.collect()
    }
}
