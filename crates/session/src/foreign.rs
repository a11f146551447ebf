//! Turns that clients start by themselves: nothing of ours begins in their thread until they are over.

use argus_protocol::agent::TurnReply;
use argus_protocol::{Frame, ThreadId, TurnId};

use crate::answer::AnswerText;
use crate::lane::{LaneId, Mark, Running, State};
use crate::link::Link;
use crate::session::Session;

impl Session {
    /// A client asks for a turn in this thread: nothing of ours begins there until the agent answered, and what has
    /// not left yet makes room.
    pub(crate) fn foreign_turn_asked(&mut self, thread: &ThreadId) -> LaneId {
        let id = self.lanes.of_thread(thread);
        self.step_aside(id);
        self.stands_in_line(id);
        self.lanes.all.entry(id).and_modify(|lane| lane.foreign_asked += 1);
        id
    }

    /// The agent answered a client's request for a turn.
    pub(crate) fn foreign_turn_answered(&mut self, id: LaneId, reply: &Frame) {
        let seq = self.link.as_ref().map_or(0, Link::last_seen);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.foreign_asked = lane.foreign_asked.saturating_sub(1);
        let turn = reply.result_as::<TurnReply>().map(|reply| reply.turn.id);
        let fresh = turn.filter(|turn| lane.last_completed.as_deref() != Some(turn.as_str()));
        let free = matches!(lane.state, State::Idle | State::Opening | State::Binding { .. });
        if let (true, Some(turn)) = (free, fresh.and_then(|turn| turn.parse().ok())) {
            self.begin_foreign(id, turn, seq);
        }
    }

    /// A turn that nobody submitted runs; its lines begin at `seq`.
    pub(crate) fn begin_foreign(&mut self, id: LaneId, turn: TurnId, seq: u64) {
        let mark = Mark { after: seq.saturating_sub(1), hold: self.hold(seq) };
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.state = State::Running(Running::new(Vec::new(), turn, AnswerText::default(), mark, self.now));
    }
}
