//! What context each thread has: the same is not sent with every turn again, and one that never arrived counts for nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argus_protocol::ThreadId;
use argus_session::Origin;

/// Threads that are remembered.
const REMEMBERED: usize = 4096;

/// The memory, by thread. Contexts are known by their hashes.
#[derive(Debug, Default)]
pub(super) struct Given(Mutex<HashMap<ThreadId, Context>>);

#[derive(Debug, Default)]
struct Context {
    /// The one of the last turn that the agent took.
    taken: Option<u64>,
    /// The one of a prompt whose turn has not begun, and who asked for that turn.
    offered: Option<(u64, Origin)>,
}

impl Given {
    fn threads(&self) -> MutexGuard<'_, HashMap<ThreadId, Context>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread does not have this context. It is offered to it then, with the turn that `origin` asked for.
    pub(super) fn offer(&self, thread: &ThreadId, origin: &Origin, context: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        context.hash(&mut hasher);
        let hash = hasher.finish();
        let mut threads = self.threads();
        if threads.len() >= REMEMBERED && !threads.contains_key(thread) {
            threads.clear();
        }
        let known = threads.entry(thread.clone()).or_default();
        let news = known.taken != Some(hash);
        known.offered = news.then(|| (hash, origin.clone()));
        news
    }

    /// The agent took the turn that was asked for there, and with it what was offered.
    pub(super) fn taken(&self, origin: &Origin) {
        for known in self.threads().values_mut() {
            if let Some((hash, _)) = known.offered.take_if(|(_, asked)| asked == origin) {
                known.taken = Some(hash);
            }
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

    fn asked(message: &str) -> Origin {
        let chat = argus_session::ChatRef {
            channel: "telegram".into(),
            bot: "1".into(),
            chat: "7".parse().unwrap(),
        };
        Origin::Chat { chat, user: "7".into(), message: message.into() }
    }

    fn thread(id: &str) -> ThreadId {
        id.parse().unwrap()
    }

    #[test]
    fn a_context_is_given_again_until_a_turn_with_it_was_taken() {
        let given = Given::default();
        // Refused, or lost with its agent before it was taken; another thread's turn says nothing of this one.
        assert!(given.offer(&thread("t"), &asked("1"), "be kind"));
        assert!(given.offer(&thread("u"), &asked("2"), "be kind"));
        given.taken(&asked("2"));
        assert!(given.offer(&thread("t"), &asked("3"), "be kind"));
        given.taken(&asked("3"));
        assert!(!given.offer(&thread("t"), &asked("4"), "be kind"));
        given.taken(&asked("4"));
        assert!(!given.offer(&thread("t"), &asked("5"), "be kind"));
        assert!(given.offer(&thread("t"), &asked("6"), "be brief"));
    }

    #[test]
    fn after_a_failed_turn_a_thread_is_given_its_context_anew() {
        let given = Given::default();
        given.offer(&thread("t"), &asked("1"), "be kind");
        given.taken(&asked("1"));
        given.forget(&thread("t"));
        assert!(given.offer(&thread("t"), &asked("2"), "be kind"));
    }
}
