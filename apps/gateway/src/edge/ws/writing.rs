//! What a client is told, and how its connection ends.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};

use crate::sessions::{ClientReceiver, CloseReason};

/// What the socket itself may buffer before a write waits, in bytes.
pub(super) const WRITE_BUFFER: usize = 128 << 10;
/// A quiet client is asked whether it lives …
const PING_EVERY: Duration = Duration::from_secs(20);
/// … and let go after this long without a word.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);
/// How long one write may take before the client counts as gone.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to read why it is let go, and to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// The same for one that is let go for reading slowly.
const SLOW_GOODBYE_LIMIT: Duration = Duration::from_secs(10);

/// Sends until the client is let go, for the reason given, or is gone (`None`).
pub(super) async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    receiver: &mut ClientReceiver,
    last_heard: &watch::Receiver<Instant>,
) -> Option<CloseReason> {
    let mut ping = interval(PING_EVERY);
    ping.tick().await;
    loop {
        let message = tokio::select! {
            frame = receiver.next() => match frame {
                Ok(frame) => text(frame),
                Err(reason) => return Some(reason),
            },
            _ = ping.tick() => {
                if last_heard.borrow().elapsed() > SILENCE_LIMIT {
                    return None;
                }
                Message::Ping(Bytes::new())
            }
        };
        let flush = receiver.is_empty();
        let written = async {
            sink.feed(message).await?;
            if flush { sink.flush().await } else { Ok(()) }
        };
        // A client that is let go for being slow, or for its token, is not waited for.
        let at_once = async {
            match receiver.let_go().await {
                reason @ (CloseReason::Slow | CloseReason::Barred(_)) => reason,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            done = timeout(WRITE_LIMIT, written) => match done {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(CloseReason::Slow),
            },
            reason = at_once => return Some(reason),
        }
    }
}

fn text(frame: Bytes) -> Message {
    Message::Text(Utf8Bytes::try_from(frame).unwrap_or_default())
}

/// Both halves of a client's connection.
pub(super) struct Socket {
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
}

impl Socket {
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, stream: SplitStream<WebSocket>) -> Self {
        Self { sink, stream }
    }

    pub(super) fn halves(&mut self) -> (&mut SplitSink<WebSocket, Message>, &mut SplitStream<WebSocket>) {
        (&mut self.sink, &mut self.stream)
    }

    /// Says why, where there is a reason, and hears the client's goodbye: closed with something unread, the
    /// connection would be reset, and the reason lost on its way.
    pub(super) async fn end(mut self, reason: Option<CloseReason>) {
        let Some(reason) = reason else { return };
        let (code, words) = match reason {
            CloseReason::Slow => (1013, "too slow: reconnect to go on"),
            CloseReason::TooBig => (1009, "the frame is over the limit"),
            CloseReason::NoText => (1007, "the frame is no UTF-8 text"),
            CloseReason::Replaced => (1012, "replaced by a newer connection of this client"),
            CloseReason::Barred(words) => (1008, words),
            CloseReason::Deleted => (1000, "session deleted"),
            CloseReason::Lost => (1011, "the session ended: reconnect to go on"),
            CloseReason::Shutdown => (1001, "the gateway stops"),
        };
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(words) }));
        let goodbye = async {
            if self.sink.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
            if matches!(reason, CloseReason::TooBig | CloseReason::NoText) {
                // What follows a refused frame's head cannot be read as frames any more.
                std::future::pending::<()>().await;
            }
        };
        let slow = reason == CloseReason::Slow;
        _ = timeout(if slow { SLOW_GOODBYE_LIMIT } else { GOODBYE_LIMIT }, goodbye).await;
    }
}

/// Ends a connection that never was a client's.
pub(super) async fn refuse(socket: WebSocket, code: u16, reason: impl Into<Utf8Bytes>) {
    let (mut sink, mut stream) = socket.split();
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let goodbye = async {
        if sink.send(close).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    _ = timeout(GOODBYE_LIMIT, goodbye).await;
}
