//! What people ask of a lane: stop, status.

use argus_protocol::agent::method;
use serde_json::json;

use crate::agent::Agent;
use crate::config::SessionConfig;
use crate::effect::{Answer, LaneStatus};
use crate::followups::take_batch;
use crate::input::Ticket;
use crate::lane::{Ending, LaneId, Leg, Starting, State, Why};
use crate::records::Storing;
use crate::relay::Pending;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::settling::Taken;
use crate::turn::{Outcome, Submission, Target};

impl Session {
    /// Ends what runs in a lane, or else what is next there; what waits behind it stays.
    pub(crate) fn stop(&mut self, target: &Target, ticket: Ticket) {
        let running = self.lanes.find(target).is_some_and(|id| self.stop_lane(id));
        let lane = self.lanes.find(target).and_then(|id| self.lanes.all.get(&id));
        let waiting = lane.map_or(0, |lane| lane.waiting.len());
        self.answer(ticket, Answer::Stopped { running, waiting });
    }

    /// Whether there was anything to stop.
    pub(crate) fn stop_lane(&mut self, id: LaneId) -> bool {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return false };
        match &mut lane.state {
            State::Running(_) => self.interrupt(id, Why::Asked),
            State::Recovering(recovering) => recovering.stopped = true,
            State::Starting(Starting { leg: Leg::Sent(sent), request_id, .. }) => {
                sent.stopped = true;
                self.relay.hurry(*request_id, self.now.mono + SessionConfig::INTERRUPT_GRACE_MS);
            }
            State::Starting(_) | State::Preparing { .. } => {
                match std::mem::replace(&mut lane.state, State::Idle) {
                    State::Starting(Starting {
                        batch,
                        leg: Leg::Recording(mark) | Leg::Recorded(mark),
                        ..
                    }) => {
                        self.interrupted(id, &batch, Storing::Unsent(mark.hold));
                    }
                    State::Starting(Starting { batch, .. }) | State::Preparing { batch, .. } => {
                        self.interrupted(id, &batch, Storing::Note);
                    }
                    other => lane.state = other,
                }
            }
            State::Idle | State::Opening | State::Binding { .. } => {
                let batch = take_batch(&mut lane.waiting);
                self.interrupted(id, &batch, Storing::Note);
                return !batch.is_empty();
            }
        }
        true
    }

    fn interrupted(&mut self, id: LaneId, batch: &[Submission], meaning: Storing) {
        self.settle_turn(id, batch, Taken::default(), Outcome::Interrupted { text: String::new() }, meaning);
    }

    /// Asks the agent to end a turn, with a limit.
    pub(crate) fn interrupt(&mut self, id: LaneId, why: Why) {
        let until = Some(self.now.mono + SessionConfig::INTERRUPT_GRACE_MS);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let (State::Running(running), Some(thread)) = (&mut lane.state, lane.thread.clone()) else { return };
        if running.ending.is_some() || running.over.is_some() {
            return;
        }
        running.ending = Some(Ending { why, until });
        let params = json!({ "threadId": thread, "turnId": running.turn });
        self.call_back_steers(id);
        self.request(method::TURN_INTERRUPT, &params, Pending::Interrupt, SessionConfig::INTERRUPT_GRACE_MS);
    }

    /// How a lane stands.
    pub(crate) fn status(&mut self, target: &Target, ticket: Ticket) {
        let lane = self.lanes.find(target).and_then(|id| self.lanes.all.get(&id));
        let status = LaneStatus {
            thread: lane.and_then(|lane| lane.thread.clone()),
            running_since: lane.and_then(|lane| match &lane.state {
                State::Running(running) => Some(running.since.unix),
                State::Preparing { .. } | State::Starting(_) | State::Recovering(_) => Some(self.now.unix),
                State::Idle | State::Opening | State::Binding { .. } => None,
            }),
            waiting: lane.map_or(0, |lane| lane.waiting.len()),
            runtime: self.runtime_in_a_word(),
            trouble: lane.and_then(|lane| lane.trouble.clone()).or_else(|| self.trouble.reason.clone()),
        };
        self.answer(ticket, Answer::Status(status));
    }

    fn runtime_in_a_word(&self) -> &'static str {
        let at_rest = matches!(
            (&self.runtime, &self.agent),
            (Runtime::Absent { .. } | Runtime::Stopping, _) | (Runtime::Linked { .. }, Agent::Down)
        );
        if self.runtime.is_linked() && self.is_ready() {
            "ready"
        } else if self.trouble.agents + self.trouble.links + self.trouble.waits > 0 {
            "failing"
        } else if at_rest && !self.has_work() {
            "absent"
        } else {
            "starting"
        }
    }
}
