//! Tests of the ledger, all on real files.

mod events;
mod facts;
mod files;
mod notes;
mod outbox;
mod questions;
mod submissions;
mod tokens;
mod writes;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argus_protocol::SubmissionId;
use argus_session::{ChatRef, OpenState, OpenSubmission, Origin, Outcome, Settlement, Submission, Target};

use super::*;

/// A ledger in a folder of its own, with a clock that stands at 1000 until it is set.
struct Desk {
    dir: tempfile::TempDir,
    clock: Arc<AtomicU64>,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(AtomicU64::new(1000)) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("ledger.db")
    }

    async fn open(&self) -> Ledger {
        let clock = Arc::clone(&self.clock);
        Ledger::open_with_clock(&self.path(), answer, Arc::new(move || clock.load(Ordering::SeqCst)))
            .await
            .unwrap()
    }

    fn set_clock(&self, ms: u64) {
        self.clock.store(ms, Ordering::SeqCst);
    }
}

/// One row that tells the outcome and the language.
fn answer(settlement: &Settlement, language: Language) -> Vec<NewRow> {
    let Some(chat) = settlement.origin.chat() else { return Vec::new() };
    let text = match &settlement.outcome {
        Outcome::Completed { text } | Outcome::Interrupted { text } => text.clone(),
        Outcome::Failed { reason, .. } => reason.clone(),
    };
    let plain = format!("{language:?}: {text}");
    vec![NewRow {
        dedupe_key: format!("{}:0", settlement.submissions[0]),
        chat: chat.clone(),
        body: Body::Text(TextBody::of(plain.clone(), plain)),
    }]
}

fn id(number: u8) -> SubmissionId {
    format!("{number:032x}").parse().unwrap()
}

fn ids(numbers: &[u8]) -> Vec<SubmissionId> {
    numbers.iter().map(|n| id(*n)).collect()
}

fn session(text: &str) -> argus_protocol::SessionId {
    text.parse().unwrap()
}

fn thread(text: &str) -> argus_protocol::ThreadId {
    text.parse().unwrap()
}

fn turn(text: &str) -> argus_protocol::TurnId {
    text.parse().unwrap()
}

fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() }
}

fn from_chat(key: &str) -> Origin {
    Origin::Chat { chat: chat(key), user: "7".into(), message: "m1".into() }
}

/// Submission `number` of session `s`, asked by chat `c` for its own thread.
fn submission(number: u8) -> Submission {
    Submission {
        id: id(number),
        session: session("s"),
        target: Target::Chat { chat: chat("c"), era: 0 },
        thread: None,
        origin: from_chat("c"),
        text: format!("text {number}"),
        attachments: Vec::new(),
    }
}

fn new(number: u8) -> NewSubmission {
    NewSubmission { submission: submission(number), idempotency_key: None }
}

fn completed(numbers: &[u8], text: &str) -> Settlement {
    Settlement {
        submissions: ids(numbers),
        origin: from_chat("c"),
        thread: Some(thread("t")),
        turn: Some(turn("u")),
        outcome: Outcome::Completed { text: text.to_owned() },
        usage: None,
    }
}

/// What waits for the chats of bot 1: chat and plain text.
async fn waiting(ledger: &Ledger) -> Vec<(String, String)> {
    let rows = ledger.waiting_rows("telegram", "1", 100).await.unwrap();
    rows.into_iter()
        .map(|row| {
            let Body::Text(TextBody { plain, .. }) = row.body else { panic!("a text") };
            (row.chat.chat.to_string(), plain)
        })
        .collect()
}

/// The open submissions of session `s`, as far as they came.
async fn open_of_s(ledger: &Ledger) -> Vec<(Submission, OpenState)> {
    let open = ledger.open_submissions(&session("s")).await.unwrap();
    open.into_iter().map(|OpenSubmission { submission, state }| (submission, state)).collect()
}
