//! Everything that can happen to a session.

use argus_protocol::argus::session::Attached;
use argus_protocol::bridge::{AgentState, Event};
use argus_protocol::{ClientId, Frame, SubmissionId, ThreadId, TurnId};
use bytes::Bytes;

use crate::lane::LaneId;
use crate::turn::{Submission, Target};

/// Time, as the owner says: both in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never jumps; for limits.
    pub mono: u64,
    /// Unix time; for people.
    pub unix: u64,
}

/// Names a question whose answer comes as an [`crate::Effect::Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// Names something to be made durable; answered by [`Input::Stored`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreTicket(pub(crate) u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A client connected.
    Attached {
        /// The client.
        client: ClientId,
        /// What it wants.
        arrival: Arrival,
    },
    /// A client is gone.
    Detached {
        /// The client.
        client: ClientId,
    },
    /// A client sent a frame (never one of `argus/*`).
    FromClient {
        /// The client.
        client: ClientId,
        /// The frame.
        frame: Frame,
    },
    /// The runtime is reached. Its kept lines follow as [`Input::FromRuntime`].
    LinkUp(LinkUp),
    /// The runtime is not reached any more. Whether it may live, [`LinkUp::after_loss`] said.
    LinkDown {
        /// In words.
        reason: String,
    },
    /// There is no runtime to be had.
    ProvisionFailed {
        /// In words: what failed, what to do.
        reason: String,
        /// Whether it may well work later without anybody's doing: submissions go on waiting.
        passing: bool,
    },
    /// There may be a runtime to be had now: it is asked for again without waiting longer.
    RuntimeMayBeHad,
    /// A runtime lives that nobody of us has reached yet: it is adopted.
    RuntimeLives,
    /// Another session needs the place of this one's runtime: it is stopped if nothing needs it.
    MakeRoom,
    /// Something that a turn left in the runtime still goes on, such as a job of its node. It does not start one.
    StillAtWork,
    /// A numbered line of the runtime.
    FromRuntime {
        /// Its number.
        seq: u64,
        /// What it says.
        line: RuntimeLine,
    },
    /// The runtime took every frame up to this number.
    RuntimeTook {
        /// A number of [`crate::Effect::ToRuntime`].
        seq: u64,
    },
    /// A durable submission.
    Submit {
        /// It.
        submission: Submission,
        /// Who wants to know when it runs or stands in line.
        ticket: Option<Ticket>,
    },
    /// Make sure there is a main thread, loaded.
    EnsureMain {
        /// Answered with [`crate::Answer::Thread`].
        ticket: Ticket,
    },
    /// End what runs there.
    Stop {
        /// Where.
        target: Target,
        /// Answered with [`crate::Answer::Stopped`].
        ticket: Ticket,
    },
    /// How is it there?
    Status {
        /// Where.
        target: Target,
        /// Answered with [`crate::Answer::Status`].
        ticket: Ticket,
    },
    /// Bring a submission that waits to the agent now.
    Hasten {
        /// Which.
        submission: SubmissionId,
        /// How.
        how: Haste,
        /// Answered with [`crate::Answer::Hastened`].
        ticket: Ticket,
    },
    /// Change the text of a submission that waits. The owner has made it durable.
    Amend {
        /// Which.
        submission: SubmissionId,
        /// Its text from now on.
        text: String,
        /// Answered with [`crate::Answer::Amended`].
        ticket: Ticket,
    },
    /// The chat's answer to [`crate::Effect::AskChat`]. The first answer counts; a late one goes nowhere.
    ChatAnswers {
        /// Which question.
        key: String,
        /// The result for the agent, JSON text.
        result: String,
    },
    /// The prompt that [`crate::Effect::Prepare`] asked for.
    Prepared {
        /// The lane.
        lane: LaneId,
        /// Which of its attempts.
        attempt: u64,
        /// The whole text for the agent.
        prompt: Result<Prompt, String>,
    },
    /// What [`crate::Effect::Store`] asked for is durable, or could not be made so.
    Stored {
        /// Which.
        ticket: StoreTicket,
        /// In words where it failed.
        result: Result<(), String>,
    },
    /// What [`crate::Effect::Keep`] asked for is written, up to this number.
    Kept {
        /// A number.
        number: u64,
    },
    /// The session ends for good.
    Closed {
        /// In words, for clients.
        reason: String,
    },
    /// A deadline passed.
    Tick,
}

/// How a submission comes before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// It is told to the agent within the turn that runs (`turn/steer`).
    Steer,
    /// The turn that runs is ended, and its own comes next.
    Interrupt,
}

