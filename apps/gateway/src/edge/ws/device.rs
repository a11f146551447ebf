//! `/nodes/ws`: one node, from its upgrade to its close.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use argus_protocol::node::{Connect, FromNode, ToNode};
use argus_protocol::token::scope::Scope;
use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::Edge;
use super::super::auth::{Admission, Grant, full, not_for, offered};
use super::super::outlet::Outlet;
use super::heartbeat::{Beat, Heartbeat};
use super::packing::{PING, pack};
use super::reading::fault;
use super::writing::{WRITE_BUFFER, WRITE_LIMIT, refuse};
use crate::devices::{Connection, Leave, Outgoing};
use crate::sessions::CloseReason;

/// How long a node may take to say who it is.
const FIRST: Duration = Duration::from_secs(10);
/// How long one may take to read why it is let go.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// The largest frame of a node, in bytes; the reference's put whole results into one.
const LARGEST: usize = 16 << 20;
/// The largest of one that has no credential yet.
const LARGEST_OF_STRANGERS: usize = 16 << 10;

/// `GET /nodes/ws`
pub(crate) async fn upgrade(
    State(edge): State<Edge>,
    Extension(admission): Extension<Admission>,
    Extension(outlet): Extension<Outlet>,
    Extension(from): Extension<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let names_a_token = offered(&headers, query.as_deref()).is_some();
    let limit = if matches!(admission, Admission::Known(_)) { LARGEST } else { LARGEST_OF_STRANGERS };
    let connections = edge.connections.clone();
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(4096)
        .write_buffer_size(WRITE_BUFFER / 4)
        .max_write_buffer_size(WRITE_BUFFER + limit)
        .on_upgrade(move |socket| {
            connections.track_future(async move {
                match admission {
                    Admission::Known(grant) => serve(edge, grant, outlet, socket).await,
                    Admission::Full(most) => refuse(socket, 1013, full(most)).await,
                    Admission::Stranger(words) if names_a_token => refuse(socket, 1008, words).await,
                    Admission::Stranger(words) => enrol(&edge, from, words, socket).await,
                }
            })
        })
}

async fn serve(edge: Edge, grant: Grant, outlet: Outlet, mut socket: WebSocket) {
    let scope = grant.scope();
    if !matches!(scope, Scope::Node(_) | Scope::Operator) {
        edge.access.audit().refused(&grant.author(), "/nodes/ws", "the token is for something else");
        return refuse(socket, 1008, not_for(&grant, "/nodes/ws")).await;
    }
    let connect = match first(&mut socket).await {
        Ok(FromNode::Connect(connect)) => *connect,
        Ok(_) => return refuse(socket, 1008, NO_CONNECT).await,
        Err(words) => return refuse(socket, 1008, words).await,
    };
    let mut node = match admit(&edge, &grant, connect).await {
        Ok(node) => node,
        Err(words) => return refuse(socket, 1008, words).await,
    };
    let out = node.outgoing().clone();
    let ends = out.clone();
    grant.seat().on_end(Box::new(move |ending| ends.close(Leave::Barred(ending.words()))));
    let (heard, last_heard) = watch::channel(Instant::now());
    outlet.open();
    let left = tokio::select! {
        left = read(&mut socket, &mut node, &heard) => left,
        left = write(&outlet, &out, &last_heard) => left,
        () = edge.shutdown.cancelled() => Some(Leave::Shutdown),
    };
    tracing::info!(node.id = node.id(), let_go = ?left, "a node left");
    drop(node);
    end(socket, left).await;
}

/// Gives a machine without a credential one for its code.
async fn enrol(edge: &Edge, from: SocketAddr, unknown: &'static str, mut socket: WebSocket) {
    let Ok(FromNode::Enrol(wish)) = first(&mut socket).await else {
        return refuse(socket, 1008, unknown).await;
    };
    match edge.devices.redeem(from, &wish).await {
        Ok(enrolled) => {
            let told = socket.send(Message::text(ToNode::Enrolled(enrolled).write())).await;
            if told.is_ok() {
                refuse(socket, 1000, "enrolled").await;
            }
        }
        Err(mut words) => {
            words.truncate(words.floor_char_boundary(LONGEST_REASON));
            refuse(socket, 1008, words).await;
        }
    }
}

