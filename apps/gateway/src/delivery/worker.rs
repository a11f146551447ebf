//! The worker: each chat's messages one after the other, several chats beside each other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::ChatKey;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::{Ended, attempt};
use super::show::show;
use super::{Parts, Token};
use crate::clock::unix_ms;
use crate::store::ledger::{LedgerError, Row};
use crate::telegram::{CHANNEL, ChatId};

/// Messages under way at once.
const AT_ONCE: usize = 16;
/// Changes of growing messages begin while no more than that is under way: the rest of the room is left to messages.
const SHOWN_AT_ONCE: usize = AT_ONCE / 2;
/// Chats looked at in one go, those due first.
const LOOKED_AT: u32 = 256;
/// The longest that a pause from before the start counts, and how long a chat waits whose message broke us.
const LONG_PAUSE: Duration = Duration::from_mins(1);
/// How long it waits when the ledger cannot be read.
const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// How long messages under way may take to end when we stop.
const GRACE: Duration = Duration::from_secs(8);

/// Sends until told to stop.
pub(super) async fn run(parts: &Arc<Parts>, shutdown: &CancellationToken) {
    let mut desk = Desk {
        parts: Arc::clone(parts),
        shutdown: shutdown.clone(),
        sending: JoinSet::new(),
        under_way: HashMap::new(),
    };
    let mut grew = parts.ledger.outbox_grew();
    if let Err(error) = desk.take_up_pauses().await {
        tracing::error!(%error, "the outbox cannot be read");
    }
    loop {
        let next = desk.dispatch().await;
        tokio::select! {
            () = shutdown.cancelled() => break,
            // The ledger's writer lives as long as the ledger, which we hold.
            Ok(()) = grew.changed() => {}
            () = parts.live.changed().notified() => {}
            Some(ended) = desk.sending.join_next_with_id() => desk.finish(ended),
            () = super::at(next) => {}
        }
    }
    let rest = async { while desk.sending.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("messages under way did not end in time; they go out again after the next start");
    }
}

struct Desk {
    parts: Arc<Parts>,
    shutdown: CancellationToken,
    sending: JoinSet<Ended>,
    under_way: HashMap<Id, ChatKey>,
}

impl Desk {
    /// What was told to wait before the start waits on, but never long: the clock may have jumped meanwhile.
    async fn take_up_pauses(&self) -> Result<(), LedgerError> {
        let (now, now_ms) = (Instant::now(), unix_ms());
        let rows = self.waiting_rows().await?;
        let mut pace = self.parts.pace();
        for row in rows.iter().filter(|row| row.attempts > 0) {
            let left = Duration::from_millis(row.next_attempt_ms.saturating_sub(now_ms)).min(LONG_PAUSE);
            if let Ok(chat) = ChatId::of_key(&row.chat.chat) {
                pace.hold(chat, now + left);
            }
        }
        Ok(())
    }

    async fn waiting_rows(&self) -> Result<Vec<Row>, LedgerError> {
        self.parts.ledger.waiting_rows(CHANNEL, self.parts.telegram.bot_id(), LOOKED_AT).await
    }

    /// Sends what may go now, and tells when something else may. While the token is refused one message tries it.
    async fn dispatch(&mut self) -> Option<Instant> {
        let room = match self.parts.record().token {
            Token::Accepted => AT_ONCE,
            Token::Refused => 1,
        };
        if self.under_way.len() >= room {
            return None;
        }
        let rows = match self.waiting_rows().await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read; trying again");
                self.parts.note_error(error.to_string());
                return Some(Instant::now() + SHORT_PAUSE);
            }
        };
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        // Where messages wait nothing is shown meanwhile; where not all of them were seen, nowhere.
        let seen_all = rows.len() < LOOKED_AT as usize;
        let waiting: HashSet<ChatKey> = rows.iter().map(|row| row.chat.chat.clone()).collect();
        for row in rows {
            if self.under_way.len() >= room {
                break;
            }
            if self.under_way.values().any(|chat| *chat == row.chat.chat) {
                continue;
            }
            // A key that is none goes on all the same: the attempt says what is wrong with it.
            if let Ok(chat) = ChatId::of_key(&row.chat.chat) {
                let mut pace = self.parts.pace();
                let ready = pace.ready_at(chat, now);
                if ready > now {
                    next = earlier(next, Some(ready));
                    continue;
                }
                pace.sent(chat, now);
            }
            self.send(row);
        }
        if seen_all && room == AT_ONCE {
            next = earlier(next, self.show(now, &waiting));
        }
        self.parts.pace().forget_old(now);
        next
    }

    /// Shows how far turns have come, where nothing else is to be said, and tells when something else may be shown.
    fn show(&mut self, now: Instant, waiting: &HashSet<ChatKey>) -> Option<Instant> {
        let mut next = None;
        for (submission, key, due) in self.parts.live.waiting() {
            let busy = waiting.contains(&key) || self.under_way.values().any(|chat| *chat == key);
            if busy || self.under_way.len() >= SHOWN_AT_ONCE {
                continue;
            }
            let Ok(chat) = ChatId::of_key(&key) else {
                self.parts.live.end(&submission);
                continue;
            };
            let ready = due.max(self.parts.pace().ready_for_change(chat, now));
            if ready > now {
                next = earlier(next, Some(ready));
                continue;
            }
            let Some(change) = self.parts.live.take(&submission, now) else { continue };
            self.parts.pace().shown(chat, now);
            let (parts, shutdown) = (Arc::clone(&self.parts), self.shutdown.clone());
            let task = self.sending.spawn(async move { show(&parts, &change, &shutdown).await });
            self.under_way.insert(task.id(), key);
        }
        next
    }

    fn send(&mut self, row: Row) {
        let (parts, shutdown, chat) = (Arc::clone(&self.parts), self.shutdown.clone(), row.chat.chat.clone());
        let task = self.sending.spawn(async move { attempt(&parts, &row, &shutdown).await });
        self.under_way.insert(task.id(), chat);
    }

    fn finish(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "sending a message broke off");
                (error.id(), Ended::Pause(LONG_PAUSE))
            }
        };
        let Some(chat) = self.under_way.remove(&id) else { return };
        let Ok(chat) = ChatId::of_key(&chat) else { return };
        let (mut pace, now) = (self.parts.pace(), Instant::now());
        match ended {
            Ended::Done => {}
            Ended::Pause(pause) => pace.hold(chat, now + pause),
            Ended::Refused(pause) => pace.refused(chat, now + pause, now),
            Ended::Unauthorized => pace.hold_all(now + self.parts.limits.token_pause),
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}
