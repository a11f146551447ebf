//! One connection of a node: what it says, until it is dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argus_protocol::node::{
    AskOver, Fault, FromNode, Joiner, LARGEST_FRAME, LARGEST_RESULT, Part, RUNTIME, ResultAck, Settled,
    ToNode, code,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::calls::{LONGEST_WAIT, Outcome};
use super::facts::Fact;
use super::{Devices, Leave, Outgoing};
use crate::clock::unix_ms;

/// Bytes of parts that are kept for one connection.
const MOST_IN_PARTS: usize = 2 * LARGEST_RESULT;
/// Frames that make no sense before a node is let go.
const MOST_SENSELESS: u32 = 32;
/// Longest name of a job, code and words of a fault that are taken, in characters.
const LONGEST_ID: usize = 128;
const LONGEST_WORDS: usize = 4000;

/// A connected node. Dropped, it is away.
#[derive(Debug)]
pub struct Connection {
    pub(super) devices: Devices,
    pub(super) id: String,
    pub(super) number: u64,
    /// Whether it knows of more than requests and results.
    pub(super) knows_more: bool,
    pub(super) out: Outgoing,
    pub(super) heard_ms: Arc<AtomicU64>,
    pub(super) facts: mpsc::Sender<Fact>,
    pub(super) joiners: HashMap<String, Joiner>,
    pub(super) senseless: u32,
}

impl Connection {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What goes to it.
    pub fn outgoing(&self) -> &Outgoing {
        &self.out
    }

    /// Takes a frame of it; an error where it has to go.
    pub fn hear(&mut self, text: &str) -> Result<(), Leave> {
        if self.knows_more && text.len() > LARGEST_FRAME {
            return Err(Leave::TooBig);
        }
        let Ok(frame) = FromNode::read(text) else { return self.senseless() };
        self.heard_ms.store(unix_ms(), Ordering::Relaxed);
        match frame {
            FromNode::Job(job) if job.job_id.len() <= LONGEST_ID => {
                self.devices.registry().calls.note(&job.id, &self.id, |known| known.job = Some(job.job_id));
            }
            FromNode::Waiting(waiting) => {
                let longest = u64::try_from(LONGEST_WAIT.as_millis()).unwrap_or(u64::MAX);
                let ms = Duration::from_millis(waiting.ms.min(longest));
                let until = (waiting.ms > 0).then(|| Instant::now() + ms);
                self.devices.registry().calls.note(&waiting.id, &self.id, |known| known.waits_until = until);
            }
            FromNode::Result(settled) => self.settled(*settled),
            FromNode::Part(part) => return self.part(&part),
            FromNode::Exited(exit) => {
                let own = exit.node_id.as_deref().is_none_or(|id| id.is_empty() || id == self.id);
                if own {
                    self.tell(Fact::Exited(exit));
                }
            }
            // A runtime's node has no owner to ask: whatever it says is its agent's, which has no say in other people's chats.
            FromNode::Ask(ask) if !self.id.starts_with(RUNTIME) => self.tell(Fact::Asked(ask)),
            FromNode::AskOver(AskOver { id }) => self.tell(Fact::AskOver(id)),
            FromNode::Heartbeat(beat) if beat.jobs > 0 => {
                if let Some(session) = self.id.strip_prefix(RUNTIME).and_then(|own| own.parse().ok()) {
                    self.devices.0.facts.at_work(&session);
                }
            }
            FromNode::Job(_)
            | FromNode::Ask(_)
            | FromNode::Heartbeat(_)
            | FromNode::Connect(_)
            | FromNode::Enrol(_)
            | FromNode::Unknown => {}
        }
        Ok(())
    }

    fn senseless(&mut self) -> Result<(), Leave> {
        self.senseless += 1;
        if self.senseless > MOST_SENSELESS {
            return Err(Leave::Senseless("too many frames that are none"));
        }
        tracing::debug!(node.id = self.id, "a node sent what is no frame");
        Ok(())
    }

    /// Brings a fact to who tells it. One that finds no place is told again by the node.
    fn tell(&self, fact: Fact) {
        if self.facts.try_send(fact).is_err() {
            tracing::warn!(node.id = self.id, "a node tells faster than it can be told further");
        }
    }

    fn settled(&mut self, settled: Settled) {
        if settled.node_id != self.id {
            return;
        }
        let id = settled.id.clone();
        self.joiners.remove(&id);
        let taken = self.devices.registry().calls.settle(&id, &self.id, outcome(settled));
        // What nobody waits for is not acknowledged: if it was a job, its end is told as any other.
        if taken {
            self.acknowledge(id);
        } else {
            self.acknowledge_again(&id);
        }
    }

    fn acknowledge(&self, id: String) {
        if self.knows_more {
            self.out.say(&ToNode::ResultAck(ResultAck { id }));
        }
    }

    /// The link may have broken before a node heard that its result had come.
    fn acknowledge_again(&self, id: &str) {
        if self.devices.registry().calls.was_answered(id, &self.id) {
            self.acknowledge(id.to_owned());
        }
    }

    fn part(&mut self, part: &Part) -> Result<(), Leave> {
        if !self.devices.registry().calls.is_of(&part.id, &self.id) {
            self.joiners.remove(&part.id);
            if part.last {
                self.acknowledge_again(&part.id);
            }
            return Ok(());
        }
        let kept: usize = self.joiners.values().map(Joiner::kept).sum();
        if kept + part.text.len() > MOST_IN_PARTS {
            return Err(Leave::TooBig);
        }
        let joiner = self.joiners.entry(part.id.clone()).or_default();
        let whole = joiner.take(part).map_err(|_| Leave::Senseless("parts that do not fit together"))?;
        let Some(whole) = whole else { return Ok(()) };
        self.joiners.remove(&part.id);
        match FromNode::read(&whole) {
            Ok(FromNode::Result(settled)) if settled.id == part.id => {
                self.settled(*settled);
                Ok(())
            }
            _ => Err(Leave::Senseless("parts of what is no result")),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.devices.left(&self.id, self.number);
    }
}

fn outcome(mut settled: Settled) -> Outcome {
    if settled.ok {
        return Ok(settled.into_payload());
    }
    let fault = settled.error.take();
    let fault = fault.unwrap_or_else(|| Fault::new(code::FAILED, "the node did not say why"));
    Err(Fault {
        code: fault.code.chars().take(LONGEST_ID).collect(),
        message: fault.message.chars().take(LONGEST_WORDS).collect(),
        job_id: fault.job_id.filter(|job| job.len() <= LONGEST_ID),
    })
}