/// What the agent is told, and how its turn is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The whole text.
    pub text: String,
    /// Pictures to look at, by their paths as the agent sees them.
    pub images: Vec<String>,
    /// The model; `None`: as the thread has it.
    pub model: Option<String>,
    /// How hard to think, in the agent's own words; `None`: as the thread has it.
    pub effort: Option<String>,
    /// `approvalPolicy`, in the agent's own words; `None`: the session's policy.
    pub approval: Option<String>,
}

impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// A client that comes, and what it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What its first frame says; the session adds its numbers where they are asked for.
    pub hello: Attached,
    /// How it hears what is said to everybody.
    pub listening: Listening,
    /// Whether it may be asked for approvals.
    pub handler: bool,
    /// Who it is, where it says so: the same identity again is the same client.
    pub identity: Option<Identity>,
}

/// Who a client is, over its connections: equal is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose names these are, as the owner says: names of different holders have nothing in common.
    pub holder: String,
    /// The name among them.
    pub name: String,
}

/// How a client hears what is said to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listening {
    /// As it comes; the first one to come hears first what nobody heard.
    Plain,
    /// As it comes once its `initialize` is answered, and nothing of what was said before: as on the agent's own wire,
    /// where a client that comes back reads its threads itself. Said twice, things would be shown twice.
    Introduced,
    /// Every frame with its number.
    Numbered {
        /// First what followed this one, as far as it is kept; `None`: only from now on.
        after: Option<Heard>,
    },
}

/// The newest frame that a client heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number.
    pub number: u64,
    /// The numbering, where the client says it.
    pub epoch: Option<String>,
}

/// What becomes of a runtime whose connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterLoss {
    /// It goes on, and keeps what it says and what it took.
    Lives,
    /// It is lost with the connection, and so is all that was on its way.
    Lost,
}

/// What a bridge said when it was reached, beside what was stored of it.
#[derive(Clone, Debug)]
pub struct LinkUp {
    /// The bridge process.
    pub boot: String,
    /// What becomes of it when the connection is lost.
    pub after_loss: AfterLoss,
    /// The agent just before `first_seq`.
    pub agent_epoch: u64,
    /// Its state there.
    pub agent_state: AgentState,
    /// The first line that follows.
    pub first_seq: u64,
    /// The newest line there is now.
    pub last_seq: u64,
    /// The newest frame it took.
    pub last_down_seq: u64,
    /// The newest stored handshake: the agent's epoch and its reply to `initialize` (JSON text).
    pub handshake: Option<(u64, String)>,
    /// The stored checkpoint of this boot: what was open at a line that may be forgotten (JSON text).
    pub checkpoint: Option<(u64, String)>,
}

/// A numbered line.
#[derive(Debug)]
pub enum RuntimeLine {
    /// A frame of the agent.
    Frame(Frame),
    /// A line of the agent that is no frame; nothing follows from it.
    Noise,
    /// An event of the bridge.
    Event(Event),
}

/// What a session is made from: what was open when its last owner ended.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The main thread.
    pub main_thread: Option<ThreadId>,
    /// Submissions without an outcome, oldest first.
    pub open: Vec<OpenSubmission>,
    /// The keys of questions that chats were asked and that have neither an answer nor another end.
    pub questions: Vec<String>,
    /// What was said to everybody.
    pub history: KeptHistory,
}

/// What was said to everybody, as [`crate::Effect::Keep`] had it kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHistory {
    /// Names the numbering; a new name where nothing is kept.
    pub epoch: String,
    /// The number of the first frame, or of the next one where there is none. Numbers start at 1.
    pub first: u64,
    /// The frames, one number after the other.
    pub frames: Vec<Bytes>,
    /// The bridge process and its line from which the newest frame follows.
    pub line: Option<(String, u64)>,
}

/// A submission without an outcome.
#[derive(Clone, Debug)]
pub struct OpenSubmission {
    /// It.
    pub submission: Submission,
    /// How far it came.
    pub state: OpenState,
}

/// How far a submission came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenState {
    /// It stands in line.
    Queued,
    /// Its `turn/start` was about to be sent, or was.
    Starting {
        /// To which bridge process.
        boot: String,
        /// As which frame.
        down_seq: u64,
        /// With which id.
        request_id: u64,
        /// The newest line seen before; the turn's own lines come after it.
        after_seq: u64,
        /// The turn, once the agent named it.
        turn: Option<TurnId>,
    },
}
