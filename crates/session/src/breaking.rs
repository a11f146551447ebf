//! The agent is gone: whatever it owed is owed no more, and every lane goes on from where it stood.

use argus_protocol::agent::method;
use argus_protocol::frame;
use serde_json::json;

use crate::agent::{Agent, pause};
use crate::config::SessionConfig;
use crate::lane::{LaneId, Leg, Running, Sent, Starting, State, Why};
use crate::link::Link;
use crate::session::Session;
use crate::turn::{Outcome, Submission};

impl Session {
    /// Whatever the agent owed is owed no more: requests fail, open turns end, what was not begun waits again.
    pub(crate) fn agent_lost(&mut self, reason: &str) {
        self.agent = Agent::Down;
        self.trouble.condemned_for = None;
        self.threads.agent_gone();
        self.drop_requests();
        self.link.iter_mut().for_each(Link::drop_queue);
        self.fail_pending(reason);
        for id in self.lanes.ids() {
            self.break_lane(id, reason);
        }
    }

    fn break_lane(&mut self, id: LaneId, reason: &str) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.foreign_asked = 0;
        match std::mem::replace(&mut lane.state, State::Idle) {
            State::Idle | State::Binding { .. } => {}
            State::Opening => self.lost_before_it_began(id, reason),
            State::Starting(Starting { batch, leg: Leg::Sent(sent), .. }) => {
                self.lost_on_the_way(id, &batch, &sent, reason);
            }
            state @ (State::Preparing { .. } | State::Starting(_)) => {
                lane.state = state;
                self.step_aside(id);
                self.lost_before_it_began(id, reason);
            }
            State::Running(running) => self.lost_while_it_ran(id, running, reason),
            State::Recovering(recovering) => lane.state = State::Recovering(recovering),
        }
    }

    /// Nothing is lost, but an agent that dies again and again before a turn begins is not tried for ever.
    fn lost_before_it_began(&mut self, id: LaneId, reason: &str) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.losses += 1;
        lane.retry_at = self.now.mono + pause(lane.losses);
        if lane.losses >= SessionConfig::START_ATTEMPTS {
            lane.losses = 0;
            self.fail_lane(id, &format!("the turn could not be begun: {reason}"));
        }
    }

    /// The agent may have begun the turn: it is not run again. What was heard may be of another turn.
    fn lost_on_the_way(&mut self, id: LaneId, batch: &[Submission], sent: &Sent, reason: &str) {
        let outcome =
            if sent.stopped { Outcome::Interrupted { text: String::new() } } else { Outcome::failed(reason) };
        self.settle(id, batch, outcome, Some(sent.mark.hold));
    }

    fn lost_while_it_ran(&mut self, id: LaneId, mut running: Running, reason: &str) {
        let text = std::mem::take(&mut running.text).partial();
        let outcome = match running.ending.as_ref().map(|ending| ending.why.clone()) {
            Some(Why::Asked) => Outcome::Interrupted { text },
            Some(Why::Limit(words)) => Outcome::Failed { reason: words, text },
            None => Outcome::Failed { reason: reason.to_owned(), text },
        };
        // Clients wait for the end of the turn too, and the agent will never say it.
        let turn =
            json!({ "id": running.turn, "status": "failed", "error": { "message": reason }, "items": [] });
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let params = json!({ "threadId": lane.thread, "turn": turn });
        let over = running.over.is_some();
        lane.state = State::Running(running);
        self.end_turn(id, outcome);
        if over {
            return;
        }
        self.broadcast(method::TURN_COMPLETED, frame::notification(method::TURN_COMPLETED, &params));
    }
}
