//! Which writing of a prompt is the newest: an older one that comes to its end late must not change what a turn carries that
//! is on its way already.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use argus_protocol::SubmissionId;

/// What is being written now.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Writings>);

#[derive(Debug, Default)]
struct Writings {
    count: u64,
    of: HashMap<SubmissionId, u64>,
}

/// One writing, until it is dropped.
pub(super) struct Writing<'a> {
    newest: &'a Newest,
    number: u64,
    submissions: &'a [SubmissionId],
}

impl Newest {
    /// A prompt for these begins to be written; from now on it is the newest for each of them.
    pub(super) fn begins<'a>(&'a self, submissions: &'a [SubmissionId]) -> Writing<'a> {
        let mut writings = self.writings();
        writings.count += 1;
        let number = writings.count;
        writings.of.extend(submissions.iter().map(|id| (id.clone(), number)));
        Writing { newest: self, number, submissions }
    }

    fn writings(&self) -> MutexGuard<'_, Writings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing<'_> {
    /// Whether no other was begun since for any of them.
    pub(super) fn is_newest(&self) -> bool {
        let writings = self.newest.writings();
        self.submissions.iter().all(|id| writings.of.get(id) == Some(&self.number))
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut writings = self.newest.writings();
        for id in self.submissions {
            if writings.of.get(id) == Some(&self.number) {
                writings.of.remove(id);
            }
        }
    }
}
