//! A scripted bridge: numbered lines kept until they are acknowledged, frames taken once, one agent at a time.

use std::collections::VecDeque;

use argus_protocol::Frame;
use argus_protocol::bridge::{AgentState, Event};
use argus_session::{AfterLoss, LinkUp, RuntimeLine};
use serde_json::Value;

use super::agent::{Agent, Manners, Read, Threads};

/// A kept line.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Frame(String),
    Event(Event),
}

impl Line {
    pub(crate) fn read(&self) -> RuntimeLine {
        match self {
            Self::Frame(text) => RuntimeLine::Frame(Frame::parse_str(text).expect("agents write frames")),
            Self::Event(event) => RuntimeLine::Event(event.clone()),
        }
    }
}

/// What a gateway tells it.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Frame(u64, String),
    Ack(u64),
    Start,
    Kill,
    Stop,
}

/// One bridge process.
#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) boot: String,
    /// Without a bridge before it, an agent begins and ends with its connection.
    pub(crate) after_loss: AfterLoss,
    pub(crate) agent: Option<Agent>,
    pub(crate) taken: u64,
    /// The agents it started.
    pub(crate) starts: u32,
    kept: VecDeque<Line>,
    first: u64,
    before_first: (AgentState, u64),
    next_epoch: u64,
}

impl Bridge {
    /// A new one starts its agent unasked.
    pub(crate) fn new(number: u64, manners: &Manners) -> Self {
        let mut bridge = Self {
            boot: format!("boot-{number}"),
            after_loss: AfterLoss::Lives,
            agent: None,
            taken: 0,
            starts: 0,
            kept: VecDeque::new(),
            first: 1,
            before_first: (AgentState::Starting, 0),
            next_epoch: number * 1000,
        };
        bridge.start(manners);
        bridge
    }

    /// No bridge at all: an agent behind a connection, and as many lines as the connection carries.
    pub(crate) fn plain(number: u64, manners: &Manners) -> Self {
        let mut none = Self::new(number, &Manners { stillborn: None, ..manners.clone() });
        none.after_loss = AfterLoss::Lost;
        none.before_first = (AgentState::Up, none.next_epoch);
        none.kept.clear();
        if manners.stillborn.is_some() {
            none.agent = None;
        }
        none
    }

    /// Whether the other end of the connection is closed, once everything was heard.
    pub(crate) fn hung_up(&self) -> bool {
        self.after_loss == AfterLoss::Lost && self.agent.is_none()
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn last(&self) -> u64 {
        self.first + self.kept.len() as u64 - 1
    }

    pub(crate) fn line(&self, seq: u64) -> Option<&Line> {
        self.kept.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    pub(crate) fn welcome(&self) -> LinkUp {
        LinkUp {
            boot: self.boot.clone(),
            after_loss: self.after_loss,
            agent_epoch: self.before_first.1,
            agent_state: self.before_first.0,
            first_seq: self.first,
            last_seq: self.last(),
            last_down_seq: self.taken,
            handshake: None,
            checkpoint: None,
        }
    }

    pub(crate) fn keep(&mut self, line: Line) {
        self.kept.push_back(line);
    }

    pub(crate) fn says(&mut self, frames: Vec<Value>) {
        for frame in frames {
            self.keep(Line::Frame(frame.to_string()));
        }
    }

    fn start(&mut self, manners: &Manners) {
        self.next_epoch += 1;
        self.starts += 1;
        let epoch = self.next_epoch;
        if let Some((exit, tail)) = &manners.stillborn {
            return self.down(epoch, exit, tail);
        }
        self.agent = Some(Agent::new(epoch));
        self.keep(Line::Event(Event::Agent { state: AgentState::Up, epoch, exit: None, stderr_tail: None }));
    }

    fn down(&mut self, epoch: u64, exit: &str, tail: &str) {
        let (exit, stderr_tail) =
            (Some(exit.to_owned()), Some(tail.to_owned()).filter(|tail| !tail.is_empty()));
        self.keep(Line::Event(Event::Agent { state: AgentState::Down, epoch, exit, stderr_tail }));
    }

    /// The agent is gone.
    pub(crate) fn agent_dies(&mut self, exit: &str, tail: &str) {
        if let Some(agent) = self.agent.take()
            && self.after_loss == AfterLoss::Lives
        {
            self.down(agent.epoch, exit, tail);
        }
    }

    /// Takes what a gateway told it; whether it goes on.
    pub(crate) fn hear(&mut self, told: Told, manners: &Manners) -> bool {
        match told {
            Told::Frame(number, _) if number <= self.taken => {}
            Told::Frame(number, text) => {
                assert_eq!(number, self.taken + 1, "a frame is missing");
                self.taken = number;
                self.agent.iter_mut().for_each(|agent| agent.stdin.push_back(text.clone()));
            }
            Told::Ack(number) => self.forget(number),
            Told::Start if self.after_loss == AfterLoss::Lost => panic!("it cannot be started"),
            Told::Start if self.agent.is_none() => self.start(manners),
            Told::Start => {}
            Told::Kill => self.agent_dies("signal 9", ""),
            Told::Stop => return false,
        }
        true
    }

    fn forget(&mut self, number: u64) {
        assert!(number <= self.last(), "line {number} was acknowledged but never said");
        while self.first <= number {
            if let Some(Line::Event(Event::Agent { state, epoch, .. })) = self.kept.pop_front() {
                self.before_first = (state, epoch);
            }
            self.first += 1;
        }
    }

    /// The agent reads one line, if it can.
    pub(crate) fn agent_reads(&mut self, manners: &Manners, threads: &mut Threads) -> bool {
        let Some(agent) = &mut self.agent else { return false };
        match agent.read(manners, threads) {
            None => return false,
            Some(Read::Says(frames)) => self.says(frames),
            Some(Read::Dies) => self.agent_dies("signal 11", "it broke"),
        }
        true
    }
}
