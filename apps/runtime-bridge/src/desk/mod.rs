//! Everything the agent's side and the gateway's side share, behind one lock that is never held across a wait.

mod agent_side;
mod gateway_side;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::bridge::Given;
use tokio::sync::{Notify, watch};

use crate::Settings;
use crate::inbox::Inbox;
use crate::kept::Kept;
use crate::link::Gateway;
use crate::turns::Turns;

/// The meeting place of agent, gateway and supervisor.
#[derive(Debug)]
pub(crate) struct Desk {
    boot: String,
    state: Mutex<State>,
    /// Kept lines were forgotten: the agent's output may be read on.
    room: Notify,
    /// The agent's input has something new to look at.
    input: Notify,
    /// The supervisor has something new to look at.
    orders: Notify,
    idle: watch::Sender<bool>,
    given: watch::Sender<Option<Given>>,
}

#[derive(Debug)]
struct State {
    kept: Kept,
    inbox: Inbox,
    turns: Turns,
    /// A frame was handed to the agent, and it has not said anything since: what it was asked may be a turn.
    unheard: bool,
    /// A gateway has come, perhaps gone again.
    met: bool,
    gateway: Option<Arc<Gateway>>,
}

impl State {
    /// Whether nothing would be lost with this bridge: no work, no line or frame on its way.
    fn is_free(&self) -> bool {
        !self.unheard && !self.turns.running() && self.kept.is_empty() && self.inbox.is_empty()
    }
}

/// A gateway broke the numbering; its connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A frame is missing.
    #[error("frame {0} came before the ones it follows")]
    Hole(u64),
    /// An ack of a line that was never said.
    #[error("line {0} was acknowledged but never sent")]
    Unsaid(u64),
}

impl Desk {
    /// An empty desk of a new bridge process.
    pub(crate) fn new(boot: String, settings: &Settings) -> Self {
        Self {
            boot,
            state: Mutex::new(State {
                kept: Kept::new(settings.limits, settings.spill_dir.clone()),
                inbox: Inbox::new(),
                turns: Turns::default(),
                unheard: false,
                met: false,
                gateway: None,
            }),
            room: Notify::new(),
            input: Notify::new(),
            orders: Notify::new(),
            idle: watch::Sender::new(true),
            given: watch::Sender::new(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_whether_idle(&self, state: &State) {
        let idle = state.gateway.is_none() && !state.turns.running();
        self.idle.send_if_modified(|known| std::mem::replace(known, idle) != idle);
    }

    /// The newest gateway says with what it is reached. One that does not say leaves what an earlier one said.
    pub(crate) fn give(&self, given: Option<Given>) {
        let Some(given) = given else { return };
        self.given.send_if_modified(|known| {
            let news = known.as_ref() != Some(&given);
            *known = Some(given);
            news
        });
    }

    /// With what the gateway is reached, now and whenever that changes.
    pub(crate) fn given(&self) -> watch::Receiver<Option<Given>> {
        self.given.subscribe()
    }

    /// Whether there is neither a gateway nor a turn, now and whenever that changes.
    pub(crate) fn idle(&self) -> watch::Receiver<bool> {
        self.idle.subscribe()
    }
}
