//! The HTTP side of `/mcp`: who may come in, how much at once, and whose session it is; then the library serves.

use std::sync::Arc;

use argus_protocol::token::scope::Scope;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use futures::StreamExt as _;
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{
    SessionManager as _, StreamableHttpServerConfig, StreamableHttpService,
};
use serde_json::json;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::Edge;
use super::super::auth::{Grant, Known, forbidden, in_time};
use super::super::error::{HttpError, detail};
use super::super::lobby::Visitor;
use super::handler::Handler;
use super::plain;
use super::sessions::{Full, InUse, Session, Sessions};
use crate::access::Holder;

const SESSION: &str = "mcp-session-id";
/// Longest message of a client in bytes.
const LONGEST_MESSAGE: usize = 4 << 20;

/// Serves the protocol. Clones are handles to the same one.
#[derive(Clone)]
struct Door(Arc<Parts>);

struct Parts {
    sessions: Sessions,
    manager: Arc<LocalSessionManager>,
    service: StreamableHttpService<Handler, LocalSessionManager>,
    tasks: TaskTracker,
}

/// The route.
pub(in super::super) fn route(edge: &Edge) -> MethodRouter<Edge> {
    let door = Door::new(edge);
    any(move |known: Result<Known, Response>, State(edge): State<Edge>, request: Request| {
        let door = door.clone();
        async move {
            match known {
                Ok(Known(grant)) => door.serve(&edge, grant, request).await.unwrap_or_else(|refused| refused),
                Err(refused) => asking_for_a_token(refused),
            }
        }
    })
}

impl Door {
    fn new(edge: &Edge) -> Self {
        // When nobody uses a session any more, it is for us to say: a long call is use too.
        let mut usual = SessionConfig::default();
        usual.keep_alive = None;
        let mut manager = LocalSessionManager::default();
        manager.session_config = usual;
        let (manager, sessions) = (Arc::new(manager), Sessions::default());
        // Which hosts and origins may call is judged for all routes alike, before this one.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_json_response(true)
            .with_max_request_body_bytes(LONGEST_MESSAGE)
            .with_cancellation_token(edge.shutdown.child_token());
        let handler = Handler::new(edge.clone(), sessions.clone());
        let service = StreamableHttpService::new(move || Ok(handler.clone()), manager.clone(), config);
        Self(Arc::new(Parts { sessions, manager, service, tasks: edge.connections.clone() }))
    }

    async fn serve(&self, edge: &Edge, grant: Grant, request: Request) -> Result<Response, Response> {
        let (mut parts, body) = request.into_parts();
        // An answer that is no stream may take its time.
        let visitor = parts.extensions.get::<Arc<Visitor>>().cloned();
        let _at_work = visitor.as_ref().map(Visitor::at_work);
        permit(edge, &grant, parts.uri.query().unwrap_or_default()).await?;
        let holder = grant.seat().account().holder();
        let id = parts.headers.get(SESSION).map(|id| id.to_str().unwrap_or_default().to_owned());
        let session = match &id {
            Some(id) => Some(self.0.sessions.find(id, holder).ok_or_else(|| no_session().into_response())?),
            None => None,
        };
        let in_use = session.as_ref().map(Session::in_use);
        let is_post = parts.method == Method::POST;
        let body = if is_post { self.message(&grant, &parts.headers, body).await? } else { Bytes::new() };
        let plainly = is_post && plain::asked_for(&mut parts.headers);
        let (is_end, is_json) = (parts.method == Method::DELETE, is_json(&parts.headers));
        let begins = id.is_none() && is_post && is_initialize(&body);
        parts
            .extensions
            .insert(session.clone().unwrap_or_else(|| self.0.sessions.alone(grant.seat().account())));
        let request = Request::from_parts(parts, Body::from(body));
        let (mut response, in_use) = if begins {
            let (door, edge, grant) = (self.clone(), edge.clone(), grant.clone());
            to_its_end(&self.0.tasks, async move { door.begin(&edge, &grant, request).await }).await??
        } else {
            (self.0.service.handle(request).await.map(Body::new), in_use)
        };
        if let Some(session) = session.filter(|_| is_end || response.status() == StatusCode::NOT_FOUND) {
            session.end();
        }
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && is_json {
            return Err(invalid_request("this is no message of the Model Context Protocol"));
        }
        if response.status().is_client_error() && !response.headers().contains_key(header::CONTENT_TYPE) {
            // So that it gets the form of every refusal.
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        }
        let response = until(response, grant.seat().account().over().clone(), in_use);
        Ok(if plainly { plain::answer_of(response).await } else { response })
    }

    /// Reads a client's message, and refuses at once what can be none.
    async fn message(&self, grant: &Grant, headers: &HeaderMap, body: Body) -> Result<Bytes, Response> {
        let most = LONGEST_MESSAGE.min(grant.frame_bytes());
        let body = read(body, most).await.map_err(IntoResponse::into_response)?;
        if !is_json(headers) {
            return Ok(body);
        }
        if serde_json::from_slice::<&RawValue>(&body).is_err() {
            return Err(refused_message(-32700, "the body is no JSON"));
        }
        match body.trim_ascii_start().first() {
            Some(b'{') => Ok(body),
            Some(b'[') => Err(invalid_request("batches are not taken; send one message at a time")),
            _ => Err(invalid_request("a message is a JSON object")),
        }
    }

