//! What the gateway's side does at the desk.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use argus_protocol::bridge::{FromBridge, VERSION};
use bytes::Bytes;

use super::{Desk, Fault, State};
use crate::inbox::{Inbox, Taken};
use crate::kept::Piece;
use crate::link::Gateway;

impl Desk {
    /// Makes `gateway` the one this bridge serves, and tells what it must be welcomed with.
    pub(crate) fn attach(&self, gateway: &Arc<Gateway>) -> FromBridge {
        let state = &mut *self.state();
        if let Some(displaced) = state.gateway.replace(Arc::clone(gateway)) {
            displaced.displace();
        }
        if !std::mem::replace(&mut state.met, true) {
            self.orders.notify_one();
        }
        self.look_whether_idle(state);
        let standing = state.kept.before_first();
        FromBridge::Welcome {
            v: VERSION,
            boot: self.boot.clone(),
            agent_epoch: standing.epoch,
            agent_state: standing.state,
            first_seq: state.kept.first(),
            last_seq: state.kept.last(),
            last_down_seq: state.inbox.taken(),
            free: state.is_free(),
        }
    }

    /// The gateway's connection is gone.
    pub(crate) fn detach(&self, gateway: &Arc<Gateway>) {
        let state = &mut *self.state();
        if state.gateway.as_ref().is_some_and(|current| Arc::ptr_eq(current, gateway)) {
            state.gateway = None;
        }
        self.look_whether_idle(state);
    }

    /// The state, if `gateway` is still the one this bridge serves.
    fn served(&self, gateway: &Arc<Gateway>) -> Option<MutexGuard<'_, State>> {
        let state = self.state();
        state.gateway.as_ref().is_some_and(|current| Arc::ptr_eq(current, gateway)).then_some(state)
    }

    /// Forgets the lines a gateway acknowledged.
    pub(crate) fn acknowledge(&self, gateway: &Arc<Gateway>, number: u64) -> Result<(), Fault> {
        let Some(mut state) = self.served(gateway) else { return Ok(()) };
        if number > state.kept.last() {
            return Err(Fault::Unsaid(number));
        }
        state.kept.forget(gateway.acknowledged(number));
        self.room.notify_one();
        Ok(())
    }

    /// Takes a frame for the agent, as soon as there is space for it.
    pub(crate) async fn take(&self, gateway: &Arc<Gateway>, number: u64, frame: Bytes) -> Result<(), Fault> {
        loop {
            let taken = self.served(gateway).map(|mut state| state.inbox.take(number, &frame));
            match taken.unwrap_or(Taken::Repeated) {
                Taken::Queued => self.input.notify_one(),
                Taken::Dropped => gateway.wake(),
                Taken::Repeated => {}
                Taken::Hole => return Err(Fault::Hole(number)),
                Taken::Full => {
                    gateway.space().await;
                    continue;
                }
            }
            return Ok(());
        }
    }

    /// Passes an order of the gateway on.
    pub(crate) fn order_by(&self, gateway: &Arc<Gateway>, order: impl FnOnce(&mut Inbox)) {
        let Some(mut state) = self.served(gateway) else { return };
        order(&mut state.inbox);
        drop(state);
        self.ordered();
    }

    /// Stops the agent and then the bridge.
    pub(crate) fn order_stop(&self, grace: Duration) {
        self.state().inbox.order_stop(grace);
        self.ordered();
    }

    fn ordered(&self) {
        self.orders.notify_one();
        self.input.notify_one();
        if let Some(gateway) = &self.state().gateway {
            gateway.wake();
            gateway.has_space();
        }
    }

    /// A part of line `number`, if it is kept.
    pub(crate) fn piece(&self, number: u64, offset: u64) -> Option<Piece> {
        self.state().kept.piece(number, offset)
    }

    /// The line to write after `number` to `gateway`, if there is one and it is still the one served.
    pub(crate) fn line_after(&self, gateway: &Arc<Gateway>, number: u64) -> Option<u64> {
        let state = self.served(gateway)?;
        let next = (number + 1).max(state.kept.first());
        (next <= state.kept.last()).then_some(next)
    }

    /// The newest frame that was handed to the agent or dropped.
    pub(crate) fn handed(&self) -> u64 {
        self.state().inbox.handed()
    }

    /// Waits until the gateway that is served now was told everything there is, and left.
    pub(crate) async fn dismiss(&self) {
        let gateway = self.state().gateway.clone();
        if let Some(gateway) = gateway {
            gateway.dismiss().await;
        }
    }
}
