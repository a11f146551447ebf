//! The runtime as the session sees it: reached or not, and what is done about it.

use crate::agent::{Agent, pause};
use crate::checkpoint::Checkpoint;
use crate::config::SessionConfig;
use crate::effect::Effect;
use crate::input::LinkUp;
use crate::link::Link;
use crate::session::Session;

/// Whether a runtime is reached.
#[derive(Debug)]
pub(crate) enum Runtime {
    /// No; not asked for before this (monotonic milliseconds).
    Absent { not_before: u64 },
    /// Being reached.
    Provisioning,
    /// Yes, since then (monotonic milliseconds).
    Linked { since: u64 },
    /// Asked to end.
    Stopping,
}

impl Runtime {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    pub(crate) fn is_linked(&self) -> bool {
        matches!(self, Self::Linked { .. })
    }
}

/// What a session makes of a runtime, for those who share a machine among sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// It has none and needs none.
    None,
    /// It needs one, whether it has it or not.
    Working,
    /// It has one that nothing needs.
    Idle {
        /// Since then, in monotonic milliseconds.
        since: u64,
    },
    /// Its runtime was asked to end.
    Leaving,
}

/// What went wrong lately.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Agents in a row that never served, or only for a moment.
    pub(crate) agents: u32,
    /// Runtimes in a row that were not reached, or only for a moment.
    pub(crate) links: u32,
    /// Times in a row that there was none to be had for a passing reason.
    pub(crate) waits: u32,
    /// The newest, in words.
    pub(crate) reason: Option<String>,
    /// Why the agent was told to end, in words, until it is down.
    pub(crate) condemned_for: Option<String>,
    /// The agent is not started again before this.
    pub(crate) restart_at: u64,
}

impl Session {
    /// Whether the runtime is reached and everything it had kept was seen: what we know of it is so.
    pub(crate) fn is_current(&self) -> bool {
        self.runtime.is_linked() && self.link.as_ref().is_some_and(Link::caught_up)
    }

    /// Whether anything at all needs an agent.
    pub(crate) fn has_work(&self) -> bool {
        self.relay.has_work() || self.lanes.have_work() || !self.requests.is_empty()
    }

    /// Somebody came: the runtime is warmed up even before it is needed.
    pub(crate) fn want_runtime(&mut self) {
        self.needed_at = self.now.mono;
        self.relay.wanted = true;
    }

    /// The next step towards an agent that serves, or away from one that nobody needs.
    pub(crate) fn pursue_runtime(&mut self) {
        let (now, needed) = (self.now.mono, self.has_work());
        match self.runtime {
            Runtime::Absent { not_before } if needed && not_before <= now => {
                self.runtime = Runtime::Provisioning;
                self.effects.push_back(Effect::Provision);
            }
            Runtime::Linked { .. } if self.closed.is_some() => self.stop_runtime(),
            Runtime::Linked { .. } if self.is_current() => self.pursue_agent(needed),
            _ => {}
        }
    }

    fn pursue_agent(&mut self, needed: bool) {
        let now = self.now.mono;
        if self.link.as_mut().is_some_and(Link::take_fresh) {
            self.repeat_orders();
        }
        match self.agent {
            Agent::Down if needed && self.trouble.restart_at <= now => {
                self.agent = Agent::Starting;
                self.effects.push_back(Effect::StartAgent);
            }
            Agent::Up { epoch } => self.greet(epoch),
            Agent::Condemned { epoch, served, again_at } if again_at <= now => {
                self.agent = Agent::Condemned { epoch, served, again_at: now + SessionConfig::KILL_AGAIN_MS };
                self.effects.push_back(Effect::KillAgent);
            }
            _ if !needed && self.idle_at().is_some_and(|at| at <= now) => self.stop_runtime(),
            _ => {}
        }
    }

    fn stop_runtime(&mut self) {
        self.runtime = Runtime::Stopping;
        self.agent = Agent::Down;
        self.effects.push_back(Effect::StopRuntime);
    }

    /// There may be a runtime now: the pause after a failure is over.
    pub(crate) fn runtime_may_be_had(&mut self) {
        if let Runtime::Absent { not_before } = &mut self.runtime {
            *not_before = 0;
        }
    }

    /// Stops the runtime, unless something needs it.
    pub(crate) fn make_room(&mut self) {
        if let Occupancy::Idle { .. } = self.occupancy() {
            self.stop_runtime();
        }
    }

    /// What this session makes of a runtime now.
    pub fn occupancy(&self) -> Occupancy {
        match self.runtime {
            Runtime::Absent { .. } if !self.has_work() => Occupancy::None,
            Runtime::Linked { .. } if self.is_current() && !self.has_work() && self.stores.is_empty() => {
                Occupancy::Idle { since: self.needed_at }
            }
            Runtime::Stopping => Occupancy::Leaving,
            Runtime::Absent { .. } | Runtime::Provisioning | Runtime::Linked { .. } => Occupancy::Working,
        }
    }