    /// Has a session made, and takes it in.
    async fn begin(
        &self,
        edge: &Edge,
        grant: &Grant,
        request: Request,
    ) -> Result<(Response, Option<InUse>), Response> {
        let response = self.0.service.handle(request).await.map(Body::new);
        let Some(made) = response.headers().get(SESSION).cloned() else { return Ok((response, None)) };
        let session = self.admit(edge, grant, made.to_str().unwrap_or_default()).await?;
        Ok((response, Some(session.in_use())))
    }

    /// Takes in a session that was just made, or ends it where there is no room.
    async fn admit(&self, edge: &Edge, grant: &Grant, id: &str) -> Result<Arc<Session>, Response> {
        let (id, account) = (Arc::from(id), grant.seat().account());
        let session = match self.0.sessions.add(&id, account) {
            Ok(session) => session,
            Err(Full(most)) => {
                _ = self.0.manager.close_session(&id).await;
                let words = format!("{most} MCP sessions are in use already; end one with DELETE");
                return Err(detail(StatusCode::TOO_MANY_REQUESTS, words).into_response());
            }
        };
        let until = CancellationToken::clone(account.over());
        let keeping = self.0.sessions.clone().keep(id, session.clone(), until, self.0.manager.clone());
        let shutdown = edge.shutdown.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = keeping => {}
                () = shutdown.cancelled() => {}
            }
        });
        Ok(session)
    }
}

/// Does this also where its client is gone before it is done: what the library began would never be closed otherwise.
async fn to_its_end<T: Send + 'static>(
    tasks: &TaskTracker,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Response> {
    tasks.spawn(work).await.map_err(|error| {
        tracing::error!(%error, "a session of a client was not made");
        detail(StatusCode::INTERNAL_SERVER_ERROR, "the gateway failed; its log says more").into_response()
    })
}

/// Whether a message begins a session.
fn is_initialize(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Message {
        method: String,
    }
    serde_json::from_slice::<Message>(body).is_ok_and(|message| message.method == "initialize")
}

/// Refuses whom `/mcp` is not for, and who comes too soon.
async fn permit(edge: &Edge, grant: &Grant, query: &str) -> Result<(), Response> {
    if url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "token") {
        let words = "the token for `/mcp` goes into the `Authorization` header, never into the URL";
        return Err(detail(StatusCode::BAD_REQUEST, words).into_response());
    }
    if matches!(grant.scope(), Scope::Node(_)) {
        return Err(forbidden(edge, grant, "/mcp").into_response());
    }
    in_time(grant)?;
    match grant.scope().session() {
        // Of a token that several programs share the session is looked for with each call.
        Some(own)
            if *grant.seat().account().holder() != Holder::SharedMcp && !edge.sessions.knows(own).await =>
        {
            Err(detail(StatusCode::NOT_FOUND, format!("Unknown session `{own}`; it was deleted"))
                .into_response())
        }
        _ => Ok(()),
    }
}

/// Reads a body of at most so many bytes. Of a longer one some more is taken, so that its sender comes to hear of it.
async fn read(body: Body, most: usize) -> Result<Bytes, HttpError> {
    let (mut pieces, mut whole, mut seen) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| detail(StatusCode::BAD_REQUEST, "the message broke off"))?;
        seen += piece.len();
        if seen <= most {
            whole.extend_from_slice(&piece);
        } else if seen > most.saturating_mul(4) {
            break;
        }
    }
    if seen > most {
        let words = format!("the message is over the limit of {most} bytes");
        return Err(detail(StatusCode::PAYLOAD_TOO_LARGE, words));
    }
    Ok(whole.into())
}

/// A response whose stream ends with the token that asked for it, and during which the session counts as used.
fn until(response: Response, over: CancellationToken, in_use: Option<InUse>) -> Response {
    response.map(|body| {
        let pieces = body.into_data_stream().take_until(over.cancelled_owned());
        Body::from_stream(pieces.inspect(move |_| _ = &in_use))
    })
}

fn asking_for_a_token(mut refused: Response) -> Response {
    if refused.status() == StatusCode::UNAUTHORIZED {
        refused
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"argus\""));
    }
    refused
}

fn no_session() -> HttpError {
    let words = "there is no such MCP session of this token: it ended, or the gateway was started anew; initialize a new one";
    detail(StatusCode::NOT_FOUND, words)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn invalid_request(words: &str) -> Response {
    refused_message(-32600, words)
}

fn refused_message(code: i32, words: &str) -> Response {
    let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": words } });
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_makes_a_session_is_done_to_its_end_though_its_client_is_gone() {
        let (tasks, (go, gone), (done, is_done)) =
            (TaskTracker::new(), oneshot::channel::<()>(), oneshot::channel());
        let work = async move {
            _ = gone.await;
            done.send(())
        };
        {
            let asked = std::pin::pin!(to_its_end(&tasks, work));
            assert!(futures::poll!(asked).is_pending());
        }
        go.send(()).unwrap();
        is_done.await.unwrap();
    }

    #[test]
    fn only_what_begins_a_session_is_done_without_its_client() {
        assert!(is_initialize(br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"a":[1]}}"#));
        for body in [&br#"{"method":"tools/call"}"#[..], br#"{"id":1,"result":{}}"#, b""] {
            assert!(!is_initialize(body));
        }
    }
}
