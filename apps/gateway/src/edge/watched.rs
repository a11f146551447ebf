//! A caller's connection that ends when nothing moves on it for too long, or when its caller has to go.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::lobby::Visitor;

/// The connection. Once its time is over, reading and writing fail.
pub(super) struct Watched<S> {
    stream: S,
    limit: Duration,
    /// Until the caller has to say something.
    silence: Pin<Box<Sleep>>,
    /// Until the caller has to take something; there while a write waits.
    stuck: Option<Pin<Box<Sleep>>>,
    sent_away: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Its place in the lobby lasts as long as the connection.
    visitor: Arc<Visitor>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, limit: Duration, visitor: Arc<Visitor>) -> Self {
        let sent_away = Box::pin(visitor.sent_away().clone().cancelled_owned());
        Self { stream, limit, silence: Box::pin(sleep(limit)), stuck: None, sent_away, visitor }
    }

    /// Something moved: the silence begins anew.
    fn heard(&mut self) {
        let until = Instant::now() + self.limit;
        self.silence.as_mut().reset(until);
    }

    /// What a write came to; where it waits, for how long it has.
    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            // A stream of events goes one way: who takes it is not silent.
            if matches!(written, Poll::Ready(Ok(1..))) {
                self.heard();
            }
            return written;
        }
        let limit = self.limit;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(limit)));
        let over = stuck.as_mut().poll(cx).is_ready() || self.sent_away.as_mut().poll(cx).is_ready();
        if over { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, into) {
            self.heard();
            return Poll::Ready(read);
        }
        while self.silence.as_mut().poll(cx).is_ready() {
            if !self.visitor.waits_for_us() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let until = Instant::now() + self.limit;
            self.silence.as_mut().reset(until);
        }
        let over = self.sent_away.as_mut().poll(cx).is_ready();
        if over { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, from);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, from);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx).map_ok(|()| 0);
        self.judge(cx, flushed).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lobby::Lobby;
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_mins(1);

    fn connection(lobby: &Lobby, limit: Duration) -> (DuplexStream, Watched<DuplexStream>) {
        let (far, near) = duplex(64);
        (far, Watched::new(near, limit, Arc::new(lobby.enter())))
    }

    #[tokio::test]
    async fn who_says_nothing_for_too_long_is_not_listened_to_any_more() {
        let (mut far, mut near) = connection(&Lobby::new(1), SHORT);
        far.write_all(b"one").await.unwrap();
        let mut said = [0; 3];
        near.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"one");
        assert_eq!(near.read(&mut said).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_waits_for_an_answer_that_takes_its_time_may_be_silent_until_it_is_there() {
        let visitor = Arc::new(Lobby::new(1).enter());
        let (_far, near) = duplex(64);
        let mut near = Watched::new(near, SHORT, visitor.clone());
        let at_work = visitor.at_work();
        assert!(tokio::time::timeout(SHORT * 5, near.read(&mut [0])).await.is_err(), "it is listened to");
        drop(at_work);
        assert_eq!(near.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_what_is_said_is_listened_to_for_longer() {
        let (mut far, mut near) = connection(&Lobby::new(1), SHORT);
        let mut said = [0; 3];
        for _ in 0..10 {
            tokio::select! {
                biased;
                () = tokio::time::sleep(SHORT / 2) => {}
                read = near.read(&mut said) => panic!("nobody said anything: {read:?}"),
            }
            near.write_all(b"one").await.unwrap();
            far.read_exact(&mut said).await.unwrap();
        }
        assert_eq!(near.read(&mut said).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_nothing_for_too_long_is_not_spoken_to_any_more() {
        let (_far, mut near) = connection(&Lobby::new(1), SHORT);
        assert_eq!(near.write_all(&[0; 65]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_has_to_go_is_neither_listened_nor_spoken_to() {
        let lobby = Lobby::new(2);
        let (_far, mut reading) = connection(&lobby, LONG);
        let (_away, mut writing) = connection(&lobby, LONG);
        let _newcomers = [lobby.enter(), lobby.enter()];
        assert_eq!(reading.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(writing.write_all(&[0; 65]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
