//! What the last owner left open: put back in its place, and resolved when the runtime is reached.

use crate::answer::AnswerText;
use crate::config::SessionConfig;
use crate::effect::{Effect, StoreOp};
use crate::input::{LinkUp, OpenState, OpenSubmission, Restored};
use crate::lane::{LaneId, Leg, Mark, Recovering, Running, Sent, Starting, State, Why, ids, origin};
use crate::link::HoldId;
use crate::records::Storing;
use crate::relay::Pending;
use crate::session::Session;
use crate::settling::Taken;
use crate::turn::{Outcome, Submission};

/// What is said of a turn of which nobody will ever know more.
const LOST: &str = "the runtime ended while it worked on this; nothing was run twice, so send it again if it is still \
    wanted";

impl Session {
    pub(crate) fn restore_lanes(&mut self, restored: Restored) {
        self.threads.before.extend(restored.main_thread.clone());
        self.lanes.main_thread = restored.main_thread;
        for OpenSubmission { submission, state } in restored.open {
            self.threads.before.extend(submission.thread.clone());
            let id = self.lanes.of(&submission.target, submission.thread.clone());
            match state {
                OpenState::Queued => {
                    self.lanes.all.entry(id).and_modify(|lane| lane.waiting.push_back(submission));
                }
                OpenState::Starting { boot, down_seq, request_id, after_seq, turn } => {
                    let batch = vec![submission];
                    let left =
                        Recovering { batch, boot, down_seq, request_id, after_seq, turn, stopped: false };
                    self.restore_turn(id, left);
                }
            }
        }
    }

    fn restore_turn(&mut self, id: LaneId, left: Recovering) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        match &mut lane.state {
            State::Recovering(one) if one.request_id == left.request_id => one.batch.extend(left.batch),
            // Two turns cannot have been open in one lane. Should they, the second is not run again.
            State::Recovering(_) => self.settle(id, &left.batch, Outcome::failed(LOST), None),
            _ => lane.state = State::Recovering(left),
        }
    }

    /// Resolves what the last owner left open, now that the bridge says how far it came.
    pub(crate) fn recover_lanes(&mut self, up: &LinkUp) {
        for id in self.lanes.ids() {
            let Some(lane) = self.lanes.all.get_mut(&id) else { continue };
            match std::mem::replace(&mut lane.state, State::Idle) {
                State::Recovering(left) => self.recover_lane(id, left, up),
                other => lane.state = other,
            }
        }
    }

    fn recover_lane(&mut self, id: LaneId, left: Recovering, up: &LinkUp) {
        let same_bridge = left.boot == up.boot;
        if same_bridge && left.down_seq <= up.last_down_seq {
            return self.expect_turn(id, left);
        }
        if left.stopped {
            let outcome = Outcome::Interrupted { text: String::new() };
            return self.settle_turn(
                id,
                &left.batch,
                Taken::default(),
                outcome,
                Storing::Unsent(HoldId::default()),
            );
        }
        if !same_bridge {
            return self.settle(id, &left.batch, Outcome::failed(LOST), None);
        }
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let submissions = ids(&left.batch);
        lane.requeue(left.batch);
        self.store(StoreOp::Queued { submissions }, Storing::Unsent(HoldId::default()));
    }

    /// The agent has the `turn/start`: its reply and its turn are among the kept lines, or are still to come.
    fn expect_turn(&mut self, id: LaneId, left: Recovering) {
        let Recovering { batch, request_id, after_seq, turn, stopped, .. } = left;
        let mark = Mark { after: after_seq, hold: self.hold(after_seq + 1) };
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let Some(turn) = turn else {
            let leg = Leg::Sent(Sent { mark, stopped, heard: None });
            lane.state = State::Starting(Starting { batch, request_id, leg });
            let limit = Some(self.now.mono + SessionConfig::REQUEST_LIMIT_MS);
            return self.relay.expect(request_id, Pending::TurnStart { lane: id }, limit);
        };
        self.threads.loaded.extend(lane.thread.clone());
        self.run_again(id, batch, turn, AnswerText::default(), mark);
        if let Some(State::Running(running)) = self.lanes.all.get_mut(&id).map(|lane| &mut lane.state) {
            running.seen = false;
        }
        if stopped {
            self.interrupt(id, Why::Asked);
        }
    }

    /// A turn that ran under the last owner runs under this one.
    pub(crate) fn run_again(
        &mut self,
        id: LaneId,
        batch: Vec<Submission>,
        turn: argus_protocol::TurnId,
        text: AnswerText,
        mark: Mark,
    ) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        self.effects.extend(origin(&batch).cloned().map(|origin| Effect::TurnRunning { origin }));
        lane.state = State::Running(Running::new(batch, turn, text, mark, self.now));
    }
}
