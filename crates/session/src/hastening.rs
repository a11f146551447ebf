//! Submissions that wait, and do not have to: told within the turn that runs, or put in its place; and changed.

use argus_protocol::SubmissionId;

use crate::effect::Answer;
use crate::followups::next_batch;
use crate::input::{Haste, Ticket};
use crate::lane::{LaneId, Leg, Starting, State};
use crate::session::Session;

/// What became of a wish for haste.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hastened {
    /// It goes to the agent now, within the turn that runs.
    Steered,
    /// The turn that runs is being ended for it.
    Interrupting,
    /// It does not wait (any more): its turn runs, or is over.
    NotWaiting,
    /// No turn runs that could be told or ended; it comes in its own time.
    NothingRuns,
}

impl Session {
    /// Brings a submission that waits to the agent now.
    pub(crate) fn hasten(&mut self, submission: &SubmissionId, how: Haste, ticket: Ticket) {
        let Some((id, at)) = self.find_waiting(submission) else {
            return self.answer(ticket, Answer::Hastened(Hastened::NotWaiting));
        };
        match how {
            Haste::Steer => self.steer(id, at, ticket),
            Haste::Interrupt => {
                let hastened = self.put_first(id, at);
                self.answer(ticket, Answer::Hastened(hastened));
            }
        }
    }

    /// What waits at this place of a lane comes next, and what runs there is ended for it.
    fn put_first(&mut self, id: LaneId, at: usize) -> Hastened {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return Hastened::NotWaiting };
        // What comes with the next turn anyway keeps its place there.
        let behind = at >= next_batch(&lane.waiting);
        if let Some(one) = behind.then(|| lane.waiting.remove(at)).flatten() {
            lane.waiting.push_front(one);
        }
        match lane.state {
            State::Idle | State::Opening | State::Binding { .. } => Hastened::NothingRuns,
            State::Preparing { .. } | State::Starting(_) | State::Running(_) | State::Recovering(_) => {
                self.stop_lane(id);
                Hastened::Interrupting
            }
        }
    }

    /// Changes the text of a submission that waits, or whose turn has not left.
    pub(crate) fn amend(&mut self, submission: &SubmissionId, text: String, ticket: Ticket) {
        let is_it = |batch: &[crate::Submission]| batch.iter().any(|one| one.id == *submission);
        let not_gone = self.lanes.all.iter().find(|(_, lane)| match &lane.state {
            State::Preparing { batch, .. } | State::Starting(Starting { batch, leg: Leg::InLine, .. }) => {
                is_it(batch)
            }
            _ => false,
        });
        if let Some(id) = not_gone.map(|(id, _)| *id) {
            self.step_aside(id);
        }
        let found = self.find_waiting(submission);
        let lane = found.and_then(|(id, at)| self.lanes.all.get_mut(&id)?.waiting.get_mut(at));
        let amended = lane.map(|one| one.text = text).is_some();
        self.answer(ticket, Answer::Amended(amended));
    }

    fn find_waiting(&self, submission: &SubmissionId) -> Option<(LaneId, usize)> {
        self.lanes
            .all
            .iter()
            .find_map(|(id, lane)| Some((*id, lane.waiting.iter().position(|one| one.id == *submission)?)))
    }
}
