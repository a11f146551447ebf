//! `/automation/state`, `/automation/pause` and `/automation/resume`: how what is done unasked stands, and its pause.

use argus_protocol::argus::SessionParams;
use argus_protocol::argus::automation::{Pause, State as Standing};
use argus_protocol::{RpcError, SessionId};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;

use super::super::Edge;
use super::super::auth::Operator;
use super::super::error::{HttpError, detail};
use super::asked::{object_or_nothing, session};

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
    Query(asked): Query<SessionParams>,
    body: Bytes,
) -> Result<Json<Pause>, HttpError> {
    let session = meant(&edge, &asked, &body).await?;
    edge.automation.pause(&session).await.map(Json).map_err(failed)
}

/// `POST /automation/resume`
pub(in super::super) async fn resume(
    _: Operator,
    State(edge): State<Edge>,
    Query(asked): Query<SessionParams>,
    body: Bytes,
) -> Result<Json<Pause>, HttpError> {
    let session = meant(&edge, &asked, &body).await?;
    edge.automation.resume(&session).await.map(Json).map_err(failed)
}

/// The session that the query or the body names, else the default one.
async fn meant(edge: &Edge, asked: &SessionParams, body: &[u8]) -> Result<SessionId, HttpError> {
    let params: SessionParams = object_or_nothing(body)?;
    session(edge, asked.session_id.as_deref(), params.session_id.as_deref()).await
}

fn failed(error: RpcError) -> HttpError {
    detail(StatusCode::INTERNAL_SERVER_ERROR, error.message)
}
