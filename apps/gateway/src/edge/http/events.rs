//! `/automation/systemEvent/enqueue` and `/automation/events`: what sessions are to hear of.

use argus_protocol::argus::system_event::{Enqueue, Listed};
use argus_protocol::{RpcError, SessionId};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::Operator;
use super::super::error::{HttpError, detail};
use super::super::rpc::system_events;
use crate::automation::events::EventError;

/// Which session's events, and how many.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Wish {
    session_id: Option<String>,
    limit: Option<u32>,
}

/// `POST /automation/systemEvent/enqueue`
pub(in super::super) async fn enqueue(
    _: Operator,
    State(edge): State<Edge>,
    body: Bytes,
) -> Result<Json<Value>, HttpError> {
    let request: Enqueue = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
    let session = session(&edge, request.session_id.as_deref()).await?;
    let told = system_events::enqueue(&edge, &session, request).await.map_err(refused)?;
    Ok(Json(json!({ "ok": true, "sessionId": session, "threadId": told.thread_id, "event": told.event })))
}

/// `GET /automation/events`
pub(in super::super) async fn list(
    _: Operator,
    State(edge): State<Edge>,
    Query(wish): Query<Wish>,
) -> Result<Json<Listed>, HttpError> {
    let session = session(&edge, wish.session_id.as_deref()).await?;
    system_events::list(&edge, &session, wish.limit).await.map(Json).map_err(refused)
}

/// The session that is named; where none is, the default one.
pub(super) async fn session(edge: &Edge, named: Option<&str>) -> Result<SessionId, HttpError> {
    let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) else {
        let failed = |error: RpcError| detail(StatusCode::INTERNAL_SERVER_ERROR, error.message);
        return edge.default_session().await.map_err(failed);
    };
    let not_found = || detail(StatusCode::NOT_FOUND, "Session not found");
    let id: SessionId = named.parse().map_err(|_| not_found())?;
    if edge.sessions.knows(&id).await { Ok(id) } else { Err(not_found()) }
}

fn unreadable(error: &serde_json::Error) -> HttpError {
    let words = match error.to_string() {
        // The reference's words, which programs know.
        missing if missing.starts_with("missing field `text`") => "Missing 'text'".to_owned(),
        other => format!("the body is not what this route takes: {other}"),
    };
    detail(StatusCode::BAD_REQUEST, words)
}

fn refused(error: EventError) -> HttpError {
    let status = match error {
        EventError::Invalid(_) => StatusCode::BAD_REQUEST,
        EventError::Unknown(_) => StatusCode::NOT_FOUND,
        EventError::Full => StatusCode::TOO_MANY_REQUESTS,
        EventError::Sessions(_) | EventError::Ledger(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    detail(status, RpcError::from(error).message)
}
