//! Lines that were said to the gateway and are not acknowledged: in memory first, then on disk.

mod spill;

use std::collections::VecDeque;
use std::path::PathBuf;

use argus_protocol::bridge::{AgentState, Event};
use bytes::Bytes;

use crate::Limits;
use spill::Spill;

/// What a line costs beside its bytes.
const LINE_OVERHEAD: usize = 64;

/// How much of a line on disk is read at a time, in bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// How the agent stood at some point of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The agent's epoch, 0 before the first.
    pub(crate) epoch: u64,
    /// Its state.
    pub(crate) state: AgentState,
}

/// Whose words a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The agent's.
    Frame,
    /// The bridge's.
    Event,
    /// The bridge's, on how the agent stands from here on.
    Standing(Standing),
}

/// The numbered lines, oldest first.
#[derive(Debug)]
pub(crate) struct Kept {
    lines: VecDeque<(Form, Body)>,
    /// The number of the oldest line, or of the next one when none is kept.
    first: u64,
    before_first: Standing,
    memory: usize,
    memory_limit: usize,
    spill: Option<Spill>,
}

#[derive(Debug)]
enum Body {
    Memory(Bytes),
    Disk { at: u64, bytes: u64 },
}

/// A part of one line's body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The line's form.
    pub(crate) form: Form,
    /// The part.
    pub(crate) bytes: Bytes,
    /// Whether the line ends with it.
    pub(crate) last: bool,
}

impl Kept {
    /// Nothing kept yet; without a folder there is only memory.
    pub(crate) fn new(limits: Limits, spill_dir: Option<PathBuf>) -> Self {
        Self {
            lines: VecDeque::new(),
            first: 1,
            before_first: Standing { epoch: 0, state: AgentState::Starting },
            memory: 0,
            memory_limit: limits.memory_bytes,
            spill: spill_dir.map(|dir| Spill::new(dir, limits.disk_bytes)),
        }
    }

    /// The number of the oldest line kept; one past the newest when none is.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the newest line, 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.lines.len() as u64 - 1
    }

    /// Whether no line is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How the agent stood just before [`Self::first`].
    pub(crate) fn before_first(&self) -> Standing {
        self.before_first
    }

    /// Whether another line of the agent may be read. The line read then is kept whatever its size: the bound is
    /// passed by one line at most, and no line is too long to ever get through.
    pub(crate) fn has_room(&self) -> bool {
        let spill_has_room = self.spill.as_ref().is_some_and(Spill::has_room);
        self.memory < self.memory_limit || (self.memory == self.memory_limit && spill_has_room)
    }

    /// Keeps a line and numbers it.
    pub(crate) fn push(&mut self, form: Form, line: Bytes) -> u64 {
        let cost = line.len() + LINE_OVERHEAD;
        let spilled = if self.memory + cost <= self.memory_limit {
            None
        } else {
            self.spill.as_mut().and_then(|spill| spill.push(&line))
        };
        let body = if let Some(at) = spilled {
            Body::Disk { at, bytes: line.len() as u64 }
        } else {
            self.memory += cost;
            Body::Memory(line)
        };
        self.lines.push_back((form, body));
        self.last()
    }

    /// Forgets every line up to `number`.
    pub(crate) fn forget(&mut self, number: u64) {
        while self.first <= number {
            let Some((form, body)) = self.lines.pop_front() else { break };
            self.first += 1;
            if let Form::Standing(standing) = form {
                self.before_first = standing;
            }
            match body {
                Body::Memory(line) => self.memory -= line.len() + LINE_OVERHEAD,
                Body::Disk { at, bytes } => {
                    if let Some(spill) = &mut self.spill {
                        spill.forget(at, bytes);
                    }
                }
            }
        }
        if self.lines.len() < self.lines.capacity() / 4 {
            self.lines.shrink_to(self.lines.len() * 2);
        }
    }

    /// The body of line `number` from byte `offset`: whole from memory, in parts from disk. `None` when it is not
    /// kept, or when the disk failed in the middle of it.
    pub(crate) fn piece(&self, number: u64, offset: u64) -> Option<Piece> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let (form, body) = self.lines.get(index)?;
        match body {
            Body::Memory(line) => Some(Piece { form: *form, bytes: line.clone(), last: true }),
            Body::Disk { at, bytes } => {
                let length = PIECE_BYTES.min(bytes.checked_sub(offset)?);
                match self.spill.as_ref()?.read(at + offset, length) {
                    Ok(part) => {
                        Some(Piece { form: *form, bytes: part.into(), last: offset + length == *bytes })
                    }
                    Err(error) => {
                        tracing::error!(%error, number, "cannot read a kept line back from disk");
                        (offset == 0).then(|| lost(*bytes))
                    }
                }
            }
        }
    }
}

/// What stands in the place of a line that the disk does not give back.
fn lost(bytes: u64) -> Piece {
    let event = Event::Dropped { method: None, id: None, thread_id: None, bytes, limit: 0 };
    let text = serde_json::to_vec(&event).expect("an event of numbers is JSON");
    Piece { form: Form::Event, bytes: text.into(), last: true }
}

#[cfg(test)]
mod tests;
