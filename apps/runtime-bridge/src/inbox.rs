//! Frames on their way to the agent: numbered, taken once, and dropped where no agent is.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

/// How many frames may wait for the agent to read its input, and how many bytes of them. A gateway that keeps its
/// unacknowledged frames below both never finds its control lines stuck behind them.
const WAITING_FRAMES: usize = argus_protocol::bridge::DOWN_WINDOW_FRAMES;
const WAITING_BYTES: usize = argus_protocol::bridge::DOWN_WINDOW_BYTES;

/// What became of an offered frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It waits for the agent.
    Queued,
    /// It counts as taken, but there is no agent to hand it to.
    Dropped,
    /// It was taken before.
    Repeated,
    /// Not taken: too many wait already. Offer it again later.
    Full,
    /// Not taken: a number before it is missing.
    Hole,
}

/// What the agent's input should carry next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This frame.
    Frame(u64, Bytes),
    /// Nothing yet.
    Wait,
    /// Nothing ever again.
    End,
}

/// What is wanted of a running agent's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At once.
    Kill,
    /// Politely, within this time.
    Stop(Duration),
}

/// What is wanted while no agent runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Start one.
    Start,
    /// None, ever again.
    Finish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down,
    Up,
    /// Dying or dead, but its last words are not all read.
    Ending,
}

/// The direction gateway → agent, and what was ordered of the agent in it.
#[derive(Debug)]
pub(crate) struct Inbox {
    phase: Phase,
    /// The agent that runs, or ran last.
    epoch: u64,
    start: bool,
    kill: bool,
    stop: Option<Duration>,
    queue: VecDeque<(u64, Bytes)>,
    queued_bytes: usize,
    taken: u64,
    handed: u64,
}

impl Inbox {
    /// No agent yet, but one is wanted.
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Down,
            epoch: 0,
            start: true,
            kill: false,
            stop: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            taken: 0,
            handed: 0,
        }
    }

    /// The newest frame taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether every frame taken was handed over or dropped.
    pub(crate) fn is_empty(&self) -> bool {
        self.handed == self.taken
    }

    /// Every frame up to this one was handed over or dropped.
    pub(crate) fn handed(&self) -> u64 {
        self.handed
    }

    /// Offers frame `number`.
    pub(crate) fn take(&mut self, number: u64, frame: &Bytes) -> Taken {
        if number <= self.taken {
            return Taken::Repeated;
        }
        if number > self.taken + 1 {
            return Taken::Hole;
        }
        let open = self.stop.is_none() && (self.start || self.phase == Phase::Up);
        if !open {
            self.taken = number;
            self.settle();
            return Taken::Dropped;
        }
        let fits = self.queue.len() < WAITING_FRAMES && self.queued_bytes + frame.len() <= WAITING_BYTES;
        if !fits && !self.queue.is_empty() {
            return Taken::Full;
        }
        self.taken = number;
        self.queued_bytes += frame.len();
        self.queue.push_back((number, frame.clone()));
        Taken::Queued
    }

    /// What agent `epoch` should be given next.
    pub(crate) fn next(&mut self, epoch: u64) -> Next {
        if self.phase != Phase::Up || self.epoch != epoch {
            return Next::End;
        }
        match self.queue.pop_front() {
            Some((number, frame)) => {
                self.queued_bytes -= frame.len();
                Next::Frame(number, frame)
            }
            None if self.stop.is_some() => Next::End,
            None => Next::Wait,
        }
    }

    /// Frame `number` is in the agent's input.
    pub(crate) fn handed_over(&mut self, number: u64) {
        self.handed = self.handed.max(number);
    }

    /// The gateway wants an agent. Frames from here on are for the new one, if there is to be one.
    pub(crate) fn order_start(&mut self) {
        if self.phase != Phase::Up && self.stop.is_none() {
            self.start = true;
        }
    }

    /// The gateway wants no agent.
    pub(crate) fn order_kill(&mut self) {
        self.start = false;
        self.drop_queue();
        if self.phase == Phase::Up {
            self.phase = Phase::Ending;
            self.kill = true;
        }
    }

    /// Nobody wants an agent any more. The shorter grace counts.
    pub(crate) fn order_stop(&mut self, grace: Duration) {
        self.stop = Some(self.stop.map_or(grace, |earlier| earlier.min(grace)));
        if self.phase != Phase::Up {
            self.start = false;
            self.drop_queue();
        }
    }

    /// What to do while no agent runs, if anything.
    pub(crate) fn order(&self) -> Option<Order> {
        match (self.stop, self.start) {
            (Some(_), _) => Some(Order::Finish),
            (None, true) => Some(Order::Start),
            (None, false) => None,
        }
    }

    /// How the running agent should end, if it should.
    pub(crate) fn end(&self) -> Option<End> {
        if self.kill { Some(End::Kill) } else { self.stop.map(End::Stop) }
    }

    /// An agent starts; tells its epoch.
    pub(crate) fn begin(&mut self, unix_ms: u64) -> u64 {
        self.epoch = unix_ms.max(self.epoch + 1);
        self.phase = Phase::Up;
        self.start = false;
        self.kill = false;
        self.epoch
    }

    /// The agent reads no more input.
    pub(crate) fn ending(&mut self) {
        if self.phase == Phase::Up {
            self.phase = Phase::Ending;
            self.drop_queue();
        }
    }

    /// The agent is gone.
    pub(crate) fn ended(&mut self) {
        self.ending();
        self.phase = Phase::Down;
        self.kill = false;
    }

    fn drop_queue(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.settle();
    }

    /// With nothing waiting, everything taken is done with.
    fn settle(&mut self) {
        if self.queue.is_empty() {
            self.handed = self.taken;
        }
    }
}

#[cfg(test)]
mod tests;
