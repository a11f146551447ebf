//! How submissions end: every one gets one outcome, durable before the bridge may forget its lines.

use argus_protocol::TurnId;

use crate::effect::{Answer, Effect, StoreOp};
use crate::followups::take_batch;
use crate::lane::{LaneId, State, SteerLeg, ids, origin};
use crate::link::HoldId;
use crate::records::Storing;
use crate::session::Session;
use crate::turn::{Outcome, Settlement, Submission, Usage};

/// The turn that submissions had, if any.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    turn: Option<TurnId>,
    usage: Option<Usage>,
}

impl Session {
    /// The lane's turn is over: its outcome becomes durable, and only then may the bridge forget its lines.
    pub(crate) fn end_turn(&mut self, id: LaneId, outcome: Outcome) {
        self.call_back_steers(id);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let State::Running(mut running) = std::mem::replace(&mut lane.state, State::Idle) else { return };
        let outcome = running.over.take().map_or(outcome, |over| *over);
        if matches!(outcome, Outcome::Completed { .. }) {
            lane.trouble = None;
        }
        if let Some(thread) = lane.thread.clone() {
            self.withdraw_requests(thread.as_str(), running.turn.as_str());
        }
        // What the agent may have been told within the turn is not told again.
        for steer in std::mem::take(&mut running.steers) {
            if let SteerLeg::Sent { request_id, mark } = steer.leg {
                self.relay.forget(request_id);
                self.release(mark.hold);
            }
            running.batch.push(steer.one);
        }
        let Some(shown) = running.shown.take() else {
            return self.release(running.mark.hold);
        };
        let meaning = Storing::Settlement(running.mark.hold);
        let taken = Taken { turn: Some(running.turn), usage: running.notes.usage() };
        self.settle_turn(id, &running.batch, taken, outcome, meaning);
        self.effects.push_back(Effect::TurnOver { origin: *shown });
    }

    /// Submissions that never had a turn, or whose turn is not known, get their outcome.
    pub(crate) fn settle(
        &mut self,
        id: LaneId,
        batch: &[Submission],
        outcome: Outcome,
        hold: Option<HoldId>,
    ) {
        self.settle_turn(id, batch, Taken::default(), outcome, Storing::Settlement(hold.unwrap_or_default()));
    }

    pub(crate) fn settle_turn(
        &mut self,
        id: LaneId,
        batch: &[Submission],
        taken: Taken,
        outcome: Outcome,
        meaning: Storing,
    ) {
        let Some(origin) = origin(batch).cloned() else { return };
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        for ticket in batch.iter().filter_map(|one| lane.tickets.remove(&one.id)) {
            let answer = match &outcome {
                Outcome::Failed { reason, .. } => Answer::Failed(reason.clone()),
                Outcome::Interrupted { .. } => Answer::Failed("it was stopped before it began".to_owned()),
                Outcome::Completed { .. } => Answer::Failed("it is over already".to_owned()),
            };
            self.effects.push_back(Effect::Answer { ticket, answer });
        }
        let settlement = Settlement {
            submissions: ids(batch),
            origin,
            thread: lane.thread.clone(),
            turn: taken.turn,
            outcome,
            usage: taken.usage,
        };
        self.store(StoreOp::Settle(settlement), meaning);
    }

    /// Nothing that waits in any lane can be begun.
    pub(crate) fn fail_waiting(&mut self, reason: &str) {
        for id in self.lanes.ids() {
            self.fail_lane(id, reason);
        }
    }

    /// Nothing that waits in this lane can be begun.
    pub(crate) fn fail_lane(&mut self, id: LaneId, reason: &str) {
        self.fail_openers(id, reason);
        self.fail_submissions(id, reason);
    }

    /// Who waits for the lane's thread is told that there is none.
    pub(crate) fn fail_openers(&mut self, id: LaneId, reason: &str) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        for ticket in std::mem::take(&mut lane.openers) {
            self.effects.push_back(Effect::Answer { ticket, answer: Answer::Failed(reason.to_owned()) });
        }
    }

    /// What waits for a turn in this lane gets none.
    pub(crate) fn fail_submissions(&mut self, id: LaneId, reason: &str) {
        loop {
            let Some(lane) = self.lanes.all.get_mut(&id) else { return };
            let batch = take_batch(&mut lane.waiting);
            if batch.is_empty() {
                return;
            }
            self.settle(id, &batch, Outcome::failed(reason), None);
        }
    }
}
