//! Submissions that a session found in the ledger when it started. The one whose arrival started the session is among
//! them and is handed over once more: it is told how it fares, and not run twice.

use std::collections::HashMap;

use argus_protocol::{SubmissionId, ThreadId};
use argus_session::{Answer, Outcome, Settlement, StoreOp};
use tokio::sync::oneshot;

/// How each of them fares.
#[derive(Debug, Default)]
pub(super) struct AtStart(HashMap<SubmissionId, Fate>);

#[derive(Debug)]
enum Fate {
    /// Its turn has not begun, as far as is known.
    Open { thread: Option<ThreadId>, asked: Option<oneshot::Sender<Answer>> },
    /// It has, or never will.
    Known(Answer),
}

impl AtStart {
    /// All of them are open.
    pub(super) fn new(ids: impl Iterator<Item = SubmissionId>) -> Self {
        Self(ids.map(|id| (id, Fate::Open { thread: None, asked: None })).collect())
    }

    /// Whether this is one of them.
    pub(super) fn knows(&self, id: &SubmissionId) -> bool {
        self.0.contains_key(id)
    }

    /// Answers how this one fares: now, where others wait beside it; otherwise when its turn begins.
    pub(super) fn ask(&mut self, id: &SubmissionId, reply: oneshot::Sender<Answer>) {
        let depth = self.0.values().filter(|fate| matches!(fate, Fate::Open { .. })).count();
        match self.0.get_mut(id) {
            Some(Fate::Known(answer)) => _ = reply.send(answer.clone()),
            Some(Fate::Open { asked, .. }) if depth == 1 => *asked = Some(reply),
            Some(Fate::Open { thread, .. }) => {
                _ = reply.send(Answer::Queued { thread: thread.clone(), depth });
            }
            None => {}
        }
    }

    /// Learns from what is made durable.
    pub(super) fn note(&mut self, op: &StoreOp) {
        match op {
            StoreOp::Starting { submissions, thread, .. } => {
                for id in submissions {
                    if let Some(Fate::Open { thread: known, .. }) = self.0.get_mut(id) {
                        *known = Some(thread.clone());
                    }
                }
            }
            StoreOp::Steering { submission, thread, .. } => {
                if let Some(Fate::Open { thread: known, .. }) = self.0.get_mut(submission) {
                    *known = Some(thread.clone());
                }
            }
            StoreOp::Running { submissions, turn } => {
                for id in submissions {
                    if let Some(Fate::Open { thread: Some(thread), .. }) = self.0.get(id) {
                        let answer = Answer::Started { thread: thread.clone(), turn: Some(turn.clone()) };
                        self.tell(id, answer);
                    }
                }
            }
            StoreOp::Settle(Settlement { submissions, outcome, .. }) => {
                let words = match outcome {
                    Outcome::Completed { .. } => "it is over already",
                    Outcome::Interrupted { .. } => "it was stopped before it began",
                    Outcome::Failed { reason, .. } => reason,
                };
                for id in submissions {
                    self.tell(id, Answer::Failed(words.to_owned()));
                }
            }
            StoreOp::Bind { .. }
            | StoreOp::Queued { .. }
            | StoreOp::Handshake { .. }
            | StoreOp::Checkpoint { .. } => {}
        }
    }

    fn tell(&mut self, id: &SubmissionId, answer: Answer) {
        let Some(fate @ Fate::Open { .. }) = self.0.get_mut(id) else { return };
        if let Fate::Open { asked: Some(reply), .. } = std::mem::replace(fate, Fate::Known(answer.clone())) {
            _ = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> SubmissionId {
        format!("{n:032x}").parse().unwrap()
    }

    fn starting(n: u8) -> StoreOp {
        StoreOp::Starting {
            submissions: vec![id(n)],
            thread: "t".parse().unwrap(),
            boot: "b".into(),
            down_seq: 1,
            request_id: 1,
            after_seq: 0,
        }
    }

    fn ask(known: &mut AtStart, n: u8) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        known.ask(&id(n), reply);
        answer
    }

    #[test]
    fn the_only_one_is_answered_when_its_turn_begins_whenever_it_is_asked_for() {
        let mut known = AtStart::new([id(1)].into_iter());
        let mut early = ask(&mut known, 1);
        known.note(&starting(1));
        assert!(early.try_recv().is_err());
        known.note(&StoreOp::Running { submissions: vec![id(1)], turn: "u".parse().unwrap() });
        let started = Answer::Started { thread: "t".parse().unwrap(), turn: Some("u".parse().unwrap()) };
        assert_eq!(early.try_recv(), Ok(started.clone()));
        assert_eq!(ask(&mut known, 1).try_recv(), Ok(started));
        assert!(known.knows(&id(1)) && !known.knows(&id(2)));
    }

    #[test]
    fn one_beside_others_stands_in_line() {
        let mut known = AtStart::new([id(1), id(2)].into_iter());
        known.note(&starting(2));
        let thread = Some("t".parse().unwrap());
        assert_eq!(ask(&mut known, 2).try_recv(), Ok(Answer::Queued { thread, depth: 2 }));
    }
}
