//! Replies to a client that named itself: kept a while, since it may not have got them when its connection was lost.

use std::collections::VecDeque;

use argus_protocol::{RpcError, frame};
use bytes::Bytes;

/// Replies that went out and are kept.
const SENT: usize = 64;
/// Bytes kept of those, and of those that could not go out.
const BYTES: usize = 2 << 20;

/// Newest last.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    sent: VecDeque<Reply>,
    /// Said while the client was away.
    owed: VecDeque<Reply>,
}

#[derive(Clone, Debug)]
struct Reply {
    /// The client's id of the request, JSON text.
    id: String,
    text: Bytes,
    /// The newest number said to everybody before it.
    after: u64,
}

impl Replies {
    /// Notes a reply that goes out now.
    pub(crate) fn note_sent(&mut self, id: &str, text: Bytes, after: u64) {
        self.sent.push_back(Reply { id: id.to_owned(), text, after });
        while self.sent.len() > SENT {
            self.sent.pop_front();
        }
        shorten(&mut self.sent);
    }

    /// Keeps a reply until the client is back. There are never more of them than requests without a reply.
    pub(crate) fn owe(&mut self, id: &str, text: Bytes, after: u64) {
        self.owed.push_back(Reply { id: id.to_owned(), text, after });
        shorten(&mut self.owed);
    }

    /// What a client hears that is back and has heard everything up to number `heard`: what it may have missed, and
    /// what was said meanwhile.
    pub(crate) fn take(&mut self, heard: Option<u64>) -> Vec<Bytes> {
        let missed = self.sent.iter().filter(|reply| heard.is_some_and(|heard| reply.after >= heard));
        let texts = missed.chain(&self.owed).map(|reply| reply.text.clone()).collect();
        self.sent.append(&mut self.owed);
        shorten(&mut self.sent);
        texts
    }
}

/// What does not fit is replaced by an error under the same id, the oldest first, so that nobody waits in vain.
fn shorten(replies: &mut VecDeque<Reply>) {
    let mut bytes: usize = replies.iter().map(|reply| reply.text.len()).sum();
    for reply in replies {
        if bytes <= BYTES {
            return;
        }
        let size = reply.text.len();
        let words =
            format!("the reply of {size} bytes was not kept while the connection was lost; ask again");
        let stub = frame::reply_error(&reply.id, &RpcError::failed(words));
        if stub.len() < size {
            bytes -= size - stub.len();
            reply.text = stub;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: u64) -> Bytes {
        format!("{{\"id\":{n},\"result\":{{}}}}").into()
    }

    #[test]
    fn who_is_back_hears_what_it_may_have_missed_and_what_was_said_meanwhile() {
        let mut replies = Replies::default();
        for n in 1..=3 {
            replies.note_sent(&n.to_string(), text(n), n * 10);
        }
        replies.owe("4", text(4), 30);
        assert_eq!(replies.take(Some(20)), [text(2), text(3), text(4)]);
        assert_eq!(replies.take(None), Vec::<Bytes>::new());
        assert_eq!(replies.take(Some(25)), [text(3), text(4)]);
    }

    #[test]
    fn so_many_that_went_out_are_kept() {
        let mut replies = Replies::default();
        (0..100).for_each(|n| replies.note_sent(&n.to_string(), text(n), 0));
        assert_eq!(replies.take(Some(0)).len(), SENT);
    }

    #[test]
    fn what_does_not_fit_becomes_an_error_under_its_id() {
        let mut replies = Replies::default();
        let big = Bytes::from(format!("{{\"id\":1,\"result\":\"{}\"}}", "x".repeat(BYTES)));
        replies.owe("1", big, 0);
        replies.owe("2", text(2), 0);
        let kept = replies.take(None);
        let first: serde_json::Value = serde_json::from_slice(&kept[0]).unwrap();
        assert_eq!((&first["id"], &first["error"]["code"]), (&1.into(), &(-32000).into()));
        assert_eq!(kept[1], text(2));
    }
}
