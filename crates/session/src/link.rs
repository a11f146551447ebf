//! The numbered link to one bridge process: what was seen, what may be forgotten, what is on its way down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use argus_protocol::bridge::{DOWN_WINDOW_BYTES, DOWN_WINDOW_FRAMES};
use bytes::Bytes;

use crate::input::{AfterLoss, LinkUp};
use crate::lane::LaneId;

/// Names a reason not to let the bridge forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HoldId(u64);

/// A frame on its way down.
#[derive(Debug)]
pub(crate) enum Down {
    /// To be sent as it is.
    Frame(Bytes),
    /// A `turn/start` or `turn/steer` that must be durable, with its number, before it is sent; everything behind it waits.
    Turn { lane: LaneId, request_id: u64, text: Bytes },
}

/// The numbers of one bridge process.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) boot: Arc<str>,
    after_loss: AfterLoss,
    /// Just reached, so that it may not have heard what it was told last.
    fresh: bool,
    last_seen: u64,
    replay_until: u64,
    acked: u64,
    /// The newest line that came over this connection, seen before or not: what is still to be sent again must not be
    /// forgotten yet.
    arrived: u64,
    fresh_lines: u32,
    fresh_bytes: usize,
    ack_due: Option<u64>,
    held_bytes: usize,
    holds: BTreeMap<HoldId, u64>,
    next_hold: u64,
    next_down: u64,
    sent: VecDeque<(u64, Bytes)>,
    sent_bytes: usize,
    pub(crate) queue: VecDeque<Down>,
    pending_bytes: usize,
}

/// Acknowledge at least every so many lines …
const ACK_LINES: u32 = 256;
/// … bytes …
const ACK_BYTES: usize = 1 << 20;
/// … or milliseconds.
const ACK_DELAY_MS: u64 = 200;

impl Link {
    pub(crate) fn new(up: &LinkUp, seen: u64) -> Self {
        let last_seen = seen.max(up.first_seq.saturating_sub(1));
        Self {
            boot: up.boot.as_str().into(),
            after_loss: up.after_loss,
            fresh: true,
            last_seen,
            replay_until: up.last_seq,
            acked: up.first_seq.saturating_sub(1),
            arrived: up.first_seq.saturating_sub(1),
            fresh_lines: 0,
            fresh_bytes: 0,
            ack_due: None,
            held_bytes: 0,
            holds: BTreeMap::new(),
            next_hold: 0,
            next_down: up.last_down_seq + 1,
            sent: VecDeque::new(),
            sent_bytes: 0,
            queue: VecDeque::new(),
            pending_bytes: 0,
        }
    }

    /// Whether the runtime, its agent and all that it said end with the connection.
    pub(crate) fn ends_with_its_connection(&self) -> bool {
        self.after_loss == AfterLoss::Lost
    }

    /// The same bridge process is reached again: what it did not take is to be sent once more.
    pub(crate) fn again(&mut self, up: &LinkUp) -> Vec<(u64, Bytes)> {
        self.fresh = true;
        self.replay_until = up.last_seq;
        self.acked = up.first_seq.saturating_sub(1);
        self.arrived = self.acked;
        self.took(up.last_down_seq);
        self.sent.iter().cloned().collect()
    }

    /// Whether this line is new; notes it.
    pub(crate) fn see(&mut self, seq: u64, bytes: usize, now: u64) -> bool {
        self.arrived = self.arrived.max(seq);
        self.fresh_lines += 1;
        self.fresh_bytes += bytes;
        self.ack_due.get_or_insert(now + ACK_DELAY_MS);
        let new = seq > self.last_seen;
        if new {
            self.last_seen = seq;
            self.held_bytes += bytes;
        }
        new
    }

    /// Whether it was just reached; said once.
    pub(crate) fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    pub(crate) fn last_seen(&self) -> u64 {
        self.last_seen
    }

    /// Whether everything the bridge had kept was seen.
    pub(crate) fn caught_up(&self) -> bool {
        self.last_seen >= self.replay_until
    }

    /// Keeps the bridge from forgetting line `seq` and what follows.
    pub(crate) fn hold(&mut self, seq: u64) -> HoldId {
        if self.holds.is_empty() {
            self.held_bytes = 0;
        }
        self.next_hold += 1;
        self.holds.insert(HoldId(self.next_hold), seq);
        HoldId(self.next_hold)
    }

    pub(crate) fn release(&mut self, hold: HoldId) {
        self.holds.remove(&hold);
    }

    /// Everything open at line `seq` is durable: no hold needs anything up to it.
    pub(crate) fn checkpointed(&mut self, seq: u64) {
        for held in self.holds.values_mut() {
            *held = (*held).max(seq + 1);
        }
    }

    /// Bytes of lines that came since the oldest hold or the last checkpoint; starts anew.
    pub(crate) fn take_held_bytes(&mut self, limit: usize) -> bool {
        let much = !self.holds.is_empty() && self.held_bytes > limit;
        if much {
            self.held_bytes = 0;
        }
        much
    }

    pub(crate) fn ack_due(&self) -> Option<u64> {
        self.ack_due
    }

