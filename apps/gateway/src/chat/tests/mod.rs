//! What people write and press and what comes of it, on a real ledger.

mod commands;
mod decisions;
mod forms;
mod messages;
mod people;
mod questions;
mod replies;
mod running;
mod sessions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use argus_protocol::argus::chat::{Attachment, AttachmentKind, ChatKind, Manner, Press, Pressed, User};
use argus_protocol::{SessionId, SubmissionId, ThreadId};
use argus_session::{Haste, Hastened, LaneStatus, Origin, Target};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use self::sessions::Sessions;
use super::ports::{SessionLine, Standing, Stopped};
use super::*;
use crate::config::Scope;
use crate::store::ledger::{Body, Button, EditBody, Language, NewRow, TextBody};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn session() -> SessionId {
    "a1b2c3d4e5f6".parse().unwrap()
}

type Answers = fn(&argus_session::Settlement, Language) -> Vec<NewRow>;

fn no_answers(_: &argus_session::Settlement, _: Language) -> Vec<NewRow> {
    Vec::new()
}

fn parts(ledger: &Ledger, sessions: &Arc<Sessions>, allowed: &[&str]) -> ChatsParts {
    ChatsParts {
        ledger: ledger.clone(),
        turns: Arc::clone(sessions) as _,
        machines: Arc::clone(sessions) as _,
        scope: Scope::Shared,
        allowed: ids(allowed),
        operators: ids(&[]),
        open_chats: ids(&[]),
        sends_as: ids(&["42"]),
        while_running: WhileRunning::Queue,
        sandbox: "workspace-write".to_owned(),
        approval: "on-request".to_owned(),
        gathering: Gathering { context: 2, media_limit: 1 << 20, ..Gathering::default() },
        inquiries: Arc::new(Semaphore::new(INQUIRIES)),
    }
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A gateway's chats: people 1 to 9, whose private chats have their numbers, and a group -5.
struct Desk {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    sessions: Arc<Sessions>,
    chats: Chats,
    clock: Arc<AtomicU64>,
    next: AtomicU64,
}

impl Desk {
    async fn new(allowed: &[&str]) -> Self {
        Self::with(allowed, |_| {}).await
    }

    /// Person 7 is the operator, and outcomes are told so.
    async fn answering(answers: Answers) -> Self {
        Self::made(&["7"], answers, |_| {}).await
    }

    async fn with(allowed: &[&str], change: impl FnOnce(&mut ChatsParts)) -> Self {
        Self::made(allowed, no_answers, change).await
    }

    async fn made(allowed: &[&str], answers: Answers, change: impl FnOnce(&mut ChatsParts)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(10 * DAY));
        let time = Arc::clone(&clock);
        let path = dir.path().join("ledger.db");
        let clock_of_ledger = Arc::new(move || time.load(Ordering::SeqCst));
        let ledger = Ledger::open_with_clock(&path, answers, clock_of_ledger).await.unwrap();
        let sessions = Arc::new(Sessions::default());
        let mut parts = parts(&ledger, &sessions, allowed);
        change(&mut parts);
        let chats = Chats::new(parts);
        Self { _dir: dir, ledger, sessions, chats, clock, next: AtomicU64::new(1) }
    }

    /// The same gateway with other settings.
    fn again(&self, allowed: &[&str], change: impl FnOnce(&mut ChatsParts)) -> Chats {
        let mut parts = parts(&self.ledger, &self.sessions, allowed);
        change(&mut parts);
        Chats::new(parts)
    }

    /// Person 7 has paired.
    async fn with_operator() -> Self {
        let desk = Self::new(&[]).await;
        let code = desk.code().await;
        assert_eq!(
            desk.says("7", &code).await,
            "We are paired: you are the operator. Write to me what you need."
        );
        desk
    }

    async fn code(&self) -> String {
        self.chats.pairing_code().await.unwrap().code
    }

    fn later(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    fn message(&self, user: &str, chat: &str, text: &str) -> Receive {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        Receive {
            channel: "telegram".into(),
            bot: "42".into(),
            chat_key: chat.parse().unwrap(),
            chat_kind: if chat.starts_with('-') { ChatKind::Group } else { ChatKind::Private },
            user: User { id: user.into(), name: format!("P{user}"), language: None },
            message_id: number.to_string(),
            text: text.into(),
            attachments: Vec::new(),
            unsupported: Vec::new(),
            reply_to: None,
            album: None,
            manner: Manner::Addressed,
            idempotency_key: format!("k{number}"),
        }
    }

    async fn receive(&self, message: &Receive) -> Disposition {
        self.chats.receive(message).await.unwrap().disposition
    }

    /// What waits in the outbox for a chat: the first line of the oldest, which then counts as sent.
    async fn read(&self, chat: &str) -> Option<String> {
        let rows = self.ledger.waiting_rows("telegram", "42", 100).await.unwrap();
        let row = rows.into_iter().find(|row| row.chat.chat.as_str() == chat)?;
        self.ledger.mark_sent(row.id, &format!("m{}", row.id)).await.unwrap();
        let Body::Text(TextBody { plain, .. }) = row.body else { panic!("a text") };
        Some(plain)
    }

    /// The oldest that waits in the outbox for a chat, which then counts as sent, as message `m<row>`.
    async fn sent(&self, chat: &str) -> Option<(String, Body)> {
        let rows = self.ledger.waiting_rows("telegram", "42", 100).await.unwrap();
        let row = rows.into_iter().find(|row| row.chat.chat.as_str() == chat)?;
        let message = format!("m{}", row.id);
        self.ledger.mark_sent(row.id, &message).await.unwrap();
        Some((message, row.body))
    }

    /// A text with buttons: its message id, what it says, its buttons.
    async fn asked(&self, chat: &str) -> (String, String, Vec<Button>) {
        let Some((message, Body::Text(TextBody { plain, buttons, .. }))) = self.sent(chat).await else {
            panic!("a text")
        };
        (message, plain, buttons.into_iter().flatten().collect())
    }

    /// A change of a message: what it says, its buttons.
    async fn edited(&self, chat: &str) -> (String, Vec<Button>) {
        let Some((_, Body::Edit(EditBody { plain, buttons, .. }))) = self.sent(chat).await else {
            panic!("a change")
        };
        (plain, buttons.into_iter().flatten().collect())
    }

    fn pressing(&self, user: &str, chat: &str, data: &str) -> Press {
        let message = self.message(user, chat, "");
        Press {
            channel: message.channel,
            bot: message.bot,
            chat_key: message.chat_key,
            chat_kind: message.chat_kind,
            user: message.user,
            message_id: "1".into(),
            data: data.into(),
            idempotency_key: format!("p{}", message.idempotency_key),
        }
    }

    async fn presses(&self, user: &str, chat: &str, data: &str) -> Pressed {
        self.chats.press(&self.pressing(user, chat, data)).await.unwrap()
    }

    /// Somebody writes in private and gets this first line, or this disposition when there is no answer.
    async fn says(&self, user: &str, text: &str) -> String {
        let disposition = self.receive(&self.message(user, user, text)).await;
        match self.read(user).await {
            Some(answer) => answer.lines().next().unwrap_or_default().to_owned(),
            None => format!("{disposition:?}"),
        }
    }

    fn whole(&self) -> Vec<Submission> {
        locked(&self.sessions.submitted).clone()
    }

    fn submitted(&self) -> Vec<(String, Target)> {
        locked(&self.sessions.submitted).iter().map(|s| (s.text.clone(), s.target.clone())).collect()
    }
}

fn target(chat: &str, era: u32) -> Target {
    Target::Chat {
        chat: ChatRef { channel: "telegram".into(), bot: "42".into(), chat: chat.parse().unwrap() },
        era,
    }
}

fn a_picture() -> Attachment {
    Attachment { kind: AttachmentKind::Photo, source: "f1".into(), name: None, mime: None, size: None }
}
