//! Everything a session may ask its owner to do.

use std::sync::Arc;

use argus_protocol::argus::chat::Attachment;
use argus_protocol::{ClientId, SubmissionId, ThreadId, TurnId};
use bytes::Bytes;

use crate::hastening::Hastened;
use crate::input::{StoreTicket, Ticket};
use crate::lane::LaneId;
use crate::progress::Progress;
use crate::questions::{ChatQuestion, QuestionEnd};
use crate::turn::{Origin, Settlement, Target};

/// To be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send to one client.
    ToClient {
        /// Which.
        client: ClientId,
        /// One frame.
        text: Bytes,
    },
    /// Send to every client but those that opted out of this method (resolved already).
    ToClients {
        /// Which, ascending; shared bytes for all.
        clients: Arc<[ClientId]>,
        /// One frame.
        text: Bytes,
    },
    /// This client is here again over another connection: end this one.
    Replaced {
        /// The connection.
        client: ClientId,
    },
    /// Send to the runtime.
    ToRuntime {
        /// Its number.
        seq: u64,
        /// One frame.
        text: Bytes,
    },
    /// Tell the bridge that lines up to here may be forgotten.
    Ack {
        /// A line's number.
        seq: u64,
    },
    /// Reach a runtime: adopt the one that lives, or make one. Answered by [`crate::Input::LinkUp`] or
    /// [`crate::Input::ProvisionFailed`], within a time that the owner bounds.
    Provision,
    /// Start the agent behind the link. Given again when it may not have been heard; harmless where one runs.
    StartAgent,
    /// End the agent's processes at once. Given again until the bridge says that they are gone.
    KillAgent,
    /// Nothing is needed: stop the runtime gently. Answered by [`crate::Input::LinkDown`] when it is gone.
    StopRuntime,
    /// Write the prompt. Answered by [`crate::Input::Prepared`], within a time that the owner bounds.
    Prepare(Preparation),
    /// Make durable, one after the other. Answered by [`crate::Input::Stored`].
    Store {
        /// For the answer.
        ticket: StoreTicket,
        /// What.
        op: StoreOp,
    },
    /// Write down what was said to everybody. Answered by [`crate::Input::Kept`]; it has to survive the owner, not the
    /// machine.
    Keep(KeptFrame),
    /// The answer to a question.
    Answer {
        /// Which question.
        ticket: Ticket,
        /// The answer.
        answer: Answer,
    },
    /// The agent asks something in a turn that a chat asked for. Given again when it may not have been heard, with the
    /// same key. Answered by [`crate::Input::ChatAnswers`], or never.
    AskChat(ChatQuestion),
    /// Such a question needs no answer of the chat any more.
    QuestionOver {
        /// Which.
        key: String,
        /// Why.
        end: QuestionEnd,
    },
    /// The agent works on a turn that a chat asked for. Nothing is lost where nobody looks.
    Progress {
        /// Who asked.
        origin: Origin,
        /// The first submission of the turn.
        submission: SubmissionId,
        /// What it did.
        progress: Progress,
    },
    /// A turn that somebody asked for runs.
    TurnRunning {
        /// Who asked.
        origin: Origin,
        /// In this thread, where it is known.
        thread: Option<ThreadId>,
    },
    /// Such a turn runs no more; its settlement was asked for before.
    TurnOver {
        /// Who asked.
        origin: Origin,
    },
}

/// One frame that was said to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFrame {
    /// Its number, one more than that of the one before.
    pub number: u64,
    /// The bridge process it came from, empty where there was none …
    pub boot: Arc<str>,
    /// … and the newest line of it that was seen then.
    pub line: u64,
    /// The frame, without its number.
    pub text: Bytes,
}

/// What a prompt is to be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// For the answer.
    pub lane: LaneId,
    /// For the answer too: which of the lane's attempts this is.
    pub attempt: u64,
    /// The thread it goes to.
    pub thread: ThreadId,
    /// The submissions that the turn is for, oldest first.
    pub submissions: Vec<SubmissionId>,
    /// Who asked.
    pub origin: Origin,
    /// What they said, merged where several waited.
    pub text: String,
    /// The files that came with it, in order.
    pub attachments: Vec<Attachment>,
    /// Whether it is told within a turn that runs, which is past being chosen a model for.
    pub steers: bool,
}

/// What must be durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOp {
    /// The thread behind a target.
    Bind {
        /// Main or a chat.
        target: Target,
        /// The thread.
        thread: ThreadId,
    },
    /// A `turn/start` is about to be sent.
    Starting {
        /// For these submissions.
        submissions: Vec<SubmissionId>,
        /// In this thread.
        thread: ThreadId,
        /// To this bridge process.
        boot: String,
        /// As this frame.
        down_seq: u64,
        /// With this id.
        request_id: u64,
        /// The newest line seen before.
        after_seq: u64,
    },
    /// A `turn/steer` is about to be sent: what it tells belongs to a turn that runs.
    Steering {
        /// The submission that it tells.
        submission: SubmissionId,
        /// In this thread.
        thread: ThreadId,
        /// To this bridge process.
        boot: String,
        /// As this frame.
        down_seq: u64,
        /// With this id.
        request_id: u64,
        /// The newest line seen before.
        after_seq: u64,
        /// The turn.
        turn: TurnId,
    },
    /// The agent named the turn.
    Running {
        /// Of these submissions.
        submissions: Vec<SubmissionId>,
        /// The turn.
        turn: TurnId,
    },
    /// They stand in line again: their `turn/start` never arrived, or their `turn/steer` came to nothing. To be tried until
    /// it works.
    Queued {
        /// These submissions.
        submissions: Vec<SubmissionId>,
    },
    /// A turn that somebody asked for ended. To be tried until it works.
    Settle(Settlement),
    /// The agent's reply to `initialize`.
    Handshake {
        /// Which agent.
        epoch: u64,
        /// JSON text.
        result: String,
    },
    /// What is open now, so that lines up to `seq` may be forgotten.
    Checkpoint {
        /// The bridge process.
        boot: String,
        /// A line's number.
        seq: u64,
        /// JSON text.
        body: String,
    },
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The submission's turn runs.
    Started {
        /// In this thread.
        thread: ThreadId,
        /// The turn.
        turn: Option<TurnId>,
    },
    /// The submission stands in line.
    Queued {
        /// In this thread, once it is known.
        thread: Option<ThreadId>,
        /// How many wait there.
        depth: usize,
    },
    /// The main thread.
    Thread(ThreadId),
    /// What `/stop` found.
    Stopped {
        /// Whether a turn ran (or was about to).
        running: bool,
        /// How many wait behind it.
        waiting: usize,
    },
    /// What `/status` asks for.
    Status(LaneStatus),
    /// What became of a wish for haste.
    Hastened(Hastened),
    /// Whether a submission still waited, and has another text now.
    Amended(bool),
    /// It cannot be done.
    Failed(String),
}

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// The thread, once it is known.
    pub thread: Option<ThreadId>,
    /// Unix milliseconds since when a turn runs.
    pub running_since: Option<u64>,
    /// How many submissions wait.
    pub waiting: usize,
    /// The runtime in a word: `absent`, `starting`, `ready`, `failing`.
    pub runtime: &'static str,
    /// The newest trouble, in words.
    pub trouble: Option<String>,
}
