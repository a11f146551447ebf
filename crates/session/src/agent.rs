//! The agent behind the link: up or not, what it has loaded, how it ended.

use std::collections::BTreeSet;

use argus_protocol::ThreadId;
use argus_protocol::bridge::{AgentState, Event};

use crate::config::SessionConfig;
use crate::effect::Effect;
use crate::session::Session;

/// The agent behind the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    /// No process.
    Down,
    /// Asked to start.
    Starting,
    /// Its process runs; not greeted yet.
    Up { epoch: u64 },
    /// `initialize` is on its way, or its reply is being stored.
    Greeting { epoch: u64 },
    /// It serves.
    Ready {
        epoch: u64,
        /// Since when, monotonic milliseconds.
        since: u64,
    },
    /// It hangs, and was told to end at once.
    Condemned {
        epoch: u64,
        /// Since when it served, if it ever did; monotonic milliseconds.
        served: Option<u64>,
        /// When it is told again.
        again_at: u64,
    },
}

impl Agent {
    pub(crate) fn epoch(&self) -> Option<u64> {
        match self {
            Self::Up { epoch }
            | Self::Greeting { epoch }
            | Self::Ready { epoch, .. }
            | Self::Condemned { epoch, .. } => Some(*epoch),
            Self::Down | Self::Starting => None,
        }
    }

    /// Since when it served, if it ever did.
    fn served(&self) -> Option<u64> {
        match self {
            Self::Ready { since, .. } => Some(*since),
            Self::Condemned { served, .. } => *served,
            Self::Down | Self::Starting | Self::Up { .. } | Self::Greeting { .. } => None,
        }
    }
}

/// Which threads the agent has loaded.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    /// In this agent.
    pub(crate) loaded: BTreeSet<ThreadId>,
    /// In an agent before: to be resumed before anything is done in them.
    pub(crate) before: BTreeSet<ThreadId>,
}

/// Threads remembered over the agent's restarts.
const REMEMBERED: usize = 1024;

impl Threads {
    pub(crate) fn agent_gone(&mut self) {
        self.before.append(&mut self.loaded);
        while self.before.len() > REMEMBERED {
            self.before.pop_first();
        }
    }
}

impl Session {
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.agent, Agent::Ready { .. })
    }

    /// The agent's state, as the bridge tells or as it was stored.
    pub(crate) fn agent_is(&mut self, state: AgentState, epoch: u64) {
        let greeted = self.relay.handshake.as_ref().is_some_and(|(known, _)| *known == epoch);
        self.agent = match state {
            AgentState::Down => Agent::Down,
            AgentState::Starting => Agent::Starting,
            AgentState::Up if greeted => Agent::Ready { epoch, since: self.now.mono },
            AgentState::Up => Agent::Up { epoch },
        };
        if self.is_ready() {
            self.agent_serves();
        }
    }

    /// The agent serves from now on.
    pub(crate) fn agent_serves(&mut self) {
        self.trouble.reason = None;
        self.answer_introductions();
        self.ask_for_account();
    }

    pub(crate) fn bridge_event(&mut self, event: Event) {
        match event {
            Event::Agent { state: AgentState::Down, exit, stderr_tail, .. } => {
                let served = self.agent.served();
                let condemned_for = self.trouble.condemned_for.take();
                let reason =
                    condemned_for.unwrap_or_else(|| describe_end(exit.as_deref(), stderr_tail.as_deref()));
                self.agent_lost(&reason);
                if self.runtime.is_linked() {
                    self.agent_ended(served, &reason);
                }
            }
            Event::Agent { state, epoch, .. } => self.agent_is(state, epoch),
            Event::Dropped { method, id, thread_id, bytes, limit } => {
                let what = format!("a line of {bytes} bytes from the agent is over the limit of {limit}");
                self.line_dropped(method.as_deref(), id.as_deref(), thread_id.as_deref(), &what);
            }
        }
    }

    /// An agent is lost with its connection, which was all that there was of it; when another one may be asked for.
    pub(crate) fn agent_left(&mut self, reason: &str) -> u64 {
        let served = self.agent.served();
        let reason = self.trouble.condemned_for.take().unwrap_or_else(|| reason.to_owned());
        self.agent_lost(&reason);
        self.agent_ended(served, &reason);
        self.trouble.restart_at
    }

    /// An agent ended by itself. One that never served, or only for a moment, is not started again at once, and after
    /// several of them nothing that waits is kept waiting.
    fn agent_ended(&mut self, served: Option<u64>, reason: &str) {
        self.trouble.reason = Some(reason.to_owned());
        if served.is_some_and(|since| self.now.mono - since >= SessionConfig::PROVEN_MS) {
            self.trouble.agents = 0;
            return;
        }
        self.trouble.agents += 1;
        self.trouble.restart_at = self.now.mono + pause(self.trouble.agents);
        let hopeless = self.trouble.agents >= SessionConfig::START_ATTEMPTS;
        if served.is_none() || hopeless {
            self.refuse_waiting(reason);
        }
        if hopeless {
            self.fail_waiting(reason);
        }
    }

    /// An agent that does not answer is ended; the bridge will say so.
    pub(crate) fn end_hung_agent(&mut self, why: &str) {
        let Some(epoch) = self.agent.epoch() else { return };
        if !matches!(self.agent, Agent::Condemned { .. }) {
            self.trouble.condemned_for = Some(format!("{why}, so it was ended"));
            self.agent = Agent::Condemned { epoch, served: self.agent.served(), again_at: self.now.mono };
        }
    }

    /// Says again what the bridge may not have heard: orders have no numbers, and are lost with the link.
    pub(crate) fn repeat_orders(&mut self) {
        match &mut self.agent {
            Agent::Starting => self.effects.push_back(Effect::StartAgent),
            Agent::Condemned { again_at, .. } => *again_at = self.now.mono,
            Agent::Down | Agent::Up { .. } | Agent::Greeting { .. } | Agent::Ready { .. } => {}
        }
    }
}

/// How long to wait after that many failures in a row, in milliseconds.
pub(crate) fn pause(failures: u32) -> u64 {
    (250 << failures.min(7)).min(30_000)
}

fn describe_end(exit: Option<&str>, stderr_tail: Option<&str>) -> String {
    let exit = exit.unwrap_or("it ended without a word");
    match stderr_tail.map(str::trim).filter(|tail| !tail.is_empty()) {
        Some(tail) => format!("the agent ended ({exit}); its last words: {tail}"),
        None => format!("the agent ended ({exit})"),
    }
}
