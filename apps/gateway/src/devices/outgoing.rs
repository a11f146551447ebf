//! What goes to one node: bounded in bytes, and nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::node::ToNode;
use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// With more bytes than this waiting, the node is let go.
const MOST_BYTES: usize = 8 << 20;
/// What is taken at once, in bytes; the rest goes on counting as waiting.
const AT_ONCE: usize = 256 << 10;

/// Why a node is let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It reads too slowly. What waits for it is thrown away.
    Slow,
    /// It sent a frame over the limit.
    TooBig,
    /// A newer connection has its id. What waits is sent there, or lost with its call.
    Replaced,
    /// It may not be here, in these words. What waits for it is thrown away.
    Barred(&'static str),
    /// What it says makes no sense, in these words.
    Senseless(&'static str),
    /// The gateway stops.
    Shutdown,
}

impl Leave {
    /// Whether what waits is thrown away.
    pub fn is_at_once(&self) -> bool {
        matches!(self, Self::Slow | Self::Replaced | Self::Barred(_))
    }
}

/// The way to one connection of a node. Clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct Outgoing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    bell: Notify,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    left: Option<Leave>,
}

impl Outgoing {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame; whether it has a place. One for which there is none ends the connection.
    pub(super) fn push(&self, frame: Bytes) -> bool {
        let mut waiting = self.waiting();
        if waiting.left.is_some() {
            return false;
        }
        if waiting.bytes + frame.len() > MOST_BYTES {
            drop(waiting);
            self.close(Leave::Slow);
            return false;
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        drop(waiting);
        self.0.bell.notify_one();
        true
    }

    /// The same for what is not written yet.
    pub fn say(&self, frame: &ToNode) -> bool {
        self.push(frame.write().into())
    }

    /// Lets the node go; the first reason counts.
    pub fn close(&self, why: Leave) {
        let mut waiting = self.waiting();
        let why = waiting.left.get_or_insert(why);
        if why.is_at_once() {
            (waiting.frames, waiting.bytes) = (VecDeque::new(), 0);
        }
        drop(waiting);
        self.0.closed.cancel();
        self.0.bell.notify_one();
    }

    /// The next frames, once there are some; or why there are none any more. One connection takes.
    pub async fn take(&self) -> Result<Vec<Bytes>, Leave> {
        loop {
            {
                let mut waiting = self.waiting();
                let (mut taken, mut bytes) = (Vec::new(), 0);
                while bytes < AT_ONCE
                    && let Some(frame) = waiting.frames.pop_front()
                {
                    bytes += frame.len();
                    taken.push(frame);
                }
                waiting.bytes -= bytes;
                if !taken.is_empty() {
                    return Ok(taken);
                }
                if let Some(why) = &waiting.left {
                    return Err(why.clone());
                }
            }
            self.0.bell.notified().await;
        }
    }

    /// Waits until the node is let go, for a reason for which nothing is waited for.
    pub async fn let_go_at_once(&self) -> Leave {
        self.0.closed.cancelled().await;
        let left = self.waiting().left.clone().filter(Leave::is_at_once);
        match left {
            Some(why) => why,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_sent_before_the_goodbye_and_not_where_it_must_go_at_once() {
        let out = Outgoing::default();
        assert!(out.push("a".into()) && out.push("b".into()));
        out.close(Leave::Shutdown);
        out.close(Leave::Slow);
        assert!(!out.push("c".into()));
        assert_eq!(out.take().await, Ok(vec!["a".into(), "b".into()]));
        assert_eq!(out.take().await, Err(Leave::Shutdown));
        let out = Outgoing::default();
        out.push("a".into());
        out.close(Leave::Barred("the token was revoked"));
        assert_eq!(out.let_go_at_once().await, Leave::Barred("the token was revoked"));
        assert_eq!(out.take().await, Err(Leave::Barred("the token was revoked")));
    }

    #[tokio::test]
    async fn a_node_for_which_too_much_waits_is_let_go() {
        let (out, frame) = (Outgoing::default(), Bytes::from(vec![b'x'; MOST_BYTES / 4]));
        assert!((0..4).all(|_| out.push(frame.clone())));
        assert!(!out.push("x".into()));
        assert_eq!(out.take().await, Err(Leave::Slow));
    }
}
