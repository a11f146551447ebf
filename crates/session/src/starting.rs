//! How a submission becomes a turn: taken in, prepared, put in line.

use argus_protocol::agent::method;
use argus_protocol::{ThreadId, frame};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::config::SessionConfig;
use crate::effect::{Answer, Effect, Preparation, StoreOp};
use crate::followups::{merge, take_batch};
use crate::handshake::Credentials;
use crate::input::{Prompt, Ticket};
use crate::lane::{Lane, LaneId, Leg, Mark, Starting, State, SteerLeg, ids, origin};
use crate::link::Down;
use crate::records::Storing;
use crate::session::Session;
use crate::turn::{Origin, Outcome, Submission};

impl Session {
    /// A durable submission takes its place in its lane.
    pub(crate) fn submit(&mut self, submission: Submission, ticket: Option<Ticket>) {
        let id = self.lanes.of(&submission.target, submission.thread.clone());
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if lane.waiting.len() >= SessionConfig::LANE_CAPACITY {
            let reason = format!("{} messages wait already; wait for answers first", lane.waiting.len());
            lane.tickets.extend(ticket.map(|ticket| (submission.id.clone(), ticket)));
            return self.settle(id, &[submission], Outcome::failed(reason), None);
        }
        let busy = !matches!(lane.state, State::Idle) || !lane.waiting.is_empty();
        if let Some(ticket) = ticket.filter(|_| busy) {
            let answer = Answer::Queued { thread: lane.thread.clone(), depth: lane.waiting.len() + 1 };
            self.effects.push_back(Effect::Answer { ticket, answer });
        } else {
            lane.tickets.extend(ticket.map(|ticket| (submission.id.clone(), ticket)));
        }
        lane.waiting.push_back(submission);
        self.needed_at = self.now.mono;
    }

    /// What waits in this lane will wait for longer than one who asked should: it stands in line.
    pub(crate) fn stands_in_line(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        for (before, waiting) in lane.waiting.iter().enumerate() {
            let Some(ticket) = lane.tickets.remove(&waiting.id) else { continue };
            let answer = Answer::Queued { thread: lane.thread.clone(), depth: before + 1 };
            self.effects.push_back(Effect::Answer { ticket, answer });
        }
    }

    /// Begins whatever can begin.
    pub(crate) fn advance_lanes(&mut self) {
        let now = self.now.mono;
        let due = |lane: &Lane| match lane.state {
            State::Idle => !lane.is_idle() && lane.retry_at <= now && lane.foreign_asked == 0,
            State::Binding { again_at } => again_at.is_some_and(|at| at <= now),
            _ => false,
        };
        let ready: Vec<_> = self.lanes.all.iter().filter(|(_, lane)| due(lane)).map(|(id, _)| *id).collect();
        for id in ready {
            self.advance_lane(id);
        }
    }

    fn advance_lane(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if matches!(lane.state, State::Binding { .. }) {
            return self.bind(id);
        }
        let Some(thread) = lane.thread.clone().filter(|thread| self.threads.loaded.contains(thread)) else {
            return self.open(id);
        };
        for ticket in std::mem::take(&mut lane.openers) {
            self.effects.push_back(Effect::Answer { ticket, answer: Answer::Thread(thread.clone()) });
        }
        match self.relay.credentials {
            _ if lane.waiting.is_empty() => return,
            Credentials::Asking => return,
            Credentials::Missing => return self.ask_for_account(),
            Credentials::Unknown | Credentials::Present => {}
        }
        let batch = take_batch(&mut lane.waiting);
        let Some(origin) = origin(&batch).cloned() else { return };
        let (text, submissions) = (merge(&batch), ids(&batch));
        let batch_attachments = batch.iter().flat_map(|one| one.attachments.clone()).collect();
        lane.attempts += 1;
        let attempt = lane.attempts;
        lane.state = State::Preparing { batch, attempt };
        self.effects.push_back(Effect::Prepare(Preparation {
            lane: id,
            attempt,
            thread,
            submissions,
            origin,
            text,
            attachments: batch_attachments,
            steers: false,
        }));
    }

