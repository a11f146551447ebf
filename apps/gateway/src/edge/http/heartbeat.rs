//! `/automation/heartbeat`: how a session's heartbeats stand, and one now.

use argus_protocol::RpcError;
use argus_protocol::argus::SessionParams;
use argus_protocol::argus::heartbeat::Status;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::Operator;
use super::super::error::{HttpError, detail};
use super::super::rpc::heartbeat;
use super::asked::{object_or_nothing, session};

/// `POST /automation/heartbeat/now`; without a body it is for the default session.
pub(in super::super) async fn now(
    _: Operator,
    State(edge): State<Edge>,
    Query(asked): Query<SessionParams>,
    body: Bytes,
) -> Result<Json<Value>, HttpError> {
    let wish: SessionParams = object_or_nothing(&body)?;
    let session = session(&edge, asked.session_id.as_deref(), wish.session_id.as_deref()).await?;
    heartbeat::request(&edge, &session).await.map_err(failed)?;
    Ok(Json(json!({ "ok": true, "sessionId": session })))
}

/// `GET /automation/heartbeat`
pub(in super::super) async fn show(
    _: Operator,
    State(edge): State<Edge>,
    Query(wish): Query<SessionParams>,
) -> Result<Json<Status>, HttpError> {
    let session = session(&edge, wish.session_id.as_deref(), None).await?;
    heartbeat::status(&edge, &session).await.map(Json).map_err(failed)
}

fn failed(error: RpcError) -> HttpError {
    detail(StatusCode::INTERNAL_SERVER_ERROR, error.message)
}
