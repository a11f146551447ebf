//! Lines of the agent that were too long to arrive: nobody waits for them in vain.

use argus_protocol::agent::method::TURN_COMPLETED;
use argus_protocol::{Frame, RpcError, frame};
use serde_json::json;

use crate::lane::{LaneId, State};
use crate::session::Session;
use crate::turn::{Outcome, Target};

impl Session {
    /// A line that never arrived: its request is answered, its turn ends, and the session is told.
    pub(crate) fn line_dropped(
        &mut self,
        method: Option<&str>,
        id: Option<&str>,
        thread: Option<&str>,
        what: &str,
    ) {
        // The id is what the bridge says, and may be anything.
        let reply = id.and_then(|id| Frame::parse(frame::reply_error(id, &RpcError::failed(what))).ok());
        match (method, reply) {
            (None, Some(reply)) => self.response(&reply),
            (Some(_), Some(reply)) => {
                self.send_down(reply.text().clone());
            }
            (Some(TURN_COMPLETED), None) => self.completion_dropped(thread, what),
            (Some(_) | None, None) => {}
        }
        let params = json!({ "method": method, "id": id, "threadId": thread, "message": what });
        self.broadcast("argus/dropped", frame::notification("argus/dropped", &params));
    }

    /// The line that ended a turn was lost: its text is, too, but not what was said before.
    fn completion_dropped(&mut self, thread: Option<&str>, what: &str) {
        let Some(id) = self.lane_that_ended(thread) else { return };
        let Some(State::Running(running)) = self.lanes.all.get_mut(&id).map(|lane| &mut lane.state) else {
            return;
        };
        if running.over.is_some() {
            return;
        }
        let text = std::mem::take(&mut running.text).finish(Vec::new());
        let outcome = if text.is_empty() { Outcome::failed(what) } else { Outcome::Completed { text } };
        self.turn_over(id, outcome);
    }

    /// Which lane's turn ended in a line of which perhaps not even the thread is known: then it must be the only one.
    fn lane_that_ended(&self, thread: Option<&str>) -> Option<LaneId> {
        if let Some(id) = thread.and_then(|id| id.parse().ok()) {
            return self.lanes.find(&Target::Thread { id });
        }
        let mut running = self.lanes.all.iter().filter(|(_, lane)| matches!(lane.state, State::Running(_)));
        let only = running.next().map(|(id, _)| *id);
        only.filter(|_| running.next().is_none())
    }
}
