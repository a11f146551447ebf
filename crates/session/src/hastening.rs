//! Submissions that wait, and do not have to: told within the turn that runs, or put in its place; and changed.

use argus_protocol::SubmissionId;

use crate::effect::{Answer, Hastened};
use crate::input::{Haste, Ticket};
use crate::session::Session;

impl Session {
    pub(crate) fn hasten(&mut self, _submission: &SubmissionId, _how: Haste, ticket: Ticket) {
        self.answer(ticket, Answer::Hastened(Hastened::NotWaiting));
    }

    pub(crate) fn amend(&mut self, _submission: &SubmissionId, _text: String, ticket: Ticket) {
        self.answer(ticket, Answer::Amended(false));
    }
}
