//! A submission on its way into the turn that runs: recorded before it goes like a `turn/start`, and part of the turn once
//! the agent took it; otherwise it waits again.

use argus_protocol::agent::{SteerReply, method};
use argus_protocol::{Frame, ThreadId, TurnId, frame};
use serde_json::json;

use crate::config::SessionConfig;
use crate::effect::{Answer, Effect, Preparation, StoreOp};
use crate::followups::{MOST, goes_with};
use crate::hastening::Hastened;
use crate::input::{Prompt, Ticket};
use crate::lane::{LaneId, Mark, Running, State, Steer, SteerLeg, origin};
use crate::link::Down;
use crate::records::Storing;
use crate::relay::Pending;
use crate::session::Session;
use crate::starting::input;
use crate::turn::{Outcome, Submission};

impl Session {
    /// Tells the agent what waits at this place of the lane within the turn that runs there. Only in a turn whose answer
    /// goes where its own would, too: a turn of a client, or of another chat, is not joined.
    pub(crate) fn steer(&mut self, id: LaneId, at: usize, ticket: Ticket) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let (State::Running(running), Some(thread)) = (&mut lane.state, lane.thread.clone()) else {
            return self.answer(ticket, Answer::Hastened(Hastened::NothingRuns));
        };
        let asks = lane.waiting.get(at).map(|one| &one.origin);
        let joins = origin(&running.batch).zip(asks).is_some_and(|(runs, asks)| goes_with(runs, asks))
            && running.batch.len() + running.steers.len() < MOST
            && running.ending.is_none()
            && running.over.is_none();
        let Some(one) = joins.then(|| lane.waiting.remove(at)).flatten() else {
            return self.answer(ticket, Answer::Hastened(Hastened::NothingRuns));
        };
        lane.attempts += 1;
        let attempt = lane.attempts;
        self.effects.push_back(Effect::Prepare(Preparation {
            lane: id,
            attempt,
            thread,
            submissions: vec![one.id.clone()],
            origin: one.origin.clone(),
            text: one.text.clone(),
            attachments: one.attachments.clone(),
            steers: true,
        }));
        running.steers.push(Steer { one, leg: SteerLeg::Preparing { attempt, ticket } });
    }

    /// What a steering submission says is written: it stands in line towards the agent.
    pub(crate) fn steer_prepared(&mut self, id: LaneId, made: u64, prompt: Result<Prompt, String>) {
        let Some((running, thread)) = self.running(id) else { return };
        let is_it = |one: &Steer| matches!(one.leg, SteerLeg::Preparing { attempt, .. } if attempt == made);
        let Some(at) = running.steers.iter().position(is_it) else { return };
        let steer = running.steers.remove(at);
        let SteerLeg::Preparing { ticket, .. } = steer.leg else { return };
        let turn = running.turn.clone();
        // One that cannot be written fails in a turn of its own.
        let request_id = prompt.ok().and_then(|prompt| self.line_up_steer(id, &thread, &turn, &prompt));
        let hastened = if let (Some(request_id), Some((running, _))) = (request_id, self.running(id)) {
            running.steers.push(Steer { one: steer.one, leg: SteerLeg::InLine { request_id } });
            Hastened::Steered
        } else {
            self.waits_again(id, vec![steer.one]);
            Hastened::NothingRuns
        };
        self.answer(ticket, Answer::Hastened(hastened));
    }

    fn line_up_steer(
        &mut self,
        id: LaneId,
        thread: &ThreadId,
        turn: &TurnId,
        prompt: &Prompt,
    ) -> Option<u64> {
        let request_id = self.relay.fresh_id();
        let params = json!({ "threadId": thread, "expectedTurnId": turn, "input": input(prompt) });
        let text = frame::request(request_id, method::TURN_STEER, &params);
        let down = Down::Turn { lane: id, request_id, text };
        self.line_up(down, SessionConfig::OWN_WAITING_BYTES).then_some(request_id)
    }

    /// The record of a `turn/steer` is durable, and it may go; or it could not be made so, and waits again.
    pub(crate) fn steer_recorded(&mut self, id: LaneId, wanted: u64, result: Result<(), String>) {
        let Some((running, _)) = self.running(id) else { return };
        let Some(at) = running.steers.iter().position(|one| one.request_id() == Some(wanted)) else { return };
        let SteerLeg::Recording { mark, .. } = running.steers[at].leg else { return };
        let Err(why) = result else {
            running.steers[at].leg = SteerLeg::Recorded { request_id: wanted, mark };
            return;
        };
        let steer = running.steers.remove(at);
        self.release(mark.hold);
        self.waits_again(id, vec![steer.one]);
        if let Some(lane) = self.lanes.all.get_mut(&id) {
            lane.trouble = Some(format!("what was to be told could not be recorded: {why}"));
        }
    }

    /// The recorded `turn/steer` goes.
    pub(crate) fn steer_goes(&mut self, id: LaneId, request_id: u64) {
        let Some((running, _)) = self.running(id) else { return };
        let Some(steer) = running.steers.iter_mut().find(|one| one.request_id() == Some(request_id)) else {
            return;
        };
        let SteerLeg::Recorded { mark, .. } = steer.leg else { return };
        steer.leg = SteerLeg::Sent { request_id, mark };
        self.expect_steer(id, request_id);
    }

    /// The reply to a `turn/steer` is awaited.
    pub(crate) fn expect_steer(&mut self, lane: LaneId, request_id: u64) {
        let limit = Some(self.now.mono + SessionConfig::STEER_LIMIT_MS);
        self.relay.expect(request_id, Pending::Steer { lane, request_id }, limit);
    }

    /// The agent took it, and it is part of the turn; or it did not, and has a turn of its own.
    pub(crate) fn steer_answered(&mut self, id: LaneId, request_id: u64, reply: &Frame) {
        if reply.result_as::<SteerReply>().is_some() {
            return self.steer_taken(id, request_id);
        }
        let Some((one, mark)) = self.take_sent_steer(id, request_id) else { return };
        let submissions = vec![one.id.clone()];
        self.waits_again(id, vec![one]);
        self.store(StoreOp::Queued { submissions }, Storing::Settlement(mark.hold));
        self.end_when_all_is_known(id);
    }

    /// A `turn/steer` that the agent took, or that it may have taken: nothing is told twice.
    pub(crate) fn steer_taken(&mut self, id: LaneId, request_id: u64) {
        let Some((one, mark)) = self.take_sent_steer(id, request_id) else { return };
        self.relay.forget(request_id);
        self.release(mark.hold);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let State::Running(running) = &mut lane.state else { return };
        let op = StoreOp::Running { submissions: vec![one.id.clone()], turn: running.turn.clone() };
        if let (Some(ticket), Some(thread)) = (lane.tickets.remove(&one.id), lane.thread.clone()) {
            let answer = Answer::Started { thread, turn: Some(running.turn.clone()) };
            self.effects.push_back(Effect::Answer { ticket, answer });
        }
        running.batch.push(one);
        self.store(op, Storing::Note);
        self.end_when_all_is_known(id);
    }

    fn take_sent_steer(&mut self, id: LaneId, wanted: u64) -> Option<(Submission, Mark)> {
        let (running, _) = self.running(id)?;
        let is_it =
            |one: &Steer| matches!(one.leg, SteerLeg::Sent { request_id, .. } if request_id == wanted);
        let at = running.steers.iter().position(is_it)?;
        let steer = running.steers.remove(at);
        let SteerLeg::Sent { mark, .. } = steer.leg else { return None };
        Some((steer.one, mark))
    }

    /// The agent says that the lane's turn is over. What it was told within it may be part of it still.
    pub(crate) fn turn_over(&mut self, id: LaneId, outcome: Outcome) {
        self.call_back_steers(id);
        match self.running(id) {
            Some((running, _)) if !running.steers.is_empty() => running.over = Some(Box::new(outcome)),
            _ => self.end_turn(id, outcome),
        }
    }

    fn end_when_all_is_known(&mut self, id: LaneId) {
        let Some((running, _)) = self.running(id).filter(|(running, _)| running.steers.is_empty()) else {
            return;
        };
        if let Some(outcome) = running.over.take() {
            self.end_turn(id, *outcome);
        }
    }

    /// What was to be told within this lane's turn and has not left waits again.
    pub(crate) fn call_back_steers(&mut self, id: LaneId) {
        let Some((running, _)) = self.running(id) else { return };
        let unsent = |one: &mut Steer| !matches!(one.leg, SteerLeg::Sent { .. });
        let unsent: Vec<_> = running.steers.extract_if(.., unsent).collect();
        let mut waiting = Vec::with_capacity(unsent.len());
        for steer in unsent {
            match steer.leg {
                SteerLeg::Preparing { ticket, .. } => {
                    self.answer(ticket, Answer::Hastened(Hastened::NothingRuns));
                }
                SteerLeg::Recording { mark, .. } | SteerLeg::Recorded { mark, .. } => {
                    let submissions = vec![steer.one.id.clone()];
                    self.store(StoreOp::Queued { submissions }, Storing::Unsent(mark.hold));
                }
                SteerLeg::InLine { .. } | SteerLeg::Sent { .. } => {}
            }
            waiting.push(steer.one);
        }
        self.waits_again(id, waiting);
    }

    fn waits_again(&mut self, id: LaneId, batch: Vec<Submission>) {
        if let Some(lane) = self.lanes.all.get_mut(&id) {
            lane.requeue(batch);
        }
    }

    fn running(&mut self, id: LaneId) -> Option<(&mut Running, ThreadId)> {
        let lane = self.lanes.all.get_mut(&id)?;
        match (&mut lane.state, lane.thread.clone()) {
            (State::Running(running), Some(thread)) => Some((running, thread)),
            _ => None,
        }
    }
}
