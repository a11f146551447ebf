//! The end of a session for good.

use crate::lane::State;
use crate::session::Session;
use crate::turn::Outcome;

impl Session {
    /// The session ends for good: whatever waits gets its outcome, the runtime is stopped.
    pub(crate) fn close(&mut self, reason: &str) {
        self.agent_lost(reason);
        self.fail_recovering(reason);
        self.closed = Some(reason.to_owned());
    }

    /// In a closed session nothing waits.
    pub(crate) fn turn_away(&mut self) {
        if let Some(reason) = self.closed.clone() {
            self.refuse_waiting(&reason);
            self.fail_waiting(&reason);
        }
    }

    /// What became of the turns that the last owner left open will not be known.
    pub(crate) fn fail_recovering(&mut self, reason: &str) {
        for id in self.lanes.ids() {
            let Some(lane) = self.lanes.all.get_mut(&id) else { continue };
            match std::mem::replace(&mut lane.state, State::Idle) {
                State::Recovering(left) => self.settle(id, &left.everything(), Outcome::failed(reason), None),
                other => lane.state = other,
            }
        }
    }
}
