//! Several submissions that waited become one turn, as long as one answer can serve them all.

use std::collections::VecDeque;

use crate::turn::{Origin, Submission};

/// Most submissions in one turn.
pub(crate) const MOST: usize = 20;
/// Most text in one turn, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// Takes the next batch from the front: the oldest, and those right behind it whose answer goes to the same chat.
pub(crate) fn take_batch(waiting: &mut VecDeque<Submission>) -> Vec<Submission> {
    waiting.drain(..next_batch(waiting)).collect()
}

/// How many of those in front are the next batch.
pub(crate) fn next_batch(waiting: &VecDeque<Submission>) -> usize {
    let Some(first) = waiting.front() else { return 0 };
    let mut bytes = first.text.len();
    let behind = waiting.iter().skip(1).take(MOST - 1).take_while(|next| {
        bytes += next.text.len();
        goes_with(&first.origin, &next.origin) && bytes <= MOST_BYTES
    });
    1 + behind.count()
}

/// Whether one answer can serve both: it goes to the same chat, and neither is the assistant's own doing, which stands alone.
pub(crate) fn goes_with(first: &Origin, next: &Origin) -> bool {
    !first.is_unasked() && !next.is_unasked() && first.chat() == next.chat()
}

/// The text of a batch: a single one as it is, several as a numbered list.
pub(crate) fn merge(batch: &[Submission]) -> String {
    if let [only] = batch {
        return only.text.clone();
    }
    let lines = batch.iter().enumerate().map(|(n, one)| format!("\n{}) {}", n + 1, one.text));
    std::iter::once("Follow-ups (batched):".to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::{Beat, ChatRef, Target};

    fn said(n: u8, chat: &str, text: &str) -> Submission {
        let chat = ChatRef { channel: "telegram".into(), bot: "1".into(), chat: chat.parse().unwrap() };
        Submission {
            id: format!("{n:032x}").parse().unwrap(),
            session: "s".parse().unwrap(),
            target: Target::Main,
            thread: None,
            origin: Origin::Chat { chat, user: "u".into(), message: n.to_string() },
            text: text.into(),
            attachments: vec![],
        }
    }

    #[test]
    fn what_one_chat_said_meanwhile_is_one_turn_and_another_chats_words_are_not_in_it() {
        let mut waiting =
            VecDeque::from([said(1, "a", "x"), said(2, "a", "y"), said(3, "b", "z"), said(4, "a", "w")]);
        assert_eq!(merge(&take_batch(&mut waiting)), "Follow-ups (batched):\n1) x\n2) y");
        assert_eq!(merge(&take_batch(&mut waiting)), "z");
        assert_eq!(merge(&take_batch(&mut waiting)), "w");
        assert!(take_batch(&mut waiting).is_empty());
    }

    #[test]
    fn what_the_assistant_does_by_itself_is_a_turn_of_its_own() {
        let chat = said(1, "a", "x").origin.chat().cloned();
        let beat = Submission {
            origin: Origin::Heartbeat { why: Beat::Due, chat: chat.clone() },
            ..said(2, "a", "")
        };
        let run = Submission {
            origin: Origin::Cron { job: "j".into(), run: "j@1".into(), chat },
            ..said(3, "a", "y")
        };
        let mut waiting = VecDeque::from([said(1, "a", "x"), beat, run, said(4, "a", "z")]);
        let sizes: Vec<_> = (0..4).map(|_| take_batch(&mut waiting).len()).collect();
        assert_eq!(sizes, [1; 4]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let mut waiting: VecDeque<_> = (0..50).map(|n| said(n, "a", "x")).collect();
        assert_eq!(take_batch(&mut waiting).len(), MOST);
    }
}
