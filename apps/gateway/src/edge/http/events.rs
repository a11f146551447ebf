//! `/automation/systemEvent/enqueue` and `/automation/events`: what sessions are to hear of.

use argus_protocol::RpcError;
use argus_protocol::argus::system_event::{Enqueue, Listed};
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
use super::asked::{object, session};
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
    Query(wish): Query<Wish>,
    body: Bytes,
) -> Result<Json<Value>, HttpError> {
    let request: Enqueue = object(&body)?;
    let session = session(&edge, wish.session_id.as_deref(), request.session_id.as_deref()).await?;
    let told = system_events::enqueue(&edge, &session, request).await.map_err(refused)?;
    Ok(Json(json!({ "ok": true, "sessionId": session, "threadId": told.thread_id, "event": told.event })))
}

/// `GET /automation/events`
pub(in super::super) async fn list(
    _: Operator,
    State(edge): State<Edge>,
    Query(wish): Query<Wish>,
) -> Result<Json<Listed>, HttpError> {
    let session = session(&edge, wish.session_id.as_deref(), None).await?;
    system_events::list(&edge, &session, wish.limit).await.map(Json).map_err(refused)
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
