//! `/ws`: one client of one session, from its upgrade to its close.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use argus_protocol::argus::session::Attached;
use argus_protocol::{ClientId, ClientName, SessionId};
use argus_session::{Arrival, Heard, Identity, Listening};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::Edge;
use super::super::auth::is_operator;
use super::super::http::about;
use super::super::rpc::{Caller, Methods};
use super::reading::Reading;
use super::upstreams;
use super::writing::{Socket, WRITE_BUFFER, refuse, write};
use crate::clock::new_session_id;
use crate::sessions::{ClientSender, CloseReason, SessionHandle, outbound};

/// What a client may say in the URL.
#[derive(Deserialize)]
pub(crate) struct Wishes {
    session: Option<String>,
    /// The upstream, where they run already.
    id: Option<String>,
    /// `0`: never ask this client for approvals.
    handler: Option<String>,
    /// Numbers are wanted, and first what followed this one; empty: only from now on.
    after: Option<String>,
    /// The numbering that `after` belongs to.
    epoch: Option<String>,
    /// Who the client is, so that it is known when it comes back.
    client: Option<String>,
}

impl Wishes {
    /// Those of a client that can say nothing: the default session.
    fn of_the_silent() -> Self {
        let session = Some("default".to_owned());
        Self { session, id: None, handler: None, after: None, epoch: None, client: None }
    }

    /// Which session is wanted.
    fn session(&self) -> Option<&str> {
        self.session.as_deref().map(str::trim).filter(|id| !id.is_empty())
    }

    /// Which upstream is wanted.
    fn upstream(&self) -> Option<&str> {
        self.id.as_deref().map(str::trim).filter(|id| !id.is_empty())
    }

    /// How the client wants to be treated; the reason of the close where that cannot be read.
    fn arrival(self, hello: Attached) -> Result<Arrival, &'static str> {
        let listening = listening(self.after.as_deref(), self.epoch)?;
        let handler = self.handler.as_deref() != Some("0");
        let name = self.client.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.map(str::parse::<ClientName>).transpose();
        let name = name.map_err(|_| "`client` takes 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`")?;
        let identity = name.map(|name| Identity(name.to_string()));
        Ok(Arrival { hello, listening, handler, identity })
    }
}

/// How long the answers to a client's open calls are waited for when its session ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// `GET /ws`
pub(crate) async fn upgrade(
    State(edge): State<Edge>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(edge, wishes, &headers, &uri, upgrade)
}

/// `GET /`: clients of the agent's own protocol that can name no path (`codex --remote`) get the default session;
/// whoever asks for no socket is told what this is.
pub(crate) async fn root(
    State(edge): State<Edge>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(edge, Wishes::of_the_silent(), &headers, &uri, upgrade),
        Err(_) => about().await.into_response(),
    }
}

fn open(edge: Edge, wishes: Wishes, headers: &HeaderMap, uri: &Uri, upgrade: WebSocketUpgrade) -> Response {
    let allowed = is_operator(&edge.token, headers, uri.query());
    // Who is only told that they may not come in needs no room for what they say.
    let limit = if allowed { edge.frame_limit } else { 4096 };
    let connections = edge.connections.clone();
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(4096)
        .write_buffer_size(WRITE_BUFFER / 4)
        .max_write_buffer_size(WRITE_BUFFER + limit)
        .on_upgrade(move |socket| {
            connections.track_future(async move {
                if allowed {
                    serve(edge, wishes, socket).await;
                } else {
                    refuse(socket, 1008, "Unauthorized").await;
                }
            })
        })
}

async fn serve(edge: Edge, wishes: Wishes, socket: WebSocket) {
    let chosen = match edge.sessions.fixed() {
        Some(fixed) => upstreams::choose(fixed, wishes.upstream(), wishes.session()).map(|id| (id, true)),
        None => choose(&edge, wishes.session()).await,
    };
    let (id, attached) = match chosen {
        Ok(chosen) => chosen,
        Err((code, reason)) => return refuse(socket, code, reason).await,
    };
    let hello = Attached { attached, created: !attached, ..Attached::new(id.clone(), edge.mode.as_str()) };
    let arrival = match wishes.arrival(hello) {
        Ok(arrival) => arrival,
        Err(reason) => return refuse(socket, 1008, reason).await,
    };
    let client = ClientId::new(edge.next_client.fetch_add(1, Ordering::Relaxed));
    let (sender, mut receiver) = outbound();
    let handle = edge.sessions.get(&id);
    if handle.attach(client, arrival, sender.clone()).await.is_err() {
        return refuse(socket, 1011, "Failed to provision upstream container").await;
    }
    tracing::info!(session.id = %id, client.id = %client, "a client attached");
    let (sink, stream) = socket.split();
    let (heard, last_heard) = watch::channel(Instant::now());
    let methods = Methods::of(edge.clone(), Caller { session: Some(id.clone()) });
    let mut reading = Reading::new(client, handle.clone(), sender.clone(), methods);
    let mut socket = Socket::new(sink, stream);
    let (sink, stream) = socket.halves();
    let left = tokio::select! {
        ended = reading.read(stream, &heard) => ended.err(),
        reason = write(sink, &mut receiver, &last_heard) => reason,
        never = end_with_its_owners(&edge, &handle, &sender) => match never {},
    };
    if matches!(left, Some(CloseReason::Deleted | CloseReason::Lost | CloseReason::Shutdown)) {
        // Its open calls end with its session, and are answered.
        _ = timeout(LAST_ANSWERS, reading.calls_ended()).await;
        write(sink, &mut receiver, &last_heard).await;
    }
    // Whatever the last words take: the session is rid of the client now, and memory of what waits for it.
    drop((receiver, sender, reading));
    tracing::info!(session.id = %id, client.id = %client, let_go = ?left, "a client left");
    tokio::join!(handle.detach(client), socket.end(left));
}

/// The client is let go when the gateway stops, or when its session is no more.
async fn end_with_its_owners(edge: &Edge, handle: &SessionHandle, sender: &ClientSender) -> Infallible {
    tokio::select! {
        () = edge.shutdown.cancelled() => {}
        () = handle.gone() => {}
    }
    let stops = edge.shutdown.is_cancelled();
    sender.close(if stops { CloseReason::Shutdown } else { CloseReason::Lost });
    std::future::pending().await
}

/// How a client wants to hear what is said to everybody; a close reason when that cannot be read.
fn listening(after: Option<&str>, epoch: Option<String>) -> Result<Listening, &'static str> {
    match after.map(str::trim) {
        None => Ok(Listening::Plain),
        Some("") => Ok(Listening::Numbered { after: None }),
        Some(number) => number
            .parse()
            .map(|number| Listening::Numbered { after: Some(Heard { number, epoch }) })
            .map_err(|_| "`after` is no number"),
    }
}

/// The session that a client means, and whether it was there; a close code and reason otherwise.
async fn choose(edge: &Edge, wish: Option<&str>) -> Result<(SessionId, bool), (u16, &'static str)> {
    const UNKNOWN: (u16, &str) = (1008, "Unknown session");
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "no session for a client");
        (1011, "Failed to provision upstream container")
    };
    match wish {
        Some("default") => edge.default_session().await.map(|id| (id, true)).map_err(|error| failed(&error)),
        Some(wish) => {
            let id: SessionId = wish.parse().map_err(|_| UNKNOWN)?;
            if edge.sessions.knows(&id).await { Ok((id, true)) } else { Err(UNKNOWN) }
        }
        None => {
            let id = new_session_id();
            edge.sessions.reserve(&id).await.map_err(|error| failed(&error))?;
            Ok((id, false))
        }
    }
}
