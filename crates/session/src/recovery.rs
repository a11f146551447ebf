//! What the last owner left open: put back in its place, and resolved when the runtime is reached.

use std::collections::BTreeMap;

use crate::answer::AnswerText;
use crate::config::SessionConfig;
use crate::effect::{Effect, StoreOp};
use crate::input::{LinkUp, OpenState, OpenSubmission, Restored};
use crate::lane::{
    LaneId, LeftSteer, Leg, Mark, Recovering, Running, Sent, Starting, State, Steer, SteerLeg, Why, ids,
    origin,
};
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
        let mut begun: BTreeMap<(LaneId, u64), Vec<(Submission, OpenState)>> = BTreeMap::new();
        for OpenSubmission { submission, state } in restored.open {
            self.threads.before.extend(submission.thread.clone());
            let id = self.lanes.of(&submission.target, submission.thread.clone());
            match state {
                OpenState::Queued => {
                    self.lanes.all.entry(id).and_modify(|lane| lane.waiting.push_back(submission));
                }
                OpenState::Starting { request_id, .. } => {
                    begun.entry((id, request_id)).or_default().push((submission, state));
                }
            }
        }
        // In each lane the `turn/start` comes before what was told within its turn.
        for ((id, _), batch) in begun {
            self.restore_turn(id, batch);
        }
    }

    fn restore_turn(&mut self, id: LaneId, rows: Vec<(Submission, OpenState)>) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        // Rows of one frame say the same, but that the turn may have been noted with the newest only.
        let turn = rows.iter().find_map(|(_, state)| match state {
            OpenState::Starting { turn, .. } => turn.clone(),
            OpenState::Queued => None,
        });
        let Some(OpenState::Starting { boot, down_seq, request_id, after_seq, .. }) =
            rows.first().map(|(_, state)| state.clone())
        else {
            return;
        };
        let batch: Vec<_> = rows.into_iter().map(|(one, _)| one).collect();
        match &mut lane.state {
            State::Recovering(left) if turn.is_some() && left.boot == boot => {
                // Its turn had a name by then, whether that was noted or not.
                left.turn = left.turn.take().or(turn);
                let steers = batch.into_iter().map(|one| LeftSteer { one, down_seq, request_id, after_seq });
                left.steers.extend(steers);
            }
            // Two turns cannot have been open in one lane. Should they, the second is not run again.
            State::Recovering(_) => self.settle(id, &batch, Outcome::failed(LOST), None),
            state => {
                let (steers, stopped) = (Vec::new(), false);
                let left = Recovering { batch, boot, down_seq, request_id, after_seq, turn, steers, stopped };
                *state = State::Recovering(left);
            }
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
            return self.expect_turn(id, left, up.last_down_seq);
        }
        if left.stopped {
            let (outcome, meaning) =
                (Outcome::Interrupted { text: String::new() }, Storing::Unsent(HoldId::default()));
            return self.settle_turn(id, &left.everything(), Taken::default(), outcome, meaning);
        }
        if !same_bridge {
            return self.settle(id, &left.everything(), Outcome::failed(LOST), None);
        }
        self.never_left(id, left.everything());
    }

    /// The bridge never got what these were sent with: they wait again.
    fn never_left(&mut self, id: LaneId, batch: Vec<Submission>) {
        let Some(lane) = self.lanes.all.get_mut(&id).filter(|_| !batch.is_empty()) else { return };
        let submissions = ids(&batch);
        lane.requeue(batch);
        self.store(StoreOp::Queued { submissions }, Storing::Unsent(HoldId::default()));
    }

    /// The agent has the `turn/start`: its reply and its turn are among the kept lines, or are still to come.
    fn expect_turn(&mut self, id: LaneId, left: Recovering, last_down: u64) {
        let Recovering { batch, request_id, after_seq, turn, stopped, steers, .. } = left;
        let (told, unsent): (Vec<_>, Vec<_>) = steers.into_iter().partition(|one| one.down_seq <= last_down);
        self.never_left(id, unsent.into_iter().map(|steer| steer.one).collect());
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
        for steer in told {
            self.expect_told(id, steer);
        }
        if stopped {
            self.interrupt(id, Why::Asked);
        }
    }

    /// The agent has the `turn/steer`: what it says to it is among the kept lines, or still to come.
    fn expect_told(&mut self, id: LaneId, steer: LeftSteer) {
        let LeftSteer { one, request_id, after_seq, .. } = steer;
        let mark = Mark { after: after_seq, hold: self.hold(after_seq + 1) };
        if let Some(State::Running(running)) = self.lanes.all.get_mut(&id).map(|lane| &mut lane.state) {
            running.steers.push(Steer { one, leg: SteerLeg::Sent { request_id, mark } });
        }
        self.expect_steer(id, request_id);
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
        let runs = |origin| Effect::TurnRunning { origin, thread: lane.thread.clone() };
        self.effects.extend(origin(&batch).cloned().map(runs));
        lane.state = State::Running(Running::new(batch, turn, text, mark, self.now));
    }
}
