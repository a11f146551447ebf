//! Replies to a client that named itself: kept a while, since it may not have got them when its connection was lost.

use std::collections::VecDeque;

use argus_protocol::{RpcError, frame};
use bytes::Bytes;

use crate::config::SessionConfig;

/// Replies that went out and are kept: as many as a client may have open requests.
const SENT: usize = SessionConfig::REQUESTS_PER_CLIENT;
/// Bytes kept of those, and of those that could not go out.
const BYTES: usize = 512 << 10;

/// What is kept for one client.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    sent: Kept,
    /// Said while the client was away. There are never more of them than requests without a reply.
    owed: Kept,
}

/// Newest last.
#[derive(Debug, Default)]
struct Kept {
    replies: VecDeque<Reply>,
    bytes: usize,
    /// So many of the oldest are errors already.
    shortened: usize,
}

#[derive(Debug)]
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
        self.sent.push(Reply { id: id.to_owned(), text, after });
    }

    /// Keeps a reply until the client is back.
    pub(crate) fn owe(&mut self, id: &str, text: Bytes, after: u64) {
        self.owed.push(Reply { id: id.to_owned(), text, after });
    }

    /// What a client hears that is back and has heard everything up to number `heard`: what it may have missed, and
    /// what was said meanwhile.
    pub(crate) fn take(&mut self, heard: Option<u64>) -> Vec<Bytes> {
        let missed = self.sent.replies.iter().filter(|reply| heard.is_some_and(|heard| reply.after >= heard));
        let texts = missed.chain(&self.owed.replies).map(|reply| reply.text.clone()).collect();
        for reply in std::mem::take(&mut self.owed).replies {
            self.sent.push(reply);
        }
        texts
    }
}

impl Kept {
    fn push(&mut self, reply: Reply) {
        self.bytes += reply.text.len();
        self.replies.push_back(reply);
        if self.replies.len() > SENT
            && let Some(oldest) = self.replies.pop_front()
        {
            self.bytes -= oldest.text.len();
            self.shortened = self.shortened.saturating_sub(1);
        }
        while self.bytes > BYTES
            && let Some(oldest) = self.replies.get_mut(self.shortened)
        {
            self.bytes -= oldest.shorten();
            self.shortened += 1;
        }
    }
}

impl Reply {
    /// Leaves an error under the same id, so that nobody waits in vain; how many bytes that saves.
    fn shorten(&mut self) -> usize {
        let size = self.text.len();
        let words =
            format!("the reply of {size} bytes was not kept while the connection was lost; ask again");
        let error = frame::reply_error(&self.id, &RpcError::failed(words));
        if error.len() >= size {
            return 0;
        }
        self.text = error;
        size - self.text.len()
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
        (0..2000).for_each(|n| replies.note_sent(&n.to_string(), text(n), 0));
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
