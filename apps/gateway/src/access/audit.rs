//! The record of what was done with tokens: one line of JSON for each privileged act and for refusals, and in a file beside
//! it for each call of a node, written by one owner beside everything else. No line holds a token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::{Holder, Rate};
use crate::clock::unix_ms;
use crate::store::audit_file::AuditFile;

/// Lines that may wait for the disk. An act waits for a place; what is only mentioned does not.
const WAITING: usize = 256;
/// Refusals that are written at once; after them one in half a minute, so that nobody can fill the file with them.
const REFUSALS_AT_ONCE: u32 = 20;
const REFUSAL_EVERY: Duration = Duration::from_secs(30);
/// Where calls of nodes are noted: agents make as many as they like, and shall push nothing else out.
const CALLS: &str = "calls.log";
/// The same for answers to an agent's questions.
const ANSWERS_AT_ONCE: u32 = 100;
const ANSWER_EVERY: Duration = Duration::from_secs(2);

/// Who did something, from where.
#[derive(Clone, Debug)]
pub struct Author {
    /// With which token; `None` with none that is valid.
    pub who: Option<Holder>,
    /// The far end of the connection.
    pub from: SocketAddr,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Act {
    /// A token was made.
    #[serde(rename = "token created")]
    TokenCreated,
    /// A token was ended.
    #[serde(rename = "token revoked")]
    TokenRevoked,
    /// The operator's token or the key was replaced.
    #[serde(rename = "token rotated")]
    TokenRotated,
    /// A session was deleted.
    #[serde(rename = "session deleted")]
    SessionDeleted,
    /// A pairing code was shown.
    #[serde(rename = "pairing code shown")]
    PairingCodeShown,
    /// Somebody was let in to talk to us, or a group was.
    #[serde(rename = "person approved")]
    PersonApproved,
    /// That was taken back.
    #[serde(rename = "person revoked")]
    PersonRevoked,
    /// A client answered a question of the agent.
    #[serde(rename = "question answered")]
    QuestionAnswered,
    /// A code for a node was shown.
    #[serde(rename = "node code shown")]
    NodeCodeShown,
    /// A node got a credential of its own.
    #[serde(rename = "node enrolled")]
    NodeEnrolled,
    /// That was taken back.
    #[serde(rename = "node revoked")]
    NodeRevoked,
    /// A node connected with a token that is not its own.
    #[serde(rename = "node connected")]
    NodeConnected,
    /// A command was done on a node, or not.
    #[serde(rename = "node invoked")]
    NodeInvoked,
    /// Somebody came with a wrong token, or with one that is for something else.
    #[serde(rename = "refused")]
    Refused,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Unix milliseconds.
    at: u64,
    who: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<SocketAddr>,
    act: Act,
    subject: &'a str,
    outcome: &'a str,
    /// Lines of the same kind that were left out before this one.
    #[serde(skip_serializing_if = "is_zero")]
    unnoted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

struct Entry {
    line: Vec<u8>,
    written: Option<oneshot::Sender<std::io::Result<()>>>,
}

/// The record. Clones are handles to the same one.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    entries: mpsc::Sender<Entry>,
    calls: mpsc::Sender<Entry>,
    refusals: Pace,
    answers: Pace,
    weak_nodes: Pace,
    /// Calls of nodes for whose line there was no place.
    uncalled: AtomicU64,
}

/// How many lines of one kind there may be, and how many there were beside.
struct Pace {
    rate: Rate,
    unnoted: AtomicU64,
}

impl Pace {
    fn new(every: Duration, burst: u32) -> Self {
        Self { rate: Rate::new(every, burst), unnoted: AtomicU64::new(0) }
    }

