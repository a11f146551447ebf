//! What goes to one client: bounded in frames and in bytes, and the session never waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Most frames that may wait for a client.
const FRAMES: usize = 8192;
/// With more bytes than this waiting, nothing is added. A frame of the largest usual size (64 MiB, the default limit of
/// a line) leaves room for what comes right behind it; all clients share the bytes of a frame.
const BYTES: usize = 96 << 20;

/// Why a client is let go. What waits for it is still sent, unless it is said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// It reads too slowly. What waits for it is thrown away.
    Slow,
    /// It sent a frame over the limit.
    TooBig,
    /// It sent a text frame that is no UTF-8.
    NoText,
    /// It is here again over another connection.
    Replaced,
    /// Its token is worth nothing any more, in these words. Nothing that waits for it is sent.
    Barred(&'static str),
    /// Its session was deleted.
    Deleted,
    /// Its session ended for no reason that was told.
    Lost,
    /// The gateway stops.
    Shutdown,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: AtomicUsize,
    reason: OnceLock<CloseReason>,
    closed: CancellationToken,
}

/// The session's half.
#[derive(Clone, Debug)]
pub struct ClientSender {
    frames: mpsc::Sender<Bytes>,
    shared: Arc<Shared>,
}

/// The client connection's half.
#[derive(Debug)]
pub struct ClientReceiver {
    frames: mpsc::Receiver<Bytes>,
    shared: Arc<Shared>,
}

/// A new pair.
pub fn outbound() -> (ClientSender, ClientReceiver) {
    let (sender, receiver) = mpsc::channel(FRAMES);
    let shared = Arc::new(Shared::default());
    (ClientSender { frames: sender, shared: shared.clone() }, ClientReceiver { frames: receiver, shared })
}

impl ClientSender {
    /// Hands over one frame; a client for which too much waits already is let go instead.
    pub fn send(&self, frame: Bytes) {
        if self.shared.reason.get() == Some(&CloseReason::Slow) {
            return;
        }
        let before = self.shared.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        if before > BYTES || self.frames.try_send(frame).is_err() {
            self.close(CloseReason::Slow);
        }
    }

    /// Lets the client go; the first reason counts.
    pub fn close(&self, reason: CloseReason) {
        _ = self.shared.reason.set(reason);
        self.shared.closed.cancel();
    }
}

impl ClientReceiver {
    /// The next frame; or why there is none any more.
    pub async fn next(&mut self) -> Result<Bytes, CloseReason> {
        let frame = tokio::select! {
            biased;
            () = self.shared.closed.cancelled() => match self.reason() {
                CloseReason::Slow | CloseReason::Barred(_) => None,
                _ => self.frames.try_recv().ok(),
            },
            frame = self.frames.recv() => frame,
        };
        match frame {
            Some(frame) => {
                self.shared.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
                Ok(frame)
            }
            None => Err(self.reason()),
        }
    }

    /// Waits until the client is let go.
    pub async fn let_go(&self) -> CloseReason {
        self.shared.closed.cancelled().await;
        self.reason()
    }

    fn reason(&self) -> CloseReason {
        self.shared.reason.get().copied().unwrap_or(CloseReason::Lost)
    }

    /// Whether nothing waits right now.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_arrive_in_order() {
        let (sender, mut receiver) = outbound();
        sender.send("a".into());
        sender.send("b".into());
        assert_eq!((receiver.next().await, receiver.next().await), (Ok("a".into()), Ok("b".into())));
    }

    #[tokio::test]
    async fn a_client_that_never_reads_is_let_go_by_bytes() {
        let (sender, mut receiver) = outbound();
        for _ in 0..4 {
            sender.send(vec![0; BYTES / 2].into());
        }
        assert_eq!(receiver.next().await, Err(CloseReason::Slow));
    }

    #[tokio::test]
    async fn a_client_that_never_reads_is_let_go_by_frames() {
        let (sender, mut receiver) = outbound();
        for _ in 0..=FRAMES {
            sender.send("x".into());
        }
        assert_eq!(
            (receiver.let_go().await, receiver.next().await),
            (CloseReason::Slow, Err(CloseReason::Slow))
        );
    }

    #[tokio::test]
    async fn one_frame_may_be_larger_than_the_bound_whatever_waits_before_it() {
        let (sender, mut receiver) = outbound();
        sender.send("x".into());
        sender.send(vec![0; BYTES + 1].into());
        assert_eq!(receiver.next().await, Ok("x".into()));
        assert_eq!(receiver.next().await.map(|frame| frame.len()), Ok(BYTES + 1));
    }

    #[tokio::test]
    async fn what_was_said_before_the_session_ended_is_still_sent() {
        let (sender, mut receiver) = outbound();
        sender.send("the last answer".into());
        sender.close(CloseReason::Deleted);
        sender.close(CloseReason::Slow);
        assert_eq!(receiver.next().await, Ok("the last answer".into()));
        assert_eq!(receiver.next().await, Err(CloseReason::Deleted));
        sender.send("one more".into());
        assert_eq!(receiver.next().await, Ok("one more".into()));
        assert_eq!(receiver.next().await, Err(CloseReason::Deleted));
    }
}