    /// When the runtime is stopped if nothing needs it until then. Not while something becomes durable: the bridge
    /// keeps its lines meanwhile.
    fn idle_at(&self) -> Option<u64> {
        let rests = self.config.idle_stop_ms > 0 && self.stores.is_empty();
        rests.then(|| self.needed_at.saturating_add(self.config.idle_stop_ms))
    }

    /// When [`Self::pursue_runtime`] has something to do by time alone.
    pub(crate) fn next_runtime_step(&self) -> Option<u64> {
        let needed = self.has_work();
        match (&self.runtime, &self.agent) {
            (Runtime::Absent { not_before }, _) if needed => Some(*not_before),
            (Runtime::Linked { .. }, _) if !self.is_current() => None,
            (Runtime::Linked { .. }, Agent::Condemned { again_at, .. }) => Some(*again_at),
            (Runtime::Linked { .. }, Agent::Down) if needed => Some(self.trouble.restart_at),
            (Runtime::Linked { .. }, _) if !needed => self.idle_at(),
            _ => None,
        }
    }

    /// The bridge is reached: the one we know, or another.
    pub(crate) fn link_up(&mut self, up: &LinkUp) {
        self.runtime = Runtime::Linked { since: self.now.mono };
        self.trouble.waits = 0;
        if let Some(link) = self.link.as_mut().filter(|link| *link.boot == *up.boot) {
            for (seq, text) in link.again(up) {
                self.effects.push_back(Effect::ToRuntime { seq, text });
            }
            self.trouble.reason = None;
            return self.go_on_waiting();
        }
        if self.link.is_some() {
            self.agent_lost("the runtime was lost and made anew");
        }
        self.relay.handshake.clone_from(&up.handshake);
        self.history.another_bridge();
        let checkpoint = Checkpoint::read(up);
        self.link = Some(Link::new(up, checkpoint.as_ref().map_or(0, |(seq, _)| *seq)));
        match &checkpoint {
            Some((_, checkpoint)) => self.agent_was(checkpoint),
            None => self.agent_is(up.agent_state, up.agent_epoch),
        }
        self.recover_lanes(up);
        if let Some((seq, checkpoint)) = checkpoint {
            self.recover_checkpoint(seq, checkpoint);
        }
    }

    pub(crate) fn link_down(&mut self, reason: &str) {
        match self.runtime {
            Runtime::Stopping => {
                self.agent_lost("the runtime was stopped");
                self.link = None;
                self.runtime = Runtime::Absent { not_before: 0 };
            }
            Runtime::Linked { .. } if self.link.as_ref().is_some_and(Link::ends_with_its_connection) => {
                self.runtime = Runtime::Absent { not_before: self.agent_left(reason) };
                self.link = None;
            }
            Runtime::Linked { since } if self.now.mono - since >= SessionConfig::PROVEN_MS => {
                self.trouble.links = 0;
                self.trouble.reason = Some(reason.to_owned());
                self.runtime = Runtime::Absent { not_before: 0 };
            }
            Runtime::Linked { .. } => {
                let hopeless = self.not_reached(reason);
                if hopeless {
                    self.refuse_waiting(reason);
                }
            }
            Runtime::Absent { .. } | Runtime::Provisioning => {}
        }
    }

    /// No runtime now. Clients that wait for one are told; the rest is when it keeps failing for lack of somebody's
    /// doing: what the runtime, if it lives, does meanwhile will not be heard.
    pub(crate) fn provision_failed(&mut self, reason: &str, passing: bool) {
        if !matches!(self.runtime, Runtime::Provisioning) {
            return;
        }
        if passing {
            // However long that lasts, it says nothing of a failure that lasts.
            self.trouble.waits += 1;
            self.trouble.reason = Some(reason.to_owned());
            self.runtime = Runtime::Absent { not_before: self.now.mono + pause(self.trouble.waits) };
            self.refuse_waiting(reason);
            for id in self.lanes.ids() {
                self.stands_in_line(id);
            }
            return;
        }
        let hopeless = self.not_reached(reason);
        self.refuse_waiting(reason);
        if hopeless {
            self.agent_lost(reason);
            self.link = None;
            self.fail_recovering(reason);
            self.fail_waiting(reason);
        }
    }

    /// Counts a failure to reach the runtime, and tries again later; whether it keeps failing.
    fn not_reached(&mut self, reason: &str) -> bool {
        self.trouble.links += 1;
        self.trouble.reason = Some(reason.to_owned());
        self.runtime = Runtime::Absent { not_before: self.now.mono + pause(self.trouble.links) };
        self.trouble.links >= SessionConfig::START_ATTEMPTS
    }
}
