//! `/sessions`: what exists, and its end.

use argus_protocol::SessionId;
use argus_protocol::token::scope::Scope;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::{Known, Operator, forbidden, in_time};
use super::super::error::{HttpError, detail, provision};
use crate::access::Act;
use crate::sessions::KnownRuntime;

/// `GET /sessions`: running ones first, and at the end those of others.
pub(in super::super) async fn list(_: Operator, State(edge): State<Edge>) -> Result<Json<Value>, HttpError> {
    let mut sessions = edge.sessions.list().await.map_err(|error| provision(&error))?;
    sessions.extend(edge.sessions.others().await);
    Ok(Json(json!({ "sessions": sessions })))
}

/// `GET /sessions/{id}`
pub(in super::super) async fn show(
    Known(grant): Known,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<KnownRuntime>, Response> {
    match grant.scope() {
        Scope::Operator => {}
        Scope::Client(own) if own.as_str() == id => {}
        _ => return Err(forbidden(&edge, &grant, "GET /sessions/{id} of another session").into_response()),
    }
    in_time(&grant)?;
    let id = known(&edge, &id).await.map_err(IntoResponse::into_response)?;
    let sessions = edge.sessions.list().await.map_err(|error| provision(&error).into_response())?;
    let session = sessions.into_iter().find(|session| session.session_id == id);
    session.map(Json).ok_or_else(|| not_found().into_response())
}

/// `DELETE /sessions/{id}`: the runtime goes, files that the agent made stay.
pub(in super::super) async fn delete(
    Operator(grant): Operator,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Value>, HttpError> {
    let id = known(&edge, &id).await?;
    if edge.sessions.fixed().is_some() {
        let why = "this is the session of an upstream that the settings name; it is not ours to end";
        return Err(detail(StatusCode::CONFLICT, why));
    }
    tracing::info!(session.id = %id, "the operator deletes a session");
    // To its end, with its tokens, even when the caller does not wait.
    let deed = tokio::spawn(async move {
        let deleted = edge.sessions.delete(&id).await;
        // Also where only the last of it failed: the ledger knows no token of it any more.
        if deleted.is_ok() || !edge.sessions.knows(&id).await {
            edge.access.session_deleted(&id);
        }
        let outcome = deleted.as_ref().map_or_else(ToString::to_string, |()| "done".to_owned());
        edge.access.note(&grant.author(), Act::SessionDeleted, id.as_str(), &outcome).await;
        deleted.map(|()| id)
    });
    let deleted = deed.await.map_err(|error| detail(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let id = deleted.map_err(|error| provision(&error))?;
    Ok(Json(json!({ "ok": true, "sessionId": id })))
}

async fn known(edge: &Edge, id: &str) -> Result<SessionId, HttpError> {
    let id: SessionId = id.parse().map_err(|_| not_found())?;
    if edge.sessions.knows(&id).await { Ok(id) } else { Err(not_found()) }
}

fn not_found() -> HttpError {
    detail(StatusCode::NOT_FOUND, "Session not found")
}
