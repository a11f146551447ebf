//! What was said to everybody: numbered, bounded in number and in bytes, for clients that come back.

use std::collections::VecDeque;

use argus_protocol::frame;
use bytes::Bytes;

/// Most frames kept.
const FRAMES: usize = 16_384;
/// Most bytes kept.
const BYTES: usize = 8 << 20;
/// Most frames that wait for a client that does not read numbers (the reference's number).
const UNHEARD: u64 = 2000;

/// Oldest first; the oldest give way.
#[derive(Debug)]
pub(crate) struct History {
    /// Names the numbering: numbers of another epoch mean nothing here.
    epoch: String,
    /// The number of the oldest frame that is kept, or would be.
    first: u64,
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The first frame that no client heard.
    unheard_from: Option<u64>,
}

/// What a client missed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Numbers that are gone, from and to.
    pub(crate) gap: Option<(u64, u64)>,
    /// The rest, each with its number in it.
    pub(crate) frames: Vec<Bytes>,
}

impl History {
    /// An empty one, in which numbers start at 1.
    pub(crate) fn new(epoch: String) -> Self {
        Self { epoch, first: 1, frames: VecDeque::new(), bytes: 0, unheard_from: None }
    }

    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The newest number, 0 before the first.
    pub(crate) fn newest(&self) -> u64 {
        self.first + self.frames.len() as u64 - 1
    }

    /// Numbers a frame and keeps it.
    pub(crate) fn push(&mut self, frame: Bytes) -> u64 {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > FRAMES || self.bytes > BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.len();
            self.first += 1;
        }
        self.newest()
    }

    /// Nobody hears what follows `number`, which is one that nobody heard.
    pub(crate) fn unheard(&mut self, number: u64) {
        self.unheard_from.get_or_insert(number);
    }

    pub(crate) fn has_unheard(&self) -> bool {
        self.unheard_from.is_some()
    }

    /// What nobody heard, for the first one that comes: as far as it is kept, and not more than the reference kept.
    pub(crate) fn take_unheard(&mut self) -> Vec<Bytes> {
        let Some(from) = self.unheard_from.take() else { return Vec::new() };
        let from = from.max((self.newest() + 1).saturating_sub(UNHEARD));
        self.from(from).map(|(_, frame)| frame.clone()).collect()
    }

    /// What follows number `after`. A number that was never given is one of another epoch: all that is kept follows it.
    pub(crate) fn missed(&self, after: u64) -> Missed {
        let next = if after > self.newest() { 1 } else { after + 1 };
        Missed {
            gap: (next < self.first).then(|| (next, self.first - 1)),
            frames: self.from(next).map(|(number, frame)| numbered(frame, number)).collect(),
        }
    }

    fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Bytes)> {
        let skipped = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        (self.first..).zip(&self.frames).skip(skipped)
    }
}

/// The frame with its number as a last member.
pub(crate) fn numbered(frame: &Bytes, number: u64) -> Bytes {
    frame::with_member(frame, "argusSeq", &number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(frames: usize) -> History {
        let mut history = History::new("e".to_owned());
        (1..=frames).for_each(|n| assert_eq!(history.push(format!("{{\"n\":{n}}}").into()), n as u64));
        history
    }

    fn frame(n: u64) -> Bytes {
        format!("{{\"n\":{n},\"argusSeq\":{n}}}").into()
    }

    #[test]
    fn what_follows_a_number_comes_in_order_with_its_numbers() {
        let history = history(5);
        assert_eq!(history.missed(3), Missed { gap: None, frames: vec![frame(4), frame(5)] });
        assert_eq!(history.missed(5), Missed { gap: None, frames: vec![] });
        assert_eq!(history.missed(0).frames.len(), 5);
    }

    #[test]
    fn what_is_gone_is_told() {
        let history = history(FRAMES + 10);
        let missed = history.missed(4);
        assert_eq!(
            (missed.gap, missed.frames.len(), missed.frames[0].clone()),
            (Some((5, 10)), FRAMES, frame(11))
        );
        assert_eq!(history.missed(10).gap, None);
    }

    #[test]
    fn a_number_of_another_epoch_is_followed_by_everything() {
        assert_eq!(history(2).missed(77), Missed { gap: None, frames: vec![frame(1), frame(2)] });
    }

    #[test]
    fn the_newest_two_thousand_unheard_frames_are_for_the_first_that_comes() {
        let mut history = history(2100);
        history.unheard(1);
        history.unheard(2);
        let kept = history.take_unheard();
        assert_eq!((kept.len(), kept[0].clone()), (2000, Bytes::from("{\"n\":101}")));
        assert!(history.take_unheard().is_empty());
    }

    #[test]
    fn big_frames_make_the_oldest_give_way() {
        let mut history = History::new("e".to_owned());
        (0..5).for_each(|n| _ = history.push(vec![n; BYTES / 2].into()));
        history.unheard(1);
        assert_eq!(history.take_unheard().iter().map(|frame| frame[0]).collect::<Vec<_>>(), [3, 4]);
    }
}
