//! A `turn/start` on its way: it goes, makes room, is answered, and its turn begins.

use argus_protocol::agent::TurnReply;
use argus_protocol::{Frame, TurnId};

use crate::config::SessionConfig;
use crate::effect::{Answer, Effect, StoreOp};
use crate::lane::{Heard, LaneId, Leg, Running, Sent, Starting, State, Why, ids, origin};
use crate::opening::message_of;
use crate::records::Storing;
use crate::relay::Pending;
use crate::session::Session;
use crate::turn::{Outcome, Submission};

impl Session {
    /// The recorded `turn/start` of this lane goes.
    pub(crate) fn start_goes(&mut self, id: LaneId) {
        let Some(State::Starting(starting)) = self.lanes.all.get_mut(&id).map(|lane| &mut lane.state) else {
            return;
        };
        let Leg::Recorded(mark) = starting.leg else { return };
        starting.leg = Leg::Sent(Sent { mark, stopped: false, heard: None });
        let limit = Some(self.now.mono + SessionConfig::REQUEST_LIMIT_MS);
        self.relay.expect(starting.request_id, Pending::TurnStart { lane: id }, limit);
    }

    /// A turn that did not leave yet makes room for another, and waits again.
    pub(crate) fn step_aside(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        match std::mem::replace(&mut lane.state, State::Idle) {
            State::Preparing { batch, .. } => lane.requeue(batch),
            State::Starting(Starting { batch, leg, request_id }) => match leg {
                Leg::InLine => lane.requeue(batch),
                Leg::Recording(mark) | Leg::Recorded(mark) => {
                    let submissions = ids(&batch);
                    lane.requeue(batch);
                    self.store(StoreOp::Queued { submissions }, Storing::Unsent(mark.hold));
                }
                Leg::Sent(_) => lane.state = State::Starting(Starting { batch, request_id, leg }),
            },
            other => lane.state = other,
        }
    }

    /// The agent answered the lane's `turn/start`: only now is it known which turn is ours.
    pub(crate) fn turn_start_answered(&mut self, id: LaneId, request_id: u64, reply: &Frame) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if !matches!(&lane.state, State::Starting(one) if one.request_id == request_id) {
            return;
        }
        let State::Starting(Starting { batch, leg, .. }) = std::mem::replace(&mut lane.state, State::Idle)
        else {
            return;
        };
        let Leg::Sent(sent) = leg else { return };
        match reply.result_as::<TurnReply>().and_then(|reply| reply.turn.id.parse().ok()) {
            Some(turn) => self.begin(id, batch, turn, sent),
            None => self.refused(id, &batch, reply, sent),
        }
    }

    fn refused(&mut self, id: LaneId, batch: &[Submission], reply: &Frame, sent: Sent) {
        let why = message_of(reply.error().unwrap_or("a reply without a turn"));
        let outcome = if sent.stopped {
            Outcome::Interrupted { text: String::new() }
        } else {
            Outcome::failed(format!("the agent refused the turn: {why}"))
        };
        self.settle(id, batch, outcome, Some(sent.mark.hold));
        // Perhaps it does not know the thread any more: the next turn there has it resumed.
        if let Some(thread) = self.lanes.all.get(&id).and_then(|lane| lane.thread.as_ref()) {
            self.threads.loaded.remove(thread);
        }
        if let Some(Heard { turn, outcome: None, .. }) = sent.heard.map(|heard| *heard) {
            self.begin_foreign(id, turn, sent.mark.after + 1);
        }
    }

    /// The turn that a lane asked for runs, and may even be over.
    fn begin(&mut self, id: LaneId, batch: Vec<Submission>, turn: TurnId, sent: Sent) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let Some(thread) = lane.thread.clone() else { return };
        lane.trouble = None;
        (lane.losses, lane.conflicts) = (0, 0);
        for ticket in batch.iter().filter_map(|one| lane.tickets.remove(&one.id)) {
            let answer = Answer::Started { thread: thread.clone(), turn: Some(turn.clone()) };
            self.effects.push_back(Effect::Answer { ticket, answer });
        }
        let runs = |origin| Effect::TurnRunning { origin, thread: Some(thread.clone()) };
        self.effects.extend(origin(&batch).cloned().map(runs));
        let op = StoreOp::Running { submissions: ids(&batch), turn: turn.clone() };
        let heard = sent
            .heard
            .filter(|heard| heard.turn == turn)
            .map_or_else(|| Heard::new(turn.clone()), |heard| *heard);
        let Heard { text, notes, progress, outcome, .. } = heard;
        self.show(&batch, progress);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.state = State::Running(Running {
            notes: Box::new(notes),
            ..Running::new(batch, turn, text, sent.mark, self.now)
        });
        self.store(op, Storing::Note);
        match outcome {
            Some(outcome) => self.turn_over(id, outcome),
            None if sent.stopped => self.interrupt(id, Why::Asked),
            None => {}
        }
    }
}
