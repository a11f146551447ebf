//! What was said while nobody listened, for the first client that attaches: bounded in number and in bytes.

use std::collections::VecDeque;

use bytes::Bytes;

/// Most frames kept (the reference's number).
const FRAMES: usize = 2000;
/// Most bytes kept.
const BYTES: usize = 8 << 20;

/// Oldest first; the oldest give way.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > FRAMES || self.bytes > BYTES {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Bytes> {
        self.bytes = 0;
        std::mem::take(&mut self.frames).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_two_thousand_frames_are_kept() {
        let mut outbox = Outbox::default();
        (0..2100).for_each(|n| outbox.push(n.to_string().into()));
        let kept: Vec<_> = outbox.drain().collect();
        assert_eq!((kept.len(), kept[0].clone()), (2000, Bytes::from("100")));
        assert_eq!(outbox.drain().count(), 0);
    }

    #[test]
    fn big_frames_make_the_oldest_give_way() {
        let mut outbox = Outbox::default();
        (0..5).for_each(|n| outbox.push(vec![n; BYTES / 2].into()));
        assert_eq!(outbox.drain().map(|frame| frame[0]).collect::<Vec<_>>(), [3, 4]);
    }
}
