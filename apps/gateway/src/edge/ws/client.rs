//! `/ws`: one client of one session, from its upgrade to its close.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use argus_protocol::argus::session::Attached;
use argus_protocol::{ClientId, ClientName};
use argus_session::{Arrival, Heard, Identity, Listening};
use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::Edge;
use super::super::auth::{Admission, Grant, full};
use super::super::http::about;
use super::super::outlet::Outlet;
use super::super::rpc::{Caller, Methods};
use super::choosing::{Wanted, choose};
use super::reading::Reading;
use super::writing::{WRITE_BUFFER, end, refuse, write};
use crate::access::Holder;
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
    #[serde(skip)]
    manners: Manners,
}

/// What a client expects of the one it speaks to.
#[derive(Clone, Copy, Default)]
enum Manners {
    /// What the guide says.
    #[default]
    Ours,
    /// What the agent's own socket does.
    Agents,
}

impl Wishes {
    /// Those of a client that can say nothing: its token's session, with the operator's the default one.
    fn of_the_silent(admission: &Admission) -> Self {
        let own = matches!(admission, Admission::Known(grant) if grant.scope().session().is_some());
        let session = (!own).then(|| "default".to_owned());
        let manners = Manners::Agents;
        Self { session, id: None, handler: None, after: None, epoch: None, client: None, manners }
    }

    /// Which session is wanted.
    fn wanted(&self) -> Wanted<'_> {
        Wanted { session: named(self.session.as_ref()), upstream: named(self.id.as_ref()) }
    }

    /// How the client wants to be treated; the reason of the close where that cannot be read. Its name is one among
    /// those of `holder`, whose token it has.
    fn arrival(self, hello: Attached, holder: &Holder) -> Result<Arrival, &'static str> {
        let listening = match self.manners {
            Manners::Ours => listening(self.after.as_deref(), self.epoch)?,
            Manners::Agents => Listening::Introduced,
        };
        let handler = match self.handler.as_deref().map(str::trim) {
            None | Some("" | "1") => true,
            Some("0") => false,
            Some(_) => return Err("`handler` takes 0 or 1"),
        };
        let name = named(self.client.as_ref()).map(str::parse::<ClientName>).transpose();
        let name = name.map_err(|_| "`client` takes 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`")?;
        let identity = name.map(|name| Identity { holder: holder.to_string(), name: name.to_string() });
        Ok(Arrival { hello, listening, handler, identity })
    }
}

/// How long the answers to a client's open calls are waited for when its session ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// `GET /ws`
pub(crate) async fn upgrade(
    State(edge): State<Edge>,
    Query(wishes): Query<Wishes>,
    Extension(admission): Extension<Admission>,
    Extension(outlet): Extension<Outlet>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(edge, wishes, admission, outlet, upgrade)
}

/// `GET /`: clients of the agent's own protocol that can name no path (`codex --remote`) get their token's session,
/// with the operator's the default one; whoever asks for no socket is told what this is.
pub(crate) async fn root(
    State(edge): State<Edge>,
    Extension(admission): Extension<Admission>,
    Extension(outlet): Extension<Outlet>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => open(edge, Wishes::of_the_silent(&admission), admission, outlet, upgrade),
        Err(_) => about().await.into_response(),
    }
}

fn open(
    edge: Edge,
    wishes: Wishes,
    admission: Admission,
    outlet: Outlet,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Who is only told that they may not come in needs no room for what they say.
    let limit = if let Admission::Known(grant) = &admission { grant.frame_bytes() } else { 4096 };
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
                    Admission::Known(grant) => serve(edge, wishes, grant, outlet, socket).await,
                    Admission::Full(most) => refuse(socket, 1013, full(most)).await,
                    Admission::Stranger(words) => refuse(socket, 1008, words).await,
                }
            })
        })
}

async fn serve(edge: Edge, wishes: Wishes, grant: Grant, outlet: Outlet, mut socket: WebSocket) {
    let (id, attached) = match choose(&edge, &grant, wishes.wanted()).await {
        Ok(chosen) => chosen,
        Err((code, reason)) => return refuse(socket, code, reason).await,
    };
    let hello = Attached { attached, created: !attached, ..Attached::new(id.clone(), edge.mode.as_str()) };
    let arrival = match wishes.arrival(hello, grant.seat().account().holder()) {
        Ok(arrival) => arrival,
        Err(reason) => return refuse(socket, 1008, reason).await,
    };
    let client = ClientId::new(edge.next_client.fetch_add(1, Ordering::Relaxed));
    let (sender, mut receiver) = outbound();
    let ends = sender.clone();
    grant.seat().on_end(Box::new(move |ending| ends.close(CloseReason::Barred(ending.words()))));
    let handle = edge.sessions.get(&id);
    if handle.attach(client, arrival, sender.clone()).await.is_err() {
        return refuse(socket, 1011, "Failed to provision upstream container").await;
    }
    tracing::info!(session.id = %id, client.id = %client, "a client attached");
    let (heard, last_heard) = watch::channel(Instant::now());
    let methods = Methods::of(edge.clone(), Caller { session: Some(id.clone()), grant: grant.clone() });
    let mut reading = Reading::new(client, handle.clone(), sender.clone(), methods, grant);
    outlet.open();
    let left = tokio::select! {
        ended = reading.read(&mut socket, &heard) => ended.err(),
        reason = write(&outlet, &mut receiver, &last_heard) => reason,
        never = end_with_its_owners(&edge, &handle, &sender) => match never {},
    };
    if matches!(left, Some(CloseReason::Deleted | CloseReason::Lost | CloseReason::Shutdown)) {
        // Its open calls end with its session, and are answered.
        _ = timeout(LAST_ANSWERS, reading.calls_ended()).await;
        write(&outlet, &mut receiver, &last_heard).await;
    }
    // Whatever the last words take: the session is rid of the client now, and memory of what waits for it.
    drop((receiver, sender, reading));
    tracing::info!(session.id = %id, client.id = %client, let_go = ?left, "a client left");
    tokio::join!(handle.detach(client), end(socket, left));
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

/// What a query names; blank is nothing.
fn named(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
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