    /// The prompt is written: the turn stands in line towards the agent.
    pub(crate) fn prepared(&mut self, id: LaneId, made: u64, prompt: Result<Prompt, String>) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if matches!(lane.state, State::Running(_)) {
            return self.steer_prepared(id, made, prompt);
        }
        let wanted = matches!(lane.state, State::Preparing { attempt, .. } if attempt == made);
        let (true, Some(thread)) = (wanted, lane.thread.clone()) else { return };
        let State::Preparing { batch, .. } = std::mem::replace(&mut lane.state, State::Idle) else { return };
        let prompt = match prompt {
            Ok(prompt) => prompt,
            Err(reason) => return self.settle(id, &batch, Outcome::failed(reason), None),
        };
        let request_id = self.relay.fresh_id();
        let text = self.turn_start(request_id, &thread, origin(&batch), &prompt);
        let taken = self.line_up(Down::Turn { lane: id, request_id, text }, SessionConfig::OWN_WAITING_BYTES);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if taken {
            lane.state = State::Starting(Starting { batch, request_id, leg: Leg::InLine });
        } else {
            lane.requeue(batch);
            lane.retry_at = self.now.mono + 1000;
        }
    }

    fn turn_start(
        &self,
        request_id: u64,
        thread: &ThreadId,
        asks: Option<&Origin>,
        prompt: &Prompt,
    ) -> Bytes {
        let policy = &self.config.policy;
        let may_ask = match asks {
            Some(Origin::Chat { .. }) => true,
            // Its answer goes to a chat, where nobody asked for anything; or nobody may be awake to answer.
            Some(Origin::Client { chat: Some(_) } | Origin::Cron { .. } | Origin::Heartbeat { .. }) => false,
            Some(Origin::Client { chat: None }) | None => {
                self.clients.handler(Some(thread.as_str())).is_some()
            }
        };
        let usual = if may_ask { &policy.ask } else { &policy.never };
        let mut params = json!({
            "threadId": thread,
            "input": input(prompt),
            "cwd": self.config.cwd,
            "approvalPolicy": prompt.approval.as_ref().unwrap_or(usual),
            "sandboxPolicy": policy.sandbox_policy,
        });
        // What is absent stays as the thread has it; `null` too, but not with every agent of this shape.
        for (name, value) in [("model", &prompt.model), ("effort", &prompt.effort)] {
            if let Some(value) = value {
                params[name] = json!(value);
            }
        }
        frame::request(request_id, method::TURN_START, &params)
    }

    /// The `turn/start` or `turn/steer` at the head of the line is recorded before it goes.
    pub(crate) fn record_start(&mut self) {
        let Some(link) = self.link.as_mut() else { return };
        let Some(Down::Turn { lane, request_id, .. }) = link.queue.front() else { return };
        let (id, request_id) = (*lane, *request_id);
        let (boot, down_seq, after_seq) = (link.boot.to_string(), link.next_down(), link.last_seen());
        let mark = Mark { after: after_seq, hold: link.hold(after_seq + 1) };
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let Some(thread) = lane.thread.clone() else { return };
        let op = match &mut lane.state {
            State::Starting(starting) => {
                starting.leg = Leg::Recording(mark);
                let submissions = ids(&starting.batch);
                StoreOp::Starting { submissions, thread, boot, down_seq, request_id, after_seq }
            }
            State::Running(running) => {
                let turn = running.turn.clone();
                let steer = running.steers.iter_mut().find(|one| one.request_id() == Some(request_id));
                let Some(steer) = steer else { return };
                steer.leg = SteerLeg::Recording { request_id, mark };
                let submission = steer.one.id.clone();
                StoreOp::Steering { submission, thread, boot, down_seq, request_id, after_seq, turn }
            }
            _ => return,
        };
        self.store(op, Storing::Starting { lane: id, request_id });
    }

    /// The `turn/start` is recorded and may go; or it could not be, and waits again.
    pub(crate) fn start_recorded(&mut self, id: LaneId, wanted: u64, result: Result<(), String>) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if matches!(lane.state, State::Running(_)) {
            return self.steer_recorded(id, wanted, result);
        }
        let State::Starting(starting) = &mut lane.state else { return };
        let (Leg::Recording(mark), true) = (&starting.leg, starting.request_id == wanted) else { return };
        match result {
            Ok(()) => starting.leg = Leg::Recorded(*mark),
            Err(why) => {
                let hold = mark.hold;
                if let State::Starting(starting) = std::mem::replace(&mut lane.state, State::Idle) {
                    lane.requeue(starting.batch);
                }
                lane.retry_at = self.now.mono + 5000;
                lane.trouble = Some(format!("the turn could not be recorded: {why}"));
                self.release(hold);
                self.stands_in_line(id);
            }
        }
    }
}

/// A prompt as the agent's `input`: the text, then the pictures.
pub(crate) fn input(prompt: &Prompt) -> Vec<Value> {
    let text = json!({ "type": "text", "text": prompt.text });
    let images = prompt.images.iter().map(|path| json!({ "type": "localImage", "path": path }));
    std::iter::once(text).chain(images).collect()
}