    /// Whether there may be a line now, and how many were left out before it.
    fn take(&self) -> Option<u64> {
        if self.rate.take(Instant::now()).is_ok() {
            return Some(self.unnoted.swap(0, Ordering::Relaxed));
        }
        self.unnoted.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Audit {
    /// Writes into that file and the one beside it, in threads of their own that end with the last handle.
    pub fn start(file: AuditFile) -> std::io::Result<Self> {
        let begin = |name: &str, file: AuditFile| {
            let (entries, waiting) = mpsc::channel(WAITING);
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(move || write(&file, waiting)).map(|_| entries)
        };
        let calls = begin("audit of calls", file.beside(CALLS))?;
        Ok(Self(Arc::new(Inner {
            entries: begin("audit", file)?,
            calls,
            refusals: Pace::new(REFUSAL_EVERY, REFUSALS_AT_ONCE),
            answers: Pace::new(ANSWER_EVERY, ANSWERS_AT_ONCE),
            weak_nodes: Pace::new(REFUSAL_EVERY, REFUSALS_AT_ONCE),
            uncalled: AtomicU64::new(0),
        })))
    }

    /// Notes an act; the line is on the disk when this answers. An error is in words.
    pub async fn note(&self, by: &Author, act: Act, subject: &str, outcome: &str) -> Result<(), String> {
        let line = line(by, act, subject, outcome, 0);
        let (written, answer) = oneshot::channel();
        let stopped = |_| "the gateway stops".to_owned();
        let entry = Entry { line, written: Some(written) };
        self.0.entries.send(entry).await.map_err(|_| "the gateway stops".to_owned())?;
        answer.await.map_err(stopped)?.map_err(|error| format!("the audit cannot be written: {error}"))
    }

    /// Notes a refusal, unless there were too many lately. Waits for nothing.
    pub fn refused(&self, by: &Author, subject: &str, why: &str) {
        self.mention(&self.0.refusals, by, Act::Refused, subject, why);
    }

    /// Notes a client's answer to a question of the agent, in the same way.
    pub fn answered(&self, by: &Author, subject: &str, decision: &str) {
        self.mention(&self.0.answers, by, Act::QuestionAnswered, subject, decision);
    }

    /// Notes a node that came with a token which many may have, in the same way.
    pub fn weak_node(&self, by: &Author, node: &str) {
        let words = "with a shared token: `argus node enrol` gives it one of its own";
        self.mention(&self.0.weak_nodes, by, Act::NodeConnected, node, words);
    }

    /// Notes a call of a node. Waits for nothing; where the disk is too slow for it, the next line tells how many are missing,
    /// and the log has them all.
    pub fn invoked(&self, who: &str, subject: &str, outcome: &str) {
        let unnoted = self.0.uncalled.swap(0, Ordering::Relaxed);
        let line = Line { at: unix_ms(), who, from: None, act: Act::NodeInvoked, subject, outcome, unnoted };
        if self.0.calls.try_send(Entry { line: written(&line), written: None }).is_err() {
            self.0.uncalled.fetch_add(unnoted + 1, Ordering::Relaxed);
        }
    }

    fn mention(&self, pace: &Pace, by: &Author, act: Act, subject: &str, outcome: &str) {
        let Some(unnoted) = pace.take() else { return };
        let entry = Entry { line: line(by, act, subject, outcome, unnoted), written: None };
        if self.0.entries.try_send(entry).is_err() {
            pace.unnoted.fetch_add(unnoted + 1, Ordering::Relaxed);
        }
    }
}

fn line(by: &Author, act: Act, subject: &str, outcome: &str, unnoted: u64) -> Vec<u8> {
    let who = by.who.as_ref().map_or_else(|| "nobody known".to_owned(), ToString::to_string);
    written(&Line { at: unix_ms(), who: &who, from: Some(by.from), act, subject, outcome, unnoted })
}

fn written(line: &Line<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(line).expect("a line serializes");
    tracing::info!(target: "audit", "{}", String::from_utf8_lossy(&line));
    line.push(b'\n');
    line
}

fn write(file: &AuditFile, mut waiting: mpsc::Receiver<Entry>) {
    while let Some(entry) = waiting.blocking_recv() {
        let done = file.append(&entry.line);
        if let Err(error) = &done {
            tracing::error!(%error, "the audit cannot be written");
        }
        if let Some(written) = entry.written {
            _ = written.send(done);
        }
    }
}
