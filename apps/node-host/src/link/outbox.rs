//! What is to be said on one connection: bounded in bytes, small frames before the parts of large ones.

use std::collections::VecDeque;

use argus_protocol::node::{FromNode, PART_BYTES, part};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// Beyond so many bytes nothing more is read and no more ends of jobs are told, until some have gone. Results do not
/// count: they are kept until they are acknowledged anyway, and share their text with this queue.
const ROOM: usize = 4 << 20;

/// What a frame counts whose bytes are kept elsewhere: a gateway that asks for the same result again and again is not
/// heard for ever.
const ENTRY: usize = 1 << 10;

/// What is to be said.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    small: VecDeque<Message>,
    small_bytes: usize,
    large: VecDeque<Large>,
    large_bytes: usize,
    ping: bool,
}

/// A frame that goes in parts, and how far it has gone.
#[derive(Debug)]
struct Large {
    id: String,
    text: Utf8Bytes,
    number: u32,
    at: usize,
    counts: usize,
}

/// Whether the bytes of a frame are kept elsewhere too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk {
    /// Only here.
    Own,
    /// In the list of results.
    Shared,
}

impl Outbox {
    /// Whether something that could wait should be put in.
    pub(super) fn has_room(&self) -> bool {
        self.small_bytes + self.large_bytes < ROOM
    }

    /// Takes a frame; `id` is the call or the job that it is about, and names its parts if it needs several.
    pub(super) fn push(&mut self, id: &str, text: Utf8Bytes, bulk: Bulk) {
        if text.len() > PART_BYTES {
            let counts = if bulk == Bulk::Own { text.len() } else { ENTRY };
            self.large_bytes += counts;
            self.large.push_back(Large { id: id.to_owned(), text, number: 0, at: 0, counts });
        } else {
            self.small_bytes += text.len();
            self.small.push_back(Message::Text(text));
        }
    }

    /// Asks the gateway whether it lives.
    pub(super) fn ping(&mut self) {
        self.ping = true;
    }

    /// Whether there is nothing to say.
    pub(super) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty() && !self.ping
    }

    /// What to say next.
    pub(super) fn next(&mut self) -> Option<Message> {
        if std::mem::take(&mut self.ping) {
            return Some(Message::Ping(Bytes::new()));
        }
        if let Some(message) = self.small.pop_front() {
            self.small_bytes -= message.len();
            return Some(message);
        }
        let large = self.large.front_mut()?;
        let part = part(&large.id, large.text.as_str(), large.number, large.at);
        large.number += 1;
        large.at += part.text.len();
        if part.last {
            self.large_bytes -= large.counts;
            self.large.pop_front();
        }
        Some(Message::text(FromNode::Part(part).write()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_protocol::node::Joiner;

    #[test]
    fn small_frames_go_between_the_parts_of_a_large_one_which_is_whole_again() {
        let whole = "ä".repeat(PART_BYTES);
        let mut outbox = Outbox::default();
        outbox.push("big", whole.clone().into(), Bulk::Shared);
        let (mut joiner, mut got, mut said) = (Joiner::default(), None, Vec::new());
        while let Some(message) = outbox.next() {
            let Ok(FromNode::Part(part)) = FromNode::read(message.to_text().unwrap()) else {
                said.push(message);
                continue;
            };
            assert_eq!((part.id.as_str(), got.is_none()), ("big", true));
            got = joiner.take(&part).unwrap();
            if part.number == 0 {
                outbox.push("c", "small".into(), Bulk::Own);
            }
        }
        assert_eq!((got, said), (Some(whole), vec![Message::text("small")]));
        assert!(outbox.is_empty() && outbox.has_room());
    }

    #[test]
    fn there_is_no_room_for_more_than_a_few_megabytes_that_are_kept_nowhere_else() {
        let mut outbox = Outbox::default();
        outbox.push("result", "x".repeat(2 * ROOM).into(), Bulk::Shared);
        assert!(outbox.has_room());
        outbox.push("exit", "x".repeat(ROOM).into(), Bulk::Own);
        assert!(!outbox.has_room());
        while outbox.next().is_some() {}
        assert!(outbox.has_room());
    }
}
