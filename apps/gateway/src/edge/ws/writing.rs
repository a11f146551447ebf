//! What a client is told, and how its connection ends.

use std::future::poll_fn;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::outlet::Outlet;
use super::heartbeat::{Beat, Heartbeat};
use super::packing::{PING, pack};
use crate::sessions::{ClientReceiver, CloseReason};

/// What the socket itself may buffer before a write waits, in bytes.
pub(super) const WRITE_BUFFER: usize = 128 << 10;
/// How long one write may take before the client counts as gone.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to read why it is let go, and to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// The same for one that is let go for reading slowly.
const SLOW_GOODBYE_LIMIT: Duration = Duration::from_secs(10);

/// Sends until the client is let go, for the reason given, or is gone (`None`).
pub(super) async fn write(
    outlet: &Outlet,
    receiver: &mut ClientReceiver,
    last_heard: &watch::Receiver<Instant>,
) -> Option<CloseReason> {
    let mut heartbeat = Heartbeat::new(Instant::now());
    let mut due = std::pin::pin!(sleep_until(heartbeat.due(*last_heard.borrow())));
    let mut parcels = Vec::new();
    loop {
        tokio::select! {
            taken = receiver.take(&mut parcels) => match taken {
                Ok(()) => parcels.drain(..).for_each(|parcel| {
                    outlet.push(parcel.packed(pack).iter().cloned());
                }),
                Err(reason) => return Some(reason),
            },
            () = &mut due => {
                let heard = *last_heard.borrow();
                match heartbeat.beat(Instant::now(), heard) {
                    Beat::Ping => outlet.push([PING]),
                    Beat::Gone => return None,
                    Beat::Wait => {}
                }
                due.as_mut().reset(heartbeat.due(heard));
            }
        }
        // A client that is let go for being slow, or for its token, is not waited for.
        let at_once = async {
            match receiver.let_go().await {
                reason if reason.is_at_once() => reason,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            written = timeout(WRITE_LIMIT, poll_fn(|context| outlet.poll_flush(context))) => match written {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(CloseReason::Slow),
            },
            reason = at_once => return Some(reason),
        }
    }
}

/// Says why, where there is a reason, and hears the client's goodbye: closed with something unread, the
/// connection would be reset, and the reason lost on its way.
pub(super) async fn end(mut socket: WebSocket, reason: Option<CloseReason>) {
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
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
        if matches!(reason, CloseReason::TooBig | CloseReason::NoText) {
            // What follows a refused frame's head cannot be read as frames any more.
            std::future::pending::<()>().await;
        }
    };
    let slow = reason == CloseReason::Slow;
    _ = timeout(if slow { SLOW_GOODBYE_LIMIT } else { GOODBYE_LIMIT }, goodbye).await;
}

/// Ends a connection that never was a client's.
pub(super) async fn refuse(mut socket: WebSocket, code: u16, reason: impl Into<Utf8Bytes>) {
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let goodbye = async {
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    _ = timeout(GOODBYE_LIMIT, goodbye).await;
}
