//! What goes to one client: bounded in frames and in bytes, and the session never waits for it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::parcel::Parcel;

/// Most frames that may wait for a client: what a session keeps for one that comes back, and as much again.
const FRAMES: usize = 32_768;
/// With more bytes than this waiting, nothing is added. A frame of the largest usual size (64 MiB, the default limit of
/// a line) leaves room for what comes right behind it; all clients share the bytes of a frame.
const BYTES: usize = 96 << 20;
/// What is taken at once, in bytes; the rest goes on counting as waiting.
const AT_ONCE: usize = 256 << 10;

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

impl CloseReason {
    /// Whether what waits for the client is thrown away.
    pub fn is_at_once(self) -> bool {
        matches!(self, Self::Slow | Self::Barred(_))
    }
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Waiting {
    parcels: VecDeque<Arc<Parcel>>,
    frames: usize,
    bytes: usize,
    reason: Option<CloseReason>,
    /// The client's connection, while it waits for more.
    receiver: Option<Waker>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, reason: CloseReason) {
        let mut waiting = self.waiting();
        if waiting.reason.get_or_insert(reason).is_at_once() {
            (waiting.frames, waiting.bytes) = (0, 0);
            waiting.parcels = VecDeque::new();
        }
        let receiver = waiting.receiver.take();
        drop(waiting);
        self.closed.cancel();
        receiver.into_iter().for_each(Waker::wake);
    }
}

/// The session's half.
#[derive(Clone, Debug)]
pub struct ClientSender(Arc<Sending>);

/// What all clones of a sender share. With the last of them the client is let go.
#[derive(Debug)]
struct Sending(Arc<Shared>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.close(CloseReason::Lost);
    }
}

/// The client connection's half.
#[derive(Debug)]
pub struct ClientReceiver(Arc<Shared>);

/// A new pair.
pub fn outbound() -> (ClientSender, ClientReceiver) {
    let shared = Arc::new(Shared::default());
    (ClientSender(Arc::new(Sending(shared.clone()))), ClientReceiver(shared))
}

impl ClientSender {
    /// Hands over one frame; a client for which too much waits already is let go instead.
    pub fn send(&self, frame: Bytes) {
        self.send_all(Parcel::of(vec![frame]));
    }

    /// Hands over several frames in the same way.
    pub fn send_all(&self, parcel: Arc<Parcel>) {
        let shared = &self.0.0;
        let mut waiting = shared.waiting();
        if waiting.reason.is_some_and(CloseReason::is_at_once) {
            return;
        }
        if waiting.bytes > BYTES || waiting.frames + parcel.count() > FRAMES {
            drop(waiting);
            return shared.close(CloseReason::Slow);
        }
        waiting.frames += parcel.count();
        waiting.bytes += parcel.bytes();
        waiting.parcels.push_back(parcel);
        let receiver = waiting.receiver.take();
        drop(waiting);
        receiver.into_iter().for_each(Waker::wake);
    }

    /// Lets the client go; the first reason counts.
    pub fn close(&self, reason: CloseReason) {
        self.0.0.close(reason);
    }
}

impl ClientReceiver {
    /// Takes what comes next, one parcel or several; or why there is none any more.
    pub async fn take(&mut self, taken: &mut Vec<Arc<Parcel>>) -> Result<(), CloseReason> {
        poll_fn(|context| self.poll_take(context, taken)).await
    }

