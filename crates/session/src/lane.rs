//! One thread's turns: idle, opening, preparing, starting, running, idle again.

use std::collections::{BTreeMap, VecDeque};

use argus_protocol::{SubmissionId, ThreadId, TurnId};

use crate::answer::AnswerText;
use crate::input::{Now, Ticket};
use crate::link::HoldId;
use crate::notes::Notes;
use crate::progress::Progress;
use crate::turn::{Origin, Outcome, Submission, Target};

/// Names a lane while its session lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub(crate) u64);

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) target: Target,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) waiting: VecDeque<Submission>,
    /// Who wants to know when a submission runs.
    pub(crate) tickets: BTreeMap<SubmissionId, Ticket>,
    /// Who wants the thread, loaded.
    pub(crate) openers: Vec<Ticket>,
    pub(crate) state: State,
    /// Requests of clients to start a turn here that the agent has not answered.
    pub(crate) foreign_asked: u32,
    /// Nothing is begun before this (monotonic milliseconds).
    pub(crate) retry_at: u64,
    /// How often in a row another program held the thread.
    pub(crate) conflicts: u32,
    /// How often in a row the agent went away before a turn began here.
    pub(crate) losses: u32,
    /// Counts prompts asked for: a late one is known by its number.
    pub(crate) attempts: u64,
    /// The turn that ended last: its late reply starts nothing.
    pub(crate) last_completed: Option<String>,
    /// The newest `error` notification of the agent.
    pub(crate) trouble: Option<String>,
}

/// Where a lane stands.
#[derive(Debug)]
pub(crate) enum State {
    Idle,
    /// The thread is resumed or made.
    Opening,
    /// The new thread is being made durable; `again_at`: it could not be, and is tried again then.
    Binding {
        again_at: Option<u64>,
    },
    /// The prompt is being written.
    Preparing {
        batch: Vec<Submission>,
        attempt: u64,
    },
    /// `turn/start` is on its way.
    Starting(Starting),
    /// A turn runs.
    Running(Running),
    /// Its last owner left it open; what became of it shows when the runtime is reached.
    Recovering(Recovering),
}

#[derive(Debug)]
pub(crate) struct Starting {
    pub(crate) batch: Vec<Submission>,
    pub(crate) request_id: u64,
    pub(crate) leg: Leg,
}

/// How far a `turn/start` came.
#[derive(Debug)]
pub(crate) enum Leg {
    /// In line behind other frames.
    InLine,
    /// At the head of the line, and its record is being made durable.
    Recording(Mark),
    /// Recorded, and about to go.
    Recorded(Mark),
    /// With the agent, perhaps.
    Sent(Sent),
}

/// Where among the runtime's lines something begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The newest line before it.
    pub(crate) after: u64,
    /// Keeps the lines behind that.
    pub(crate) hold: HoldId,
}

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) mark: Mark,
    /// Somebody said stop meanwhile.
    pub(crate) stopped: bool,
    /// A turn that was heard of before the agent's reply named ours.
    pub(crate) heard: Option<Box<Heard>>,
}

/// A turn that may be ours: only the reply to `turn/start` tells.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) turn: TurnId,
    pub(crate) text: AnswerText,
    pub(crate) notes: Notes,
    /// What is shown of it once it is ours.
    pub(crate) progress: Vec<Progress>,
    /// How it ended, if it did.
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Debug)]
pub(crate) struct Running {
    /// Who asked; empty when a client started the turn by itself.
    pub(crate) batch: Vec<Submission>,
    pub(crate) turn: TurnId,
    pub(crate) text: AnswerText,
    pub(crate) notes: Box<Notes>,
    pub(crate) mark: Mark,
    /// Whether a line of it was seen, so that what begins now begins after it. Not yet, when the last owner left it.
    pub(crate) seen: bool,
    pub(crate) since: Now,
    /// Where its limit counts from: `since`, later by what it waited for a person; monotonic milliseconds.
    pub(crate) runs_from: u64,
    /// When the agent last gave a sign; monotonic milliseconds.
    pub(crate) last_sign: u64,
    /// Since when it waits for a person; monotonic milliseconds.
    pub(crate) asked_since: Option<u64>,
    pub(crate) ending: Option<Ending>,
    /// What is to be told within it.
    pub(crate) steers: Vec<Steer>,
    /// How it ended, while it is not known yet whether what was told within it is part of it.
    pub(crate) over: Option<Box<Outcome>>,
    /// Who was said to have it running.
    pub(crate) shown: Option<Box<Origin>>,
}

