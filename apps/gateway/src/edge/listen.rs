//! The listening socket: connections come in until the gateway stops, and are waited for then.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

use super::{Edge, router};

/// A connection without a byte for this long is closed. No answer takes as long, and live clients of `/ws` answer
/// pings far more often.
const SILENCE_LIMIT: Duration = Duration::from_mins(3);

/// Serves everything in `router` until `edge.shutdown`; returns when every connection has ended.
pub async fn serve(listener: TcpListener, edge: Edge) -> io::Result<()> {
    let (connections, shutdown) = (edge.connections.clone(), edge.shutdown.clone());
    let door = Door(listener);
    axum::serve(door, router::router(edge)).with_graceful_shutdown(shutdown.cancelled_owned()).await?;
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Lets connections in that send at once and do not stay silent for ever.
struct Door(TcpListener);

impl Listener for Door {
    type Io = Watched<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection sends with delay");
        }
        (Watched::new(stream, SILENCE_LIMIT), from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection whose reading fails when nothing comes for too long.
struct Watched<S> {
    stream: S,
    limit: Duration,
    silence: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, silence: Box::pin(sleep(limit)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, into) {
            let until = Instant::now() + self.limit;
            self.silence.as_mut().reset(until);
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn who_says_nothing_for_too_long_is_not_listened_to_any_more() {
        let (mut far, near) = duplex(64);
        let mut near = Watched::new(near, Duration::from_millis(20));
        far.write_all(b"one").await.unwrap();
        let mut said = [0; 3];
        near.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"one");
        assert_eq!(near.read(&mut said).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