/// Longest reason of a close, in bytes.
const LONGEST_REASON: usize = 123;

const NO_CONNECT: &str = "First message must be {type:'connect', ...}";

/// Judges who a node says it is.
async fn admit(edge: &Edge, grant: &Grant, connect: Connect) -> Result<Connection, &'static str> {
    let by = grant.author();
    let arrived = edge.devices.arrive(connect, grant.seat().account(), by.from).await;
    arrived.inspect_err(|words| edge.access.audit().refused(&by, "a node", words))
}

/// A node's first frame, in time; else what it is told.
async fn first(socket: &mut WebSocket) -> Result<FromNode, &'static str> {
    let text = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => return Some(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return None,
            }
        }
    };
    match timeout(FIRST, text).await {
        Ok(Some(text)) => FromNode::read(&text).map_err(|_| {
            let kind =
                |text: &str| serde_json::from_str::<serde_json::Value>(text).ok()?.get("type").cloned();
            if kind(&text).is_some_and(|kind| kind == "connect") { "Missing nodeId" } else { NO_CONNECT }
        }),
        Ok(None) => Err(NO_CONNECT),
        Err(_) => Err("no first message in time"),
    }
}

/// Takes frames until the node is gone; a reason where it is to be told one.
async fn read(
    socket: &mut WebSocket,
    node: &mut Connection,
    heard: &watch::Sender<Instant>,
) -> Option<Leave> {
    while let Some(message) = socket.next().await {
        heard.send_replace(Instant::now());
        match message {
            Ok(Message::Text(text)) => {
                if let Err(why) = node.hear(&text) {
                    return Some(why);
                }
            }
            Ok(Message::Binary(_)) => return Some(Leave::Senseless("binary frames are not taken")),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
            Err(error) => {
                return fault(error).map(|why| match why {
                    CloseReason::TooBig => Leave::TooBig,
                    _ => Leave::Senseless("the frame is no UTF-8 text"),
                });
            }
        }
    }
    None
}

/// Sends until the node is let go, for the reason given, or is gone (`None`).
async fn write(outlet: &Outlet, out: &Outgoing, last_heard: &watch::Receiver<Instant>) -> Option<Leave> {
    let mut heartbeat = Heartbeat::new(Instant::now());
    let mut due = std::pin::pin!(sleep_until(heartbeat.due(*last_heard.borrow())));
    loop {
        tokio::select! {
            taken = out.take() => match taken {
                Ok(frames) => outlet.push(pack(&frames)),
                Err(why) => return Some(why),
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
        tokio::select! {
            biased;
            written = timeout(WRITE_LIMIT, poll_fn(|context| outlet.poll_flush(context))) => match written {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(Leave::Slow),
            },
            why = out.let_go_at_once() => return Some(why),
        }
    }
}

/// Says why, where there is a reason, and hears the node's goodbye.
async fn end(mut socket: WebSocket, left: Option<Leave>) {
    let Some(why) = left else { return };
    let unreadable = why == Leave::TooBig;
    let (code, words) = match why {
        Leave::Slow => (1013, "too slow: connect again"),
        Leave::TooBig => (1009, "the frame is over the limit"),
        Leave::Replaced => (1012, "replaced"),
        Leave::Barred(words) | Leave::Senseless(words) => (1008, words),
        Leave::Shutdown => (1001, "the gateway stops"),
    };
    let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(words) }));
    let goodbye = async {
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
        if unreadable {
            // What follows a refused frame's head cannot be read as frames any more.
            std::future::pending::<()>().await;
        }
    };
    _ = timeout(GOODBYE_LIMIT, goodbye).await;
}
