//! What was said to everybody: numbered, bounded in number and in bytes, for clients that come back.

use std::collections::VecDeque;

use argus_protocol::frame;
use bytes::Bytes;

use crate::input::{Heard, KeptHistory};

/// Most frames kept.
const FRAMES: usize = 16_384;
/// Most bytes kept.
const BYTES: usize = 8 << 20;
/// More frames than a gateway could say that did not live to write them down.
const UNWRITTEN: u64 = 1 << 20;
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
    /// The bridge process and its newest line whose frames were kept by our last owner.
    said: Option<(String, u64)>,
    /// Frames that are not written down yet, with the line of the bridge that each follows from.
    unwritten: VecDeque<(u64, u64)>,
}

/// What a client missed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The newest number that the client heard before.
    pub(crate) heard: u64,
    /// Numbers that are gone, from and to.
    pub(crate) gap: Option<(u64, u64)>,
    /// The rest, each with its number in it.
    pub(crate) frames: Vec<Bytes>,
}

impl History {
    /// What was kept.
    pub(crate) fn restore(kept: KeptHistory) -> Self {
        let mut history = Self {
            epoch: kept.epoch,
            first: kept.first.max(1),
            frames: VecDeque::new(),
            bytes: 0,
            unheard_from: None,
            said: kept.line,
            unwritten: VecDeque::new(),
        };
        for frame in kept.frames {
            history.push(frame);
        }
        history
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

    /// Whether what this line says was said to everybody by our last owner already.
    pub(crate) fn has_said(&self, boot: &str, line: u64) -> bool {
        self.said.as_ref().is_some_and(|(known, newest)| known == boot && line <= *newest)
    }

    /// A frame is being written down; until then the bridge must not forget the line it follows from.
    pub(crate) fn writing(&mut self, number: u64, line: u64) {
        self.unwritten.push_back((number, line));
    }

    /// Everything up to this number is written.
    pub(crate) fn written(&mut self, number: u64) {
        while self.unwritten.front().is_some_and(|(unwritten, _)| *unwritten <= number) {
            self.unwritten.pop_front();
        }
    }

    /// The oldest line whose frames are not all written.
    pub(crate) fn unwritten_line(&self) -> Option<u64> {
        self.unwritten.front().map(|(_, line)| *line)
    }

    /// Another bridge process: the lines of the last one mean nothing any more.
    pub(crate) fn another_bridge(&mut self) {
        for (_, line) in &mut self.unwritten {
            *line = u64::MAX;
        }
    }

    /// What nobody heard, for the first one that comes: as far as it is kept, and not more than the reference kept.
    pub(crate) fn take_unheard(&mut self) -> Vec<Bytes> {
        let Some(from) = self.unheard_from.take() else { return Vec::new() };
        let from = from.max((self.newest() + 1).saturating_sub(UNHEARD));
        self.from(from).map(|(_, frame)| frame.clone()).collect()
    }

    /// What follows the newest frame that a client heard. All that is kept follows one of another epoch; a number that
    /// was never given is taken for such a one, unless the epoch was named and it is not far off: then it was given by our
    /// last owner, who did not live to write it down.
    pub(crate) fn missed(&self, heard: &Heard) -> Missed {
        let newest = self.newest();
        let foreign = match &heard.epoch {
            Some(epoch) => *epoch != self.epoch || heard.number > newest.saturating_add(UNWRITTEN),
            None => heard.number > newest,
        };
        let heard = if foreign { 0 } else { heard.number };
        Missed {
            heard,
            gap: (heard + 1 < self.first).then(|| (heard + 1, self.first - 1)),
            frames: self.from(heard + 1).map(|(number, frame)| numbered(frame, number)).collect(),
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
        let mut history = History::restore(KeptHistory { epoch: "e".to_owned(), ..KeptHistory::default() });
        (1..=frames).for_each(|n| assert_eq!(history.push(format!("{{\"n\":{n}}}").into()), n as u64));
        history
    }

    fn frame(n: u64) -> Bytes {
        format!("{{\"n\":{n},\"argusSeq\":{n}}}").into()
    }

    fn missed(history: &History, number: u64, epoch: Option<&str>) -> Missed {
        history.missed(&Heard { number, epoch: epoch.map(str::to_owned) })
    }

    #[test]
    fn what_follows_a_number_comes_in_order_with_its_numbers() {
        let history = history(5);
        let rest = Missed { heard: 3, gap: None, frames: vec![frame(4), frame(5)] };
        assert_eq!(missed(&history, 3, None), rest);
        assert_eq!(missed(&history, 3, Some("e")), rest);
        assert_eq!(missed(&history, 5, None), Missed { heard: 5, gap: None, frames: vec![] });
        assert_eq!(missed(&history, 0, None).frames.len(), 5);
    }

    #[test]
    fn what_is_gone_is_told() {
        let history = history(FRAMES + 10);
        let told = missed(&history, 4, None);
        assert_eq!((told.gap, told.frames.len(), told.frames[0].clone()), (Some((5, 10)), FRAMES, frame(11)));
        assert_eq!(missed(&history, 10, None).gap, None);
    }

    #[test]
    fn a_number_of_another_epoch_is_followed_by_everything() {
        let all = Missed { heard: 0, gap: None, frames: vec![frame(1), frame(2)] };
        assert_eq!(missed(&history(2), 77, None), all);
        assert_eq!(missed(&history(2), 1, Some("other")), all);
    }

    #[test]
    fn a_number_of_this_epoch_that_was_not_written_down_is_believed_unless_it_is_far_off() {
        assert_eq!(missed(&history(2), 3, Some("e")), Missed { heard: 3, gap: None, frames: vec![] });
        let all = Missed { heard: 0, gap: None, frames: vec![frame(1), frame(2)] };
        for number in [1 << 21, 1 << 63, u64::MAX] {
            assert_eq!(missed(&history(2), number, Some("e")), all, "{number}");
            assert_eq!(missed(&history(2), number, None), all, "{number}");
        }
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
    fn a_line_may_be_forgotten_when_its_frames_are_written() {
        let mut history = history(3);
        for (number, line) in [(1, 7), (2, 7), (3, 9)] {
            history.writing(number, line);
        }
        let mut oldest = |number| {
            history.written(number);
            history.unwritten_line()
        };
        assert_eq!([oldest(0), oldest(1), oldest(2), oldest(3)], [Some(7), Some(7), Some(9), None]);
    }

    #[test]
    fn big_frames_make_the_oldest_give_way() {
        let mut history = History::restore(KeptHistory { epoch: "e".to_owned(), ..KeptHistory::default() });
        (0..5).for_each(|n| _ = history.push(vec![n; BYTES / 2].into()));
        history.unheard(1);
        assert_eq!(history.take_unheard().iter().map(|frame| frame[0]).collect::<Vec<_>>(), [3, 4]);
    }
}
