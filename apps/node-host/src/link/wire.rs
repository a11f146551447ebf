//! One WebSocket: what is heard next, while what is to be said goes out.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use futures::{Sink as _, SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::outbox::Outbox;

/// A connection to the gateway.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    unflushed: bool,
}

impl Wire {
    pub(super) fn new(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, unflushed: false }
    }

    /// Says what there is to say until something is heard; losing the future loses nothing. What is in the outbox
    /// later is seen by the next turn. Nothing is read while the outbox has no room for answers.
    pub(super) async fn turn(&mut self, outbox: &mut Outbox) -> Result<Message, Error> {
        poll_fn(|context| {
            if outbox.has_room()
                && let Poll::Ready(heard) = self.socket.poll_next_unpin(context)
            {
                return Poll::Ready(heard.unwrap_or(Err(Error::ConnectionClosed)));
            }
            if let Poll::Ready(Err(error)) = self.write(context, outbox) {
                return Poll::Ready(Err(error));
            }
            Poll::Pending
        })
        .await
    }

    /// Says all that there is to say.
    pub(super) async fn finish(&mut self, outbox: &mut Outbox) {
        // Who is gone already hears nothing more.
        let _ = poll_fn(|context| self.write(context, outbox)).await;
    }

    fn write(&mut self, context: &mut Context<'_>, outbox: &mut Outbox) -> Poll<Result<(), Error>> {
        let was_full = !outbox.has_room();
        let mut socket = std::pin::Pin::new(&mut self.socket);
        while !outbox.is_empty() {
            ready!(socket.as_mut().poll_ready(context))?;
            let Some(message) = outbox.next() else { break };
            self.unflushed = true;
            socket.as_mut().start_send(message)?;
        }
        if was_full && outbox.has_room() {
            // Nobody would wake the reading half otherwise.
            context.waker().wake_by_ref();
        }
        if self.unflushed {
            ready!(socket.poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Says one frame and nothing else; for the first words of a connection.
    pub(crate) async fn say(&mut self, text: String) -> Result<(), Error> {
        self.socket.send(Message::text(text)).await
    }

    /// What is heard next.
    pub(crate) async fn hear(&mut self) -> Result<Message, Error> {
        self.socket.next().await.unwrap_or(Err(Error::ConnectionClosed))
    }

    /// Says that this node goes, and why.
    pub(crate) async fn close(mut self, code: CloseCode, reason: &'static str) {
        // Who is gone already need not be told.
        let _ = self.socket.close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })).await;
    }
}
