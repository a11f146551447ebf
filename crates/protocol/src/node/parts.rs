//! A frame that is too large for one, in parts: taken apart here, put together there.

use serde::{Deserialize, Serialize};

/// The text of one part in bytes, before it is escaped.
pub const PART_BYTES: usize = 256 << 10;

/// The largest result in bytes: a node that would send a larger one says [`super::code::TOO_LARGE`].
pub const LARGEST_RESULT: usize = 32 << 20;

/// `node.part`: a piece of the text of a whole frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The call whose result it is.
    pub id: String,
    /// The first is 0.
    pub number: u32,
    /// Whether it is the last.
    pub last: bool,
    /// The piece.
    pub text: String,
}

/// Parts that do not fit together; the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartFault {
    /// One is missing, or comes twice.
    #[error("part {0} came where another was to come")]
    Order(u32),
    /// They are more than a result may be.
    #[error("the parts are larger than {LARGEST_RESULT} bytes")]
    TooLarge,
}

/// The text of a frame in parts that together are it.
pub fn split(id: &str, frame: &str) -> Vec<Part> {
    let (mut parts, mut from) = (Vec::new(), 0);
    loop {
        let part = part(id, frame, u32::try_from(parts.len()).unwrap_or(u32::MAX), from);
        from += part.text.len();
        parts.push(part);
        if from >= frame.len() {
            return parts;
        }
    }
}

/// The part of a frame's text that begins at a byte, where the part before it ended: one at a time, so that a large
/// frame is not in memory twice.
pub fn part(id: &str, frame: &str, number: u32, from: usize) -> Part {
    let to = frame.floor_char_boundary((from + PART_BYTES).min(frame.len()));
    let text = frame.get(from..to).unwrap_or_default().to_owned();
    Part { id: id.to_owned(), number, last: to >= frame.len(), text }
}

/// Puts the parts of one frame together, in their order; a first part begins anew.
#[derive(Debug, Default)]
pub struct Joiner {
    next: u32,
    text: String,
}

impl Joiner {
    /// Takes the next part; the whole text with the last one.
    pub fn take(&mut self, part: &Part) -> Result<Option<String>, PartFault> {
        if part.number == 0 {
            *self = Self::default();
        } else if part.number != self.next {
            return Err(PartFault::Order(part.number));
        }
        if self.text.len() + part.text.len() > LARGEST_RESULT {
            return Err(PartFault::TooLarge);
        }
        self.next += 1;
        self.text.push_str(&part.text);
        Ok(part.last.then(|| std::mem::take(self).text))
    }

    /// Bytes that are kept.
    pub fn kept(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_is_whole_again(text in "[aäß€\u{1F600}]{0,40}", times in 1_usize..20_000) {
            let frame = text.repeat(times);
            let (mut joiner, mut whole) = (Joiner::default(), None);
            for part in split("c1", &frame) {
                prop_assert!(part.text.len() <= PART_BYTES && whole.is_none());
                whole = joiner.take(&part).unwrap();
            }
            prop_assert_eq!(whole, Some(frame));
            prop_assert_eq!(joiner.kept(), 0);
        }
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let part = |number, text: &str| Part { id: "c".into(), number, last: false, text: text.into() };
        let mut joiner = Joiner::default();
        assert_eq!(joiner.take(&part(1, "b")), Err(PartFault::Order(1)));
        assert_eq!(joiner.take(&part(0, "a")), Ok(None));
        assert_eq!(joiner.take(&part(2, "c")), Err(PartFault::Order(2)));
        let (big, mut joiner) = ("x".repeat(LARGEST_RESULT / 2 + 1), Joiner::default());
        assert_eq!(joiner.take(&part(0, &big)), Ok(None));
        assert_eq!(joiner.take(&part(1, &big)), Err(PartFault::TooLarge));
    }
}
