//! What was asked to be made durable, and what follows when it is; what the bridge must not forget until then.

use crate::effect::{Effect, StoreOp};
use crate::input::StoreTicket;
use crate::lane::LaneId;
use crate::link::HoldId;
use crate::session::Session;

/// What an answer of the store means.
#[derive(Debug)]
pub(crate) enum Storing {
    Bind(LaneId),
    Starting {
        lane: LaneId,
        request_id: u64,
    },
    /// The end of a record of a `turn/start` or `turn/steer` that was never sent.
    Unsent(HoldId),
    Settlement(HoldId),
    Handshake {
        epoch: u64,
        hold: HoldId,
    },
    Checkpoint {
        boot: String,
        seq: u64,
    },
    Note,
}

impl Session {
    pub(crate) fn store(&mut self, op: StoreOp, meaning: Storing) {
        self.next_store += 1;
        let ticket = StoreTicket(self.next_store);
        self.stores.insert(ticket, meaning);
        self.effects.push_back(Effect::Store { ticket, op });
    }

    pub(crate) fn stored(&mut self, ticket: StoreTicket, result: Result<(), String>) {
        match self.stores.remove(&ticket) {
            Some(Storing::Bind(lane)) => self.bound(lane, result),
            Some(Storing::Starting { lane, request_id }) => self.start_recorded(lane, request_id, result),
            Some(Storing::Unsent(hold) | Storing::Settlement(hold)) => self.release(hold),
            Some(Storing::Handshake { epoch, hold }) => self.handshake_stored(epoch, hold, result),
            Some(Storing::Checkpoint { boot, seq }) => self.checkpoint_stored(&boot, seq, &result),
            Some(Storing::Note) | None => {}
        }
    }

    /// Whether a `turn/start` that was recorded but never sent is still recorded as sent. Until it is not, its number
    /// must not go to another frame: an owner after us would take that one for it.
    pub(crate) fn a_number_is_taken(&self) -> bool {
        self.stores.values().any(|meaning| matches!(meaning, Storing::Unsent(_)))
    }

    /// Keeps the bridge from forgetting line `seq` and what follows.
    pub(crate) fn hold(&mut self, seq: u64) -> HoldId {
        self.link.as_mut().map(|link| link.hold(seq)).unwrap_or_default()
    }

    pub(crate) fn release(&mut self, hold: HoldId) {
        if let Some(link) = &mut self.link {
            link.release(hold);
            link.ack_soon(self.now.mono);
        }
    }
}
