//! `argus/input/enqueue`: text for the agent, as a new turn or behind the one that runs.

use serde::{Deserialize, Serialize};

use crate::ids::{ChatKey, SubmissionId, ThreadId, TurnId};

/// The method's name.
pub const ENQUEUE: &str = "argus/input/enqueue";

/// Its parameters.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Enqueue {
    /// What to say to the agent; not blank.
    pub text: String,
    /// Which thread; absent or blank means the session's main thread.
    #[serde(default)]
    pub thread_id: Option<String>,
    /// `"main"`: the session's main thread, whatever `threadId` says.
    #[serde(default)]
    pub target: Option<String>,
    /// The chat that asked; the answer goes there.
    #[serde(default)]
    pub source: Option<Source>,
    /// The same key again makes no second submission; it is answered as the first was.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// `false`: answer as soon as the submission is durable. Default `true`: wait until it runs or stands in line.
    #[serde(default = "yes")]
    pub wait: bool,
    /// On `POST /rpc`: which session.
    #[serde(default)]
    pub session_id: Option<String>,
}

fn yes() -> bool {
    true
}

/// A chat, as clients name it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// `telegram` (or `tg`).
    pub channel: String,
    /// The chat inside the channel.
    pub chat_key: ChatKey,
}

/// Its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", untagged)]
pub enum Enqueued {
    /// A turn runs.
    Started {
        /// Always true.
        ok: bool,
        /// The thread.
        thread_id: ThreadId,
        /// Always false.
        queued: bool,
        /// Always true.
        started: bool,
        /// The turn, where the agent named it.
        turn_id: Option<TurnId>,
        /// The durable submission.
        submission_id: SubmissionId,
    },
    /// It waits behind a turn.
    Queued {
        /// Always true.
        ok: bool,
        /// The thread, once it is known.
        thread_id: Option<ThreadId>,
        /// Always true.
        queued: bool,
        /// Always false.
        started: bool,
        /// How many wait in this thread now.
        followup_depth: usize,
        /// The durable submission.
        submission_id: SubmissionId,
    },
    /// It is durable (`wait: false`, or the wait took too long).
    Accepted {
        /// Always true.
        ok: bool,
        /// The durable submission.
        submission_id: SubmissionId,
    },
}
