//! `/sessions`: what exists, and its end.

use argus_protocol::SessionId;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::Operator;
use super::super::error::{HttpError, detail, provision};
use crate::sessions::KnownRuntime;

/// `GET /sessions`: running ones first, and at the end those of others.
pub(in super::super) async fn list(_: Operator, State(edge): State<Edge>) -> Result<Json<Value>, HttpError> {
    let mut sessions = edge.sessions.list().await.map_err(|error| provision(&error))?;
    sessions.extend(edge.sessions.others().await);
    Ok(Json(json!({ "sessions": sessions })))
}

/// `GET /sessions/{id}`
pub(in super::super) async fn show(
    _: Operator,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<KnownRuntime>, HttpError> {
    let id = known(&edge, &id).await?;
    let sessions = edge.sessions.list().await.map_err(|error| provision(&error))?;
    let session = sessions.into_iter().find(|session| session.session_id == id);
    session.map(Json).ok_or_else(not_found)
}

/// `DELETE /sessions/{id}`: the runtime goes, files that the agent made stay.
pub(in super::super) async fn delete(
    _: Operator,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Value>, HttpError> {
    let id = known(&edge, &id).await?;
    if edge.sessions.fixed().is_some() {
        let why = "this is the session of an upstream that the settings name; it is not ours to end";
        return Err(detail(StatusCode::CONFLICT, why));
    }
    tracing::info!(session.id = %id, "the operator deletes a session");
    edge.sessions.delete(&id).await.map_err(|error| provision(&error))?;
    Ok(Json(json!({ "ok": true, "sessionId": id })))
}

async fn known(edge: &Edge, id: &str) -> Result<SessionId, HttpError> {
    let id: SessionId = id.parse().map_err(|_| not_found())?;
    if edge.sessions.knows(&id).await { Ok(id) } else { Err(not_found()) }
}

fn not_found() -> HttpError {
    detail(StatusCode::NOT_FOUND, "Session not found")
}