/// A submission on its way into a turn that runs.
#[derive(Debug)]
pub(crate) struct Steer {
    pub(crate) one: Submission,
    pub(crate) leg: SteerLeg,
}

/// How far a `turn/steer` came.
#[derive(Debug)]
pub(crate) enum SteerLeg {
    /// Its words are being written.
    Preparing { attempt: u64, ticket: Ticket },
    /// In line behind other frames.
    InLine { request_id: u64 },
    /// At the head of the line, and its record is being made durable.
    Recording { request_id: u64, mark: Mark },
    /// Recorded, and about to go.
    Recorded { request_id: u64, mark: Mark },
    /// With the agent, perhaps.
    Sent { request_id: u64, mark: Mark },
}

impl Steer {
    pub(crate) fn request_id(&self) -> Option<u64> {
        match self.leg {
            SteerLeg::Preparing { .. } => None,
            SteerLeg::InLine { request_id }
            | SteerLeg::Recording { request_id, .. }
            | SteerLeg::Recorded { request_id, .. }
            | SteerLeg::Sent { request_id, .. } => Some(request_id),
        }
    }

    /// Whether it is recorded, and not known yet to be part of the turn.
    pub(crate) fn is_between(&self) -> bool {
        !matches!(self.leg, SteerLeg::Preparing { .. } | SteerLeg::InLine { .. })
    }
}

/// A turn that is being ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) why: Why,
    /// When the agent's processes are ended instead; `None` once that was asked for.
    pub(crate) until: Option<u64>,
}

/// Why a turn is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody said stop.
    Asked,
    /// A limit, in words.
    Limit(String),
}

#[derive(Debug)]
pub(crate) struct Recovering {
    pub(crate) batch: Vec<Submission>,
    pub(crate) boot: String,
    pub(crate) down_seq: u64,
    pub(crate) request_id: u64,
    pub(crate) after_seq: u64,
    pub(crate) turn: Option<TurnId>,
    /// What was to be told within the turn.
    pub(crate) steers: Vec<LeftSteer>,
    /// Somebody said stop meanwhile.
    pub(crate) stopped: bool,
}

/// A recorded `turn/steer` that the last owner left open.
#[derive(Debug)]
pub(crate) struct LeftSteer {
    pub(crate) one: Submission,
    pub(crate) down_seq: u64,
    pub(crate) request_id: u64,
    pub(crate) after_seq: u64,
}

impl Recovering {
    /// All that it concerns.
    pub(crate) fn everything(self) -> Vec<Submission> {
        self.batch.into_iter().chain(self.steers.into_iter().map(|steer| steer.one)).collect()
    }
}

impl Running {
    /// A turn that runs from now on.
    pub(crate) fn new(batch: Vec<Submission>, turn: TurnId, text: AnswerText, mark: Mark, now: Now) -> Self {
        let (runs_from, last_sign) = (now.mono, now.mono);
        let shown = origin(&batch).cloned().map(Box::new);
        Self {
            batch,
            turn,
            text,
            notes: Box::default(),
            mark,
            seen: true,
            since: now,
            runs_from,
            last_sign,
            asked_since: None,
            ending: None,
            steers: Vec::new(),
            over: None,
            shown,
        }
    }
}

impl Heard {
    pub(crate) fn new(turn: TurnId) -> Self {
        Self {
            turn,
            text: AnswerText::default(),
            notes: Notes::default(),
            progress: Vec::new(),
            outcome: None,
        }
    }
}

impl Lane {
    pub(crate) fn new(target: Target, thread: Option<ThreadId>) -> Self {
        Self {
            target,
            thread,
            waiting: VecDeque::new(),
            tickets: BTreeMap::new(),
            openers: Vec::new(),
            state: State::Idle,
            foreign_asked: 0,
            retry_at: 0,
            conflicts: 0,
            losses: 0,
            attempts: 0,
            last_completed: None,
            trouble: None,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.waiting.is_empty() && self.openers.is_empty()
    }

    /// Puts a batch that did not begin back at the head of the line.
    pub(crate) fn requeue(&mut self, batch: Vec<Submission>) {
        for one in batch.into_iter().rev() {
            self.waiting.push_front(one);
        }
    }
}

/// The origin of a batch: the newest submission's.
pub(crate) fn origin(batch: &[Submission]) -> Option<&Origin> {
    batch.last().map(|one| &one.origin)
}

pub(crate) fn ids(batch: &[Submission]) -> Vec<SubmissionId> {
    batch.iter().map(|one| one.id.clone()).collect()
}
