//! What is asked for and how it ended: submissions, where they come from, where they go, their outcomes.

use argus_protocol::argus::chat::Attachment;
use argus_protocol::{ChatKey, SessionId, SubmissionId, ThreadId, TurnId};
use serde::{Deserialize, Serialize};

/// One durable request for a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its id, made by the gateway.
    pub id: SubmissionId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Which thread is meant.
    pub target: Target,
    /// The thread behind the target, where one is bound already.
    pub thread: Option<ThreadId>,
    /// Who asked.
    pub origin: Origin,
    /// What they said.
    pub text: String,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
}

/// Which thread of a session is meant. Everything with an equal target runs in one lane, one turn at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Target {
    /// The session's main thread.
    Main,
    /// A thread by its id.
    Thread {
        /// The id.
        id: ThreadId,
    },
    /// The thread of a chat. `/new` begins another era, and with it another thread.
    Chat {
        /// The chat.
        chat: ChatRef,
        /// Counts the chat's threads.
        era: u32,
    },
    /// A thread with a name of its own among the session's, where nobody writes: a scheduled job's, the heartbeat's.
    Named {
        /// The name.
        name: String,
    },
}

/// One chat of one bot of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChatRef {
    /// `telegram`.
    pub channel: String,
    /// Which bot; for Telegram its numeric id.
    pub bot: String,
    /// The chat inside the channel.
    pub chat: ChatKey,
}

/// Who asked. It travels with the submission into the outcome, so that an answer can only go to who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Origin {
    /// A person in a chat.
    Chat {
        /// Where the answer goes.
        chat: ChatRef,
        /// The channel's id of the person.
        user: String,
        /// The channel's id of the message.
        message: String,
    },
    /// A client of the gateway, which sees the answer in its session; and a chat too where it named one.
    Client {
        /// The chat it named.
        chat: Option<ChatRef>,
    },
    /// Nobody: a scheduled job was due.
    Cron {
        /// The job.
        job: String,
        /// Names this very run of it.
        run: String,
        /// Where the answer goes.
        chat: Option<ChatRef>,
    },
    /// Nobody: the session looked by itself whether there is something to do.
    Heartbeat {
        /// What made it look.
        why: Beat,
        /// Where an alert goes.
        chat: Option<ChatRef>,
    },
}

/// What made a session look by itself whether there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Beat {
    /// Its time had come.
    Due,
    /// System events waited.
    Events,
    /// Somebody asked it to.
    Asked,
}

impl Origin {
    /// The chat that the answer goes to.
    pub fn chat(&self) -> Option<&ChatRef> {
        match self {
            Self::Chat { chat, .. } => Some(chat),
            Self::Client { chat } | Self::Cron { chat, .. } | Self::Heartbeat { chat, .. } => chat.as_ref(),
        }
    }

    /// The chat that sees the work as it goes on. Of what nobody asked for it sees the end alone, if anything.
    pub fn watcher(&self) -> Option<&ChatRef> {
        self.chat().filter(|_| !self.is_unasked())
    }

    /// Whether the assistant acts by itself.
    pub fn is_unasked(&self) -> bool {
        match self {
            Self::Chat { .. } | Self::Client { .. } => false,
            Self::Cron { .. } | Self::Heartbeat { .. } => true,
        }
    }
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Outcome {
    /// The agent finished.
    Completed {
        /// Its answer, as it wrote it; may be empty.
        text: String,
    },
    /// Somebody stopped it.
    Interrupted {
        /// What was said so far.
        text: String,
    },
    /// It did not finish. It is never run again by itself: its commands had effects.
    Failed {
        /// For a person: what failed and what to do.
        reason: String,
        /// What was said so far.
        text: String,
    },
}

impl Outcome {
    /// A failure before anything was said.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), text: String::new() }
    }
}

/// The end of one turn that submissions asked for, to be made durable and delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The submissions it answers; several when they were merged. All of one origin chat.
    pub submissions: Vec<SubmissionId>,
    /// Who asked (the newest of them).
    pub origin: Origin,
    /// The thread, where there was one.
    pub thread: Option<ThreadId>,
    /// The turn, where the agent named it.
    pub turn: Option<TurnId>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it took, where the agent said.
    pub usage: Option<Usage>,
}

/// The tokens that a turn took, as the agent counts them (`thread/tokenUsage/updated`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Read by the model, with those from its cache.
    pub input: u64,
    /// Of these from its cache.
    pub cached: u64,
    /// Written by the model.
    pub output: u64,
}
