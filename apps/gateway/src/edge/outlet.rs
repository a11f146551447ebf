//! The writing side of a caller's connection: frames that were made for many callers go out as they are, between those
//! that the caller's own WebSocket writes.
//!
//! Once it is open, whatever is written to the connection is taken whole or not at all, and goes out in its order. So a
//! frame never ends up within another one, as long as everybody writes whole frames; a WebSocket does.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// With more than this waiting, in bytes, a WebSocket's own frames have to wait too.
const ENOUGH: usize = 64 << 10;
/// Pieces that are written at once.
const PIECES: usize = 64;
/// The first byte of a WebSocket's last frame.
const CLOSE: u8 = 0x88;

/// The way out. Clones are handles to the same one, and are used in the task that the connection belongs to.
#[derive(Clone, Debug)]
pub(super) struct Outlet(Arc<Mutex<Out>>);

/// A connection with such a way out.
#[derive(Debug)]
pub(super) struct Connection {
    reading: OwnedReadHalf,
    outlet: Outlet,
}

#[derive(Debug)]
struct Out {
    writing: OwnedWriteHalf,
    state: State,
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Only the connection itself writes.
    Shut,
    Open,
    /// The WebSocket has said goodbye: nothing may follow.
    Over,
}

/// Both sides of a connection.
pub(super) fn connection(stream: TcpStream) -> Connection {
    let (reading, writing) = stream.into_split();
    let out = Out { writing, state: State::Shut, pieces: VecDeque::new(), bytes: 0 };
    Connection { reading, outlet: Outlet(Arc::new(Mutex::new(out))) }
}

impl Connection {
    /// Its way out.
    pub(super) fn outlet(&self) -> Outlet {
        self.outlet.clone()
    }
}

impl Outlet {
    fn out(&self) -> MutexGuard<'_, Out> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on frames may be pushed. Nothing may have been written in part.
    pub(super) fn open(&self) {
        self.out().state = State::Open;
    }

    /// Adds whole frames, in any number of pieces. After a goodbye they go nowhere.
    pub(super) fn push(&self, pieces: impl IntoIterator<Item = Bytes>) {
        let mut out = self.out();
        if out.state == State::Open {
            for piece in pieces {
                out.push(piece);
            }
        }
    }

    /// Writes what waits.
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out().poll_write_out(context)
    }
}

impl Out {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pieces.is_empty() {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let count = self.pieces.len().min(PIECES);
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                *slice = IoSlice::new(piece);
            }
            let writing = Pin::new(&mut self.writing);
            let mut written = ready!(writing.poll_write_vectored(context, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.bytes -= written;
            while let Some(piece) = self.pieces.front_mut() {
                if piece.len() > written {
                    piece.advance(written);
                    break;
                }
                written -= piece.len();
                self.pieces.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reading).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let mut out = self.outlet.out();
        if out.state == State::Shut {
            return Pin::new(&mut out.writing).poll_write(context, from);
        }
        if out.bytes > ENOUGH {
            ready!(out.poll_write_out(context))?;
        }
        if from.first() == Some(&CLOSE) {
            out.state = State::Over;
        }
        out.push(Bytes::copy_from_slice(from));
        // What cannot be written now is written with the flush that follows.
        if let Poll::Ready(Err(error)) = out.poll_write_out(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(from.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut out = self.outlet.out();
        if out.state == State::Shut {
            return Pin::new(&mut out.writing).poll_write_vectored(context, from);
        }
        drop(out);
        self.poll_write(context, &from.iter().flat_map(|slice| slice.iter()).copied().collect::<Vec<_>>())
    }

    fn is_write_vectored(&self) -> bool {
        self.outlet.out().writing.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.outlet.out();
        ready!(out.poll_write_out(context))?;
        Pin::new(&mut out.writing).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.outlet.out();
        ready!(out.poll_write_out(context))?;
        Pin::new(&mut out.writing).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (connection(listener.accept().await.unwrap().0), far)
    }

    async fn heard(mut far: TcpStream) -> Vec<u8> {
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn what_is_pushed_and_what_is_written_goes_out_in_order() {
        let (mut connection, far) = pair().await;
        connection.write_all(b"head ").await.unwrap();
        let outlet = connection.outlet();
        outlet.push([Bytes::from("too early ")]);
        outlet.open();
        outlet.push(["a ".into(), "b ".into()]);
        connection.write_all(b"c ").await.unwrap();
        outlet.push(["d".into()]);
        poll_fn(|context| outlet.poll_flush(context)).await.unwrap();
        drop((connection, outlet));
        assert_eq!(heard(far).await, b"head a b c d");
    }

    #[tokio::test]
    async fn no_frame_ends_up_within_another_however_slowly_they_are_read() {
        let (mut connection, far) = pair().await;
        let outlet = connection.outlet();
        outlet.open();
        let reader = tokio::spawn(heard(far));
        let mut said = Vec::new();
        for n in 0..120_u8 {
            let piece = vec![n; 50_000];
            said.extend_from_slice(&piece);
            outlet.push([piece.into()]);
            said.extend_from_slice(&[n; 7]);
            connection.write_all(&[n; 7]).await.unwrap();
        }
        connection.flush().await.unwrap();
        drop((connection, outlet));
        assert_eq!(reader.await.unwrap(), said);
    }

    #[tokio::test]
    async fn nothing_follows_a_goodbye() {
        let (mut connection, far) = pair().await;
        let outlet = connection.outlet();
        outlet.open();
        connection.write_all(&[CLOSE, 0]).await.unwrap();
        outlet.push(["too late".into()]);
        connection.flush().await.unwrap();
        drop((connection, outlet));
        assert_eq!(heard(far).await, [CLOSE, 0]);
    }
}