    fn poll_take(
        &self,
        context: &mut Context<'_>,
        taken: &mut Vec<Arc<Parcel>>,
    ) -> Poll<Result<(), CloseReason>> {
        let mut waiting = self.0.waiting();
        let mut bytes = 0;
        while bytes < AT_ONCE
            && let Some(parcel) = waiting.parcels.pop_front()
        {
            waiting.frames -= parcel.count();
            waiting.bytes -= parcel.bytes();
            bytes += parcel.bytes();
            taken.push(parcel);
        }
        if !taken.is_empty() {
            return Poll::Ready(Ok(()));
        }
        // What a burst took is not kept for the next one.
        waiting.parcels.shrink_to(16);
        if let Some(reason) = waiting.reason {
            return Poll::Ready(Err(reason));
        }
        waiting.receiver = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits until the client is let go.
    pub async fn let_go(&self) -> CloseReason {
        self.0.closed.cancelled().await;
        self.0.waiting().reason.unwrap_or(CloseReason::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next parcels as one text.
    async fn next(receiver: &mut ClientReceiver) -> Result<Bytes, CloseReason> {
        let mut taken = Vec::new();
        receiver.take(&mut taken).await?;
        let pieces: Vec<_> = taken.iter().map(|parcel| parcel.packed(<[Bytes]>::to_vec)).collect();
        Ok(pieces.iter().flat_map(|pieces| pieces.iter()).flatten().copied().collect())
    }

    #[tokio::test]
    async fn frames_arrive_in_order() {
        let (sender, mut receiver) = outbound();
        sender.send("a".into());
        sender.send_all(Parcel::of(vec!["b".into(), "c".into()]));
        assert_eq!(next(&mut receiver).await, Ok("abc".into()));
        let waits = tokio::spawn(async move { next(&mut receiver).await });
        tokio::task::yield_now().await;
        sender.send("d".into());
        assert_eq!(waits.await.unwrap(), Ok("d".into()));
    }

    #[tokio::test]
    async fn a_client_that_never_reads_is_let_go_by_bytes() {
        let (sender, mut receiver) = outbound();
        for _ in 0..4 {
            sender.send(vec![0; BYTES / 2].into());
        }
        assert_eq!(next(&mut receiver).await, Err(CloseReason::Slow));
    }

    #[tokio::test]
    async fn a_client_that_never_reads_is_let_go_by_frames() {
        let (sender, mut receiver) = outbound();
        for _ in 0..=FRAMES {
            sender.send("x".into());
        }
        assert_eq!(
            (receiver.let_go().await, next(&mut receiver).await),
            (CloseReason::Slow, Err(CloseReason::Slow))
        );
    }

    #[tokio::test]
    async fn one_frame_may_be_larger_than_the_bound_whatever_waits_before_it() {
        let (sender, mut receiver) = outbound();
        sender.send("x".into());
        sender.send(vec![0; BYTES + 1].into());
        assert_eq!(next(&mut receiver).await.map(|text| text.len()), Ok(BYTES + 2));
    }

    #[tokio::test]
    async fn what_is_not_taken_yet_counts_as_waiting() {
        let (sender, mut receiver) = outbound();
        (0..3).for_each(|_| sender.send(vec![0; AT_ONCE].into()));
        assert_eq!(next(&mut receiver).await.map(|text| text.len()), Ok(AT_ONCE));
        let waiting = receiver.0.waiting();
        assert_eq!((waiting.frames, waiting.bytes), (2, 2 * AT_ONCE));
    }

    #[tokio::test]
    async fn what_was_said_before_the_session_ended_is_still_sent() {
        let (sender, mut receiver) = outbound();
        sender.send("the last answer".into());
        sender.close(CloseReason::Deleted);
        sender.close(CloseReason::Slow);
        assert_eq!(next(&mut receiver).await, Ok("the last answer".into()));
        assert_eq!(next(&mut receiver).await, Err(CloseReason::Deleted));
        sender.send("one more".into());
        assert_eq!(next(&mut receiver).await, Ok("one more".into()));
        assert_eq!(next(&mut receiver).await, Err(CloseReason::Deleted));
    }

    #[tokio::test]
    async fn a_client_whose_session_is_no_more_is_let_go() {
        let (sender, mut receiver) = outbound();
        let other = sender.clone();
        drop(sender);
        other.send("x".into());
        drop(other);
        assert_eq!(next(&mut receiver).await, Ok("x".into()));
        assert_eq!(next(&mut receiver).await, Err(CloseReason::Lost));
    }
}