    /// The number to acknowledge now, if it is time; nothing from line `unwritten` on.
    pub(crate) fn ack(&mut self, now: u64, unwritten: Option<u64>) -> Option<u64> {
        let due = self.ack_due.is_some_and(|at| at <= now);
        if !due && self.fresh_lines < ACK_LINES && self.fresh_bytes < ACK_BYTES {
            return None;
        }
        (self.ack_due, self.fresh_lines, self.fresh_bytes) = (None, 0, 0);
        let held = self.holds.values().min().copied().into_iter().chain(unwritten).min();
        let free = held.map_or(self.arrived, |held| self.arrived.min(held.saturating_sub(1)));
        (free > self.acked).then(|| {
            self.acked = free;
            free
        })
    }

    /// Something may be acknowledged now that could not before.
    pub(crate) fn ack_soon(&mut self, now: u64) {
        self.ack_due.get_or_insert(now + ACK_DELAY_MS);
    }

    /// Puts a frame in line; `false` when too much is waiting already.
    pub(crate) fn push(&mut self, down: Down, limit: usize) -> bool {
        let (Down::Frame(text) | Down::Turn { text, .. }) = &down;
        if self.pending_bytes > 0 && self.pending_bytes + text.len() > limit {
            return false;
        }
        self.pending_bytes += text.len();
        self.queue.push_back(down);
        true
    }

    /// Whether the bridge has room for the frame at the head of the line.
    pub(crate) fn has_window(&self) -> bool {
        let Some(Down::Frame(head) | Down::Turn { text: head, .. }) = self.queue.front() else { return true };
        let fits = self.sent.len() < DOWN_WINDOW_FRAMES && self.sent_bytes + head.len() <= DOWN_WINDOW_BYTES;
        self.sent.is_empty() || fits
    }

    pub(crate) fn next_down(&self) -> u64 {
        self.next_down
    }

    /// Numbers the frame at the head of the line as sent.
    pub(crate) fn send_head(&mut self) -> Option<(u64, Bytes)> {
        let (Down::Frame(text) | Down::Turn { text, .. }) = self.queue.pop_front()?;
        let seq = self.next_down;
        self.next_down += 1;
        self.sent_bytes += text.len();
        self.sent.push_back((seq, text.clone()));
        Some((seq, text))
    }

    /// Takes the frame at the head of the line away unsent.
    pub(crate) fn drop_head(&mut self) {
        if let Some(Down::Frame(text) | Down::Turn { text, .. }) = self.queue.pop_front() {
            self.pending_bytes -= text.len();
        }
    }

    /// Takes everything unsent away.
    pub(crate) fn drop_queue(&mut self) {
        while !self.queue.is_empty() {
            self.drop_head();
        }
    }

    /// The bridge took everything up to `seq`.
    pub(crate) fn took(&mut self, seq: u64) {
        while self.sent.front().is_some_and(|(number, _)| *number <= seq) {
            if let Some((_, text)) = self.sent.pop_front() {
                self.sent_bytes -= text.len();
                self.pending_bytes -= text.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_protocol::bridge::AgentState;

    fn link(first: u64, last: u64, down: u64) -> Link {
        let up = LinkUp {
            boot: "b".into(),
            after_loss: AfterLoss::Lives,
            agent_epoch: 1,
            agent_state: AgentState::Up,
            first_seq: first,
            last_seq: last,
            last_down_seq: down,
            handshake: None,
            checkpoint: None,
        };
        Link::new(&up, 0)
    }

    #[test]
    fn a_line_is_seen_once() {
        let mut link = link(5, 6, 0);
        assert_eq!([5, 5, 6, 4].map(|seq| link.see(seq, 1, 0)), [true, false, true, false]);
        assert!(link.caught_up());
    }

    #[test]
    fn nothing_is_acknowledged_past_the_oldest_hold() {
        let mut link = link(1, 0, 0);
        let hold = link.hold(3);
        (1..=9).for_each(|seq| assert!(link.see(seq, 1, 0)));
        assert_eq!(link.ack(0, None), None);
        assert_eq!(link.ack(ACK_DELAY_MS, None), Some(2));
        link.release(hold);
        link.ack_soon(300);
        assert_eq!(link.ack(300 + ACK_DELAY_MS, None), Some(9));
    }

    #[test]
    fn after_a_lost_connection_only_what_was_not_taken_is_sent_again() {
        let mut link = link(1, 0, 7);
        for text in ["a", "b", "c"] {
            assert!(link.push(Down::Frame(text.into()), 100));
        }
        let numbers: Vec<_> = std::iter::from_fn(|| link.send_head()).map(|(seq, _)| seq).collect();
        assert_eq!(numbers, [8, 9, 10]);
        let up = LinkUp {
            boot: "b".into(),
            after_loss: AfterLoss::Lives,
            agent_epoch: 1,
            agent_state: AgentState::Up,
            first_seq: 1,
            last_seq: 0,
            last_down_seq: 9,
            handshake: None,
            checkpoint: None,
        };
        assert_eq!(link.again(&up), [(10, Bytes::from("c"))]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let mut link = link(1, 0, 0);
        assert!(link.push(Down::Frame(vec![0; 80].into()), 100));
        assert!(!link.push(Down::Frame(vec![0; 80].into()), 100));
        link.send_head();
        link.took(1);
        assert!(link.push(Down::Frame(vec![0; 80].into()), 100));
    }
}
