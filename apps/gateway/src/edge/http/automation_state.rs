//! `/automation/state`, `/automation/pause` and `/automation/resume`: how what is done unasked stands, and its pause.

use argus_protocol::argus::SessionParams;
use argus_protocol::argus::automation::{Pause, State as Standing};
use argus_protocol::{RpcError, SessionId};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;

use super::super::Edge;
use super::super::auth::Operator;
use super::super::error::{HttpError, detail};

/// `GET /automation/state`
pub(in super::super) async fn show(
    _: Operator,
    State(edge): State<Edge>,
) -> Result<Json<Standing>, HttpError> {
    edge.automation.state().await.map(Json).map_err(failed)
}

/// `POST /automation/pause`
pub(in super::super) async fn pause(
    _: Operator,
    State(edge): State<Edge>,
    body: Bytes,
) -> Result<Json<Pause>, HttpError> {
    let session = session(&edge, &body).await?;
    edge.automation.pause(&session).await.map(Json).map_err(failed)
}

/// `POST /automation/resume`
pub(in super::super) async fn resume(
    _: Operator,
    State(edge): State<Edge>,
    body: Bytes,
) -> Result<Json<Pause>, HttpError> {
    let session = session(&edge, &body).await?;
    edge.automation.resume(&session).await.map(Json).map_err(failed)
}

/// The session that the body names, else the default one; an empty body names none.
async fn session(edge: &Edge, body: &[u8]) -> Result<SessionId, HttpError> {
    let body = body.trim_ascii();
    let params = if body.is_empty() { b"{}" } else { body };
    let wrong = |error: String| detail(StatusCode::BAD_REQUEST, format!("the body cannot be taken: {error}"));
    let params: SessionParams = serde_json::from_slice(params).map_err(|error| wrong(error.to_string()))?;
    let Some(named) = params.session_id else { return edge.default_session().await.map_err(failed) };
    let session: SessionId = named.parse().map_err(|error| wrong(format!("`sessionId`: {error}")))?;
    if edge.sessions.knows(&session).await {
        return Ok(session);
    }
    Err(detail(StatusCode::NOT_FOUND, "Session not found"))
}

fn failed(error: RpcError) -> HttpError {
    detail(StatusCode::INTERNAL_SERVER_ERROR, error.message)
}
