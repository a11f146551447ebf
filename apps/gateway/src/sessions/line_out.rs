//! What goes to the runtime: the actor never waits for it, and takes no new work while it is stuck.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::runtime::LinkCommand;

/// Commands beyond the channel's own room that may pile up before the session stops taking new work.
const BACKLOG: usize = 64;

/// The way down, with what did not fit yet.
#[derive(Debug, Default)]
pub(super) struct LineOut {
    commands: Option<mpsc::Sender<LinkCommand>>,
    backlog: VecDeque<LinkCommand>,
}

impl LineOut {
    /// A new link: what waited for the old one is not for it.
    pub(super) fn connect(&mut self, commands: mpsc::Sender<LinkCommand>) {
        self.backlog.clear();
        self.commands = Some(commands);
    }

    pub(super) fn disconnect(&mut self) {
        self.backlog.clear();
        self.commands = None;
    }

    /// Sends now, or as soon as there is room.
    pub(super) fn send(&mut self, command: LinkCommand) {
        let Some(commands) = &self.commands else { return };
        if !self.backlog.is_empty() {
            return self.backlog.push_back(command);
        }
        match commands.try_send(command) {
            Err(mpsc::error::TrySendError::Full(command)) => self.backlog.push_back(command),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// Whether new work may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.backlog.len() < BACKLOG
    }

    /// Waits for room for the oldest that waits; for ever while none does.
    pub(super) async fn drain_one(&mut self) {
        let (Some(commands), false) = (&self.commands, self.backlog.is_empty()) else {
            return std::future::pending().await;
        };
        if let Ok(permit) = commands.reserve().await {
            if let Some(command) = self.backlog.pop_front() {
                permit.send(command);
            }
        } else {
            self.backlog.clear();
        }
    }
}
