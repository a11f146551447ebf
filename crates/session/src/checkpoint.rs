//! What is open at one line, stored so that the lines up to it may be forgotten.

use argus_protocol::bridge::AgentState;
use argus_protocol::{Frame, SubmissionId, ThreadId, TurnId};
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::answer::AnswerText;
use crate::config::SessionConfig;
use crate::effect::StoreOp;
use crate::input::LinkUp;
use crate::lane::{LaneId, Leg, Sent, Starting, State, Steer, Why, ids};
use crate::link::Link;
use crate::notes::Notes;
use crate::progress::Progress;
use crate::records::Storing;
use crate::session::Session;
use crate::turn::Submission;

/// What was open at one line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The agent, where one was up.
    epoch: Option<u64>,
    turns: Vec<OpenTurn>,
    /// Server requests without an answer, as frames.
    requests: Vec<String>,
    /// The lines that they came with.
    #[serde(default)]
    request_lines: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OpenTurn {
    thread: ThreadId,
    turn: TurnId,
    submissions: Vec<SubmissionId>,
    text: AnswerText,
    #[serde(default)]
    notes: Notes,
}

impl Checkpoint {
    /// The stored checkpoint of this boot, where every line behind it is still kept.
    pub(crate) fn read(up: &LinkUp) -> Option<(u64, Self)> {
        let (seq, body) = up.checkpoint.as_ref()?;
        let whole = seq + 1 >= up.first_seq && *seq <= up.last_seq;
        Some((*seq, serde_json::from_str(body).ok()?)).filter(|_| whole)
    }
}

impl Session {
    /// When a long turn keeps the bridge from forgetting much, what is open is stored instead. Not while something is
    /// between two states: then a little later. What ends with its connection keeps nothing.
    pub(crate) fn checkpoint_when_much_is_held(&mut self) {
        let between = matches!(self.agent, Agent::Greeting { .. })
            || self.lanes.all.values().any(|lane| match &lane.state {
                State::Starting(_) => true,
                State::Running(running) => running.steers.iter().any(Steer::is_between),
                _ => false,
            });
        let Some(link) = self
            .link
            .as_mut()
            .filter(|link| link.caught_up() && !between && !link.ends_with_its_connection())
        else {
            return;
        };
        if !link.take_held_bytes(SessionConfig::CHECKPOINT_BYTES) {
            return;
        }
        let (boot, seq) = (link.boot.to_string(), link.last_seen());
        let turns = self.lanes.all.values().filter_map(|lane| match (&lane.state, &lane.thread) {
            (State::Running(running), Some(thread)) => Some(OpenTurn {
                thread: thread.clone(),
                turn: running.turn.clone(),
                submissions: ids(&running.batch),
                text: running.text.clone(),
                notes: (*running.notes).clone(),
            }),
            _ => None,
        });
        let (request_lines, requests) = self.requests.frames();
        let checkpoint =
            Checkpoint { epoch: self.agent.epoch(), turns: turns.collect(), requests, request_lines };
        let Ok(body) = serde_json::to_string(&checkpoint) else { return };
        self.store(StoreOp::Checkpoint { boot: boot.clone(), seq, body }, Storing::Checkpoint { boot, seq });
    }

    pub(crate) fn checkpoint_stored(&mut self, boot: &str, seq: u64, result: &Result<(), String>) {
        let now = self.now.mono;
        let Some(link) = self.link.as_mut().filter(|link| *link.boot == *boot && result.is_ok()) else {
            return;
        };
        link.checkpointed(seq);
        link.ack_soon(now);
    }

    /// The agent at the checkpoint.
    pub(crate) fn agent_was(&mut self, checkpoint: &Checkpoint) {
        match checkpoint.epoch {
            Some(epoch) => self.agent_is(AgentState::Up, epoch),
            None => self.agent_is(AgentState::Down, 0),
        }
    }

    /// What was open at line `seq` is open again.
    pub(crate) fn recover_checkpoint(&mut self, seq: u64, checkpoint: Checkpoint) {
        for turn in checkpoint.turns {
            self.recover_turn(seq, turn);
        }
        for (at, text) in checkpoint.requests.iter().enumerate() {
            let line = checkpoint.request_lines.get(at).copied().unwrap_or(seq);
            if let Ok(frame) = Frame::parse_str(text) {
                self.ask_at(line, seq + 1, frame);
            }
        }
        self.link.iter_mut().for_each(|link| Link::checkpointed(link, seq));
    }

    fn recover_turn(&mut self, seq: u64, open: OpenTurn) {
        let id = self.lanes.of_thread(&open.thread);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        match &mut lane.state {
            State::Running(running) if running.turn == open.turn => {
                (running.text, *running.notes) = (open.text, open.notes);
                let joined = running.steers.iter().filter(|steer| open.submissions.contains(&steer.one.id));
                // The replies to these were seen before the checkpoint, and will not come again.
                for request_id in joined.filter_map(Steer::request_id).collect::<Vec<_>>() {
                    self.steer_taken(id, request_id);
                }
                let Some(State::Running(running)) = self.lanes.all.get(&id).map(|lane| &lane.state) else {
                    return;
                };
                let batch = running.batch.clone();
                self.show_again(id, &batch);
            }
            State::Starting(Starting { batch, request_id, leg: Leg::Sent(Sent { mark, stopped, .. }) })
                if ids(batch) == open.submissions =>
            {
                // The reply that named the turn was seen before the checkpoint, and will not come again.
                self.relay.forget(*request_id);
                let (batch, mark, stopped) = (std::mem::take(batch), *mark, *stopped);
                self.threads.loaded.insert(open.thread);
                let op = StoreOp::Running { submissions: ids(&batch), turn: open.turn.clone() };
                self.run_again(id, batch.clone(), open.turn, open.text, mark);
                if let Some(State::Running(running)) = self.lanes.all.get_mut(&id).map(|lane| &mut lane.state)
                {
                    *running.notes = open.notes;
                }
                self.show_again(id, &batch);
                self.store(op, Storing::Note);
                if stopped {
                    self.interrupt(id, Why::Asked);
                }
            }
            State::Idle if open.submissions.is_empty() => {
                self.threads.loaded.insert(open.thread);
                self.begin_foreign(id, open.turn, seq + 1);
            }
            // It ended since, or gave way.
            _ => {}
        }
    }

    /// What the last owner showed of the message that grows in this lane, shown by this one.
    fn show_again(&mut self, id: LaneId, batch: &[Submission]) {
        let Some(State::Running(running)) = self.lanes.all.get(&id).map(|lane| &lane.state) else { return };
        let growing = running.text.growing().cloned();
        self.show(batch, growing.map(|(item, delta)| Progress::Writes { item, delta }));
    }
}
