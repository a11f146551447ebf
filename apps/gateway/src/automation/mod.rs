//! Who begins turns, and what follows from their ends.

mod budget;
pub mod cron;
pub mod events;
pub mod exits;
mod given;
mod heartbeat;
pub mod intake;
pub mod line;
pub mod nodes;
mod places;
pub mod ports;
pub mod prompt;
mod pulse;
pub mod reactor;
mod standing;
#[cfg(test)]
mod state_tests;
mod taking_over;
mod time;
mod wishes;

#[cfg(test)]
mod stage;

use std::sync::Arc;

use self::cron::Timetable;
use self::ports::Workers;
pub use self::pulse::Pulse;
use crate::config::AutomationConfig;
use crate::store::clock::Clock;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;
use crate::workspace::Workspaces;

/// What the assistant does unasked: heartbeats, scheduled jobs, and what follows from system events. Clones are handles to the
/// same one.
#[derive(Clone)]
pub struct Automation(Arc<AutomationParts>, Arc<Memory>);

/// What it is made with.
pub struct AutomationParts {
    /// Events, runs, heartbeats.
    pub ledger: Ledger,
    /// Jobs and main threads.
    pub state: Arc<StateFile>,
    /// Sessions.
    pub workers: Arc<dyn Workers>,
    /// Says that something happened.
    pub pulse: Pulse,
    /// Settings.
    pub config: AutomationConfig,
    /// The bots; the first one is meant where a place names none. None without Telegram.
    pub bots: Vec<String>,
    /// Where the workspaces of sessions are.
    pub workspaces: Workspaces,
    /// The time, unix milliseconds.
    pub clock: Clock,
}

/// What is remembered between two looks; a start begins without it.
#[derive(Default)]
struct Memory {
    /// Of what sessions have to look after.
    seen: heartbeat::Seen,
    /// Of jobs.
    timetable: Timetable,
}

impl Automation {
    /// Over these parts; nothing is begun yet.
    pub fn new(parts: AutomationParts) -> Self {
        Self(Arc::new(parts), Arc::default())
    }

    fn seen(&self) -> &heartbeat::Seen {
        &self.1.seen
    }

    fn timetable(&self) -> &Timetable {
        &self.1.timetable
    }
}
