//! What context each thread has: the same is not sent with every turn again, and one that never arrived counts for nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argus_protocol::ThreadId;

/// Threads that are remembered.
const REMEMBERED: usize = 4096;

/// The memory, by thread. Contexts are known by their hashes.
#[derive(Debug, Default)]
pub(super) struct Given(Mutex<HashMap<ThreadId, Context>>);

#[derive(Debug, Default)]
struct Context {
    /// The one of the last turn that the agent took.
    taken: Option<u64>,
    /// The one of the prompt whose turn has not begun; a thread has one turn at a time.
    offered: Option<u64>,
}

impl Given {
    fn threads(&self) -> MutexGuard<'_, HashMap<ThreadId, Context>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread does not have this context. It is offered to it then, with the turn that is being written.
    pub(super) fn offer(&self, thread: &ThreadId, context: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        context.hash(&mut hasher);
        let hash = hasher.finish();
        let mut threads = self.threads();
        if threads.len() >= REMEMBERED && !threads.contains_key(thread) {
            threads.clear();
        }
        let known = threads.entry(thread.clone()).or_default();
        let news = known.taken != Some(hash);
        known.offered = news.then_some(hash);
        news
    }

    /// The agent took the turn that was written last, and with it what was offered.
    pub(super) fn taken(&self, thread: &ThreadId) {
        if let Some(known) = self.threads().get_mut(thread) {
            known.taken = known.offered.take().or(known.taken);
        }
    }

    /// A turn of that thread failed, and perhaps the thread has nothing of it.
    pub(super) fn forget(&self, thread: &ThreadId) {
        self.threads().remove(thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(id: &str) -> ThreadId {
        id.parse().unwrap()
    }

    #[test]
    fn a_context_is_given_again_until_a_turn_with_it_was_taken() {
        let given = Given::default();
        // Refused, or lost with its agent before it was taken; another thread's turn says nothing of this one.
        assert!(given.offer(&thread("t"), "be kind"));
        assert!(given.offer(&thread("u"), "be kind"));
        given.taken(&thread("u"));
        assert!(given.offer(&thread("t"), "be kind"));
        given.taken(&thread("t"));
        assert!(!given.offer(&thread("t"), "be kind"));
        given.taken(&thread("t"));
        assert!(!given.offer(&thread("t"), "be kind"));
        assert!(given.offer(&thread("t"), "be brief"));
    }

    #[test]
    fn after_a_failed_turn_a_thread_is_given_its_context_anew() {
        let given = Given::default();
        given.offer(&thread("t"), "be kind");
        given.taken(&thread("t"));
        given.forget(&thread("t"));
        assert!(given.offer(&thread("t"), "be kind"));
    }
}
