//! Calls that nodes have not answered yet: what is known of each, and how it goes on when a link breaks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use argus_protocol::node::{Fault, code};
use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use super::Outgoing;

/// Calls of one node at once.
pub(super) const MOST_OF_ONE: usize = 32;
/// Bytes of requests of one node at once: all of them are sent again at the same moment when its link comes back, and must
/// find their place beside what waits for it already.
pub(super) const MOST_BYTES_OF_ONE: usize = 6 << 20;
/// Calls of all nodes at once.
pub(super) const MOST: usize = 1024;
/// The longest that a call may wait for somebody's yes.
pub(super) const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How a call ended.
pub(super) type Outcome = Result<Box<RawValue>, Fault>;

/// What is known of a call.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Since when its node has been away.
    pub(super) away_since: Option<Instant>,
    /// The job that it began.
    pub(super) job: Option<String>,
    /// Until when it waits for somebody's yes at most.
    pub(super) waits_until: Option<Instant>,
    /// How it ended, until somebody takes that.
    pub(super) outcome: Option<Outcome>,
}

/// A call that is not answered.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) node: String,
    /// The process of the node's program that was asked.
    pub(super) boot: Option<String>,
    pub(super) request: Bytes,
    /// Why nobody wants it any more, as its node is told.
    pub(super) cancel: Option<Bytes>,
    pub(super) progress: Arc<watch::Sender<Progress>>,
}

impl Open {
    /// Ends it, naming the job that it began; the first end counts.
    fn end(&self, outcome: Outcome) {
        self.progress.send_if_modified(|known| {
            if known.outcome.is_some() {
                return false;
            }
            let of_its_job = |fault: Fault| match (&fault.job_id, &known.job) {
                (None, Some(job)) => fault.of_job(job),
                _ => fault,
            };
            known.outcome = Some(outcome.map_err(of_its_job));
            true
        });
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// By their id.
    open: HashMap<String, Open>,
    /// Those that their nodes answered last, with the node: one that did not hear that says it again.
    answered: VecDeque<(String, String)>,
}

impl Calls {
    /// Whether there is room for one more request of so many bytes to that node; words where there is not.
    pub(super) fn room(&self, node: &str, bytes: usize) -> Result<(), Fault> {
        let busy = |words: String| Err(Fault::new(code::BUSY, words));
        if self.of(node).count() >= MOST_OF_ONE {
            return busy(format!(
                "the node `{node}` has {MOST_OF_ONE} calls under way already; wait for one of them"
            ));
        }
        let under_way: usize = self.of(node).map(|call| call.request.len()).sum();
        if under_way + bytes > MOST_BYTES_OF_ONE {
            return busy(format!(
                "the calls under way to the node `{node}` have {under_way} bytes of parameters already; wait for one of them"
            ));
        }
        if self.open.len() >= MOST {
            return busy(format!("{MOST} calls are under way already; try again in a moment"));
        }
        Ok(())
    }

    fn of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Open> {
        self.open.values().filter(move |call| call.node == node)
    }

    pub(super) fn add(&mut self, id: String, call: Open) {
        self.open.insert(id, call);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Open> {
        self.open.remove(id)
    }

    /// Nobody wants it any more; where its node is away it is told when it comes back.
    pub(super) fn cancel(&mut self, id: &str, frame: Bytes) {
        if let Some(call) = self.open.get_mut(id) {
            call.cancel.get_or_insert(frame);
        }
    }

    /// Whether a node may speak about that call.
    pub(super) fn is_of(&self, id: &str, node: &str) -> bool {
        self.open.get(id).is_some_and(|call| call.node == node)
    }

    /// Notes what a node tells of a call of its own.
    pub(super) fn note(&self, id: &str, node: &str, change: impl FnOnce(&mut Progress)) {
        if let Some(call) = self.open.get(id).filter(|call| call.node == node) {
            call.progress.send_modify(change);
        }
    }

    /// A call of that node ended; whether there is one that nobody has ended yet.
    pub(super) fn settle(&mut self, id: &str, node: &str, outcome: Outcome) -> bool {
        let Some(call) = self.open.get(id).filter(|call| call.node == node) else { return false };
        call.end(outcome);
        if self.answered.len() >= MOST {
            self.answered.pop_front();
        }
        self.answered.push_back((id.to_owned(), node.to_owned()));
        true
    }

    /// Whether that node answered that call before.
    pub(super) fn was_answered(&self, id: &str, node: &str) -> bool {
        self.answered.iter().any(|(answered, by)| answered == id && by == node)
    }

    /// A node is there. What the same process of its program was asked goes on; anything else is lost with the former one.
    pub(super) fn node_came(&self, node: &str, boot: Option<&str>, out: &Outgoing) {
        for call in self.of(node) {
            if boot.is_some() && call.boot.as_deref() == boot {
                out.push(call.request.clone());
                if let Some(cancel) = &call.cancel {
                    out.push(cancel.clone());
                }
                call.progress.send_modify(|known| known.away_since = None);
                continue;
            }
            let words = match &call.boot {
                Some(_) => {
                    format!("the program of the node `{node}` was started anew, and the answer is lost")
                }
                None => format!("another connection took the place of the node `{node}`"),
            };
            call.end(Err(Fault::new(code::NODE_REPLACED, words)));
        }
    }

    /// A node is gone. Who can come back and go on is waited for.
    pub(super) fn node_left(&self, node: &str, now: Instant) {
        for call in self.of(node) {
            if call.boot.is_some() {
                call.progress.send_modify(|known| known.away_since = Some(now));
            } else {
                call.end(Err(gone(node)));
            }
        }
    }
}

/// A node that did not come back.
pub(super) fn gone(node: &str) -> Fault {
    Fault::new(code::NODE_DISCONNECTED, format!("the node `{node}` went away before it answered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_answered_is_not_lost_by_what_becomes_of_the_node_after_it() {
        let (sender, progress) = watch::channel(Progress::default());
        let (node, boot) = ("n".to_owned(), Some("boot-1".to_owned()));
        let open = Open { node, boot, request: Bytes::new(), cancel: None, progress: Arc::new(sender) };
        let mut calls = Calls::default();
        calls.add("c".to_owned(), open);
        let payload = RawValue::from_string("7".to_owned()).unwrap();
        assert!(calls.settle("c", "n", Ok(payload)));
        calls.node_came("n", Some("boot-2"), &Outgoing::default());
        let outcome =
            progress.borrow().outcome.clone().map(|outcome| outcome.map(|told| told.get().to_owned()));
        assert_eq!(outcome, Some(Ok("7".to_owned())));
    }
}
