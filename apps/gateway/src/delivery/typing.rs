//! Shows "typing…" where a turn runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argus_protocol::ChatKey;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::telegram::ChatId;

/// Telegram shows it for five seconds.
const AGAIN: Duration = Duration::from_millis(4500);
/// Actions under way at once; what is over waits for its next turn.
const AT_ONCE: usize = 8;
/// How long one may take: an old one is worth nothing.
const LIMIT: Duration = Duration::from_secs(4);

/// The chats in which turns run.
#[derive(Debug, Default)]
pub(super) struct Typing {
    chats: Mutex<HashMap<ChatKey, Running>>,
    changed: Notify,
}

#[derive(Debug)]
struct Running {
    turns: usize,
    next: Instant,
}

impl Typing {
    /// A turn begins there.
    pub(super) fn begin(&self, chat: &ChatKey) {
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        let running = chats.entry(chat.clone()).or_insert_with(|| Running { turns: 0, next: Instant::now() });
        running.turns += 1;
        self.changed.notify_one();
    }

    /// One of the turns there is over; answers how many are not.
    pub(super) fn end(&self, chat: &ChatKey) -> usize {
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = chats.get_mut(chat) else { return 0 };
        running.turns -= 1;
        let left = running.turns;
        if left == 0 {
            chats.remove(chat);
        }
        left
    }

    /// The chats whose time it is, and when the next one's comes.
    fn due(&self, now: Instant, room: usize) -> (Vec<ChatKey>, Option<Instant>) {
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for (chat, running) in &mut *chats {
            if running.next <= now && due.len() < room {
                running.next = now + AGAIN;
                due.push(chat.clone());
            }
        }
        let next = chats.values().map(|running| running.next).filter(|next| *next > now).min();
        (due, next)
    }
}

/// Shows it until told to stop.
pub(super) async fn run(parts: &Parts, shutdown: &CancellationToken) {
    let mut acting = JoinSet::new();
    loop {
        let now = Instant::now();
        let (due, next) = parts.typing.due(now, AT_ONCE - acting.len());
        for chat in due {
            let free = ChatId::of_key(&chat).is_ok_and(|id| parts.pace().may_act(id, now));
            if free {
                let telegram = parts.telegram.clone();
                acting.spawn(async move {
                    // Whether it works is of no consequence; the answer tells what goes wrong.
                    let _ = tokio::time::timeout(LIMIT, telegram.typing(&chat)).await;
                });
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = parts.typing.changed.notified(), if acting.len() < AT_ONCE => {}
            _ = acting.join_next(), if !acting.is_empty() => {}
            () = super::at(next) => {}
        }
    }
    acting.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ChatKey {
        text.parse().unwrap()
    }

    #[test]
    fn a_chat_is_shown_typing_again_and_again_until_its_last_turn_is_over() {
        let typing = Typing::default();
        typing.begin(&key("7"));
        typing.begin(&key("7"));
        let now = Instant::now();
        assert_eq!(typing.due(now, 9), (vec![key("7")], Some(now + AGAIN)));
        assert_eq!(typing.due(now + AGAIN / 2, 9), (vec![], Some(now + AGAIN)));
        assert_eq!(typing.end(&key("7")), 1);
        assert_eq!(typing.due(now + AGAIN, 9), (vec![key("7")], Some(now + AGAIN * 2)));
        assert_eq!(typing.end(&key("7")), 0);
        assert_eq!(typing.end(&key("7")), 0);
        assert_eq!(typing.due(now + AGAIN * 3, 9), (vec![], None));
    }

    #[test]
    fn only_as_many_are_shown_as_there_is_room() {
        let typing = Typing::default();
        for chat in ["1", "2", "3"] {
            typing.begin(&key(chat));
        }
        let now = Instant::now();
        assert_eq!(typing.due(now, 2).0.len(), 2);
        assert_eq!(typing.due(now, 2).0.len(), 1);
    }
}
