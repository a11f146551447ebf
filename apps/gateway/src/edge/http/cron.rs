//! `/automation/cron/jobs`: scheduled jobs of the default session, or of the one that `?sessionId=` or the token names; the
//! body of a new one may name it too.

use argus_protocol::argus::cron::{Begun, History, Jobs, Kept, Removed, Wish};
use argus_protocol::error::{FORBIDDEN, INVALID_PARAMS};
use argus_protocol::token::scope::Scope;
use argus_protocol::{RpcError, SessionId};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::Edge;
use super::super::auth::{Known, forbidden, in_time};
use super::super::error::{HttpError, detail};
use super::super::rpc::{Caller, cron::reach, session_of};
use super::asked::named;
use crate::automation::cron::CronError;

/// What may stand in the query.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    session_id: Option<String>,
    limit: Option<u32>,
}

/// Who asks, about which session.
pub(in super::super) struct About {
    by: Caller,
    session: SessionId,
    /// The session's name in the query.
    named: Option<String>,
    limit: Option<u32>,
}

impl FromRequestParts<Edge> for About {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Response> {
        let Known(grant) = Known::from_request_parts(parts, edge).await?;
        if !matches!(grant.scope(), Scope::Operator | Scope::Client(_)) {
            return Err(forbidden(edge, &grant, "/automation/cron/jobs").into_response());
        }
        in_time(&grant)?;
        let Query(asked) =
            Query::<Asked>::from_request_parts(parts, edge).await.map_err(IntoResponse::into_response)?;
        let by = Caller { session: grant.scope().session().cloned(), grant };
        let named = asked.session_id.filter(|named| !named.trim().is_empty());
        let session = session_of(edge, &by, named.as_deref().map(str::trim)).await;
        let session = session.map_err(|error| of_session(error).into_response())?;
        Ok(Self { by, session, named, limit: asked.limit })
    }
}

/// `GET /automation/cron/jobs`
pub(in super::super) async fn list(about: About, State(edge): State<Edge>) -> Json<Jobs> {
    Json(edge.automation.list_jobs(&about.session, None).await)
}

/// `POST /automation/cron/jobs`
pub(in super::super) async fn add(
    about: About,
    State(edge): State<Edge>,
    body: Bytes,
) -> Result<Json<Kept>, HttpError> {
    let wish = wish(&body)?;
    let session = match named(about.named.as_deref(), wish.session_id.as_deref())? {
        Some(named) => session_of(&edge, &about.by, Some(named)).await.map_err(of_session)?,
        None => about.session,
    };
    edge.automation.add_job(&session, &wish, reach(&about.by)).await.map(Json).map_err(|e| told(&e))
}

/// `DELETE /automation/cron/jobs/{jobId}`
pub(in super::super) async fn remove(
    about: About,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Removed>, HttpError> {
    edge.automation.remove_job(&about.session, &id).await.map(Json).map_err(|e| told(&e))
}

/// `POST /automation/cron/jobs/{jobId}/run`
pub(in super::super) async fn run(
    about: About,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Begun>, HttpError> {
    edge.automation.run_job(&about.session, &id).await.map(Json).map_err(|e| told(&e))
}

/// `POST /automation/cron/jobs/{jobId}/pause`
pub(in super::super) async fn pause(
    about: About,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Kept>, HttpError> {
    edge.automation.pause_job(&about.session, &id).await.map(Json).map_err(|e| told(&e))
}

/// `POST /automation/cron/jobs/{jobId}/resume`
pub(in super::super) async fn resume(
    about: About,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<Kept>, HttpError> {
    edge.automation.resume_job(&about.session, &id).await.map(Json).map_err(|e| told(&e))
}

/// `GET /automation/cron/jobs/{jobId}/history`
pub(in super::super) async fn history(
    about: About,
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Json<History>, HttpError> {
    edge.automation.job_history(&about.session, &id, about.limit).await.map(Json).map_err(|e| told(&e))
}

/// The body; the reference took anything for `enabled`.
fn wish(body: &[u8]) -> Result<Wish, HttpError> {
    let invalid = |words: String| detail(StatusCode::BAD_REQUEST, words);
    let mut members: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| invalid(format!("Invalid JSON body: {error}")))?;
    if let Some(enabled) = members.get_mut("enabled") {
        *enabled = json!(is_truthy(enabled));
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| invalid(format!("Invalid body: {error}")))
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn told(error: &CronError) -> HttpError {
    let status = match error {
        CronError::Missing(_) | CronError::Wrong { .. } => StatusCode::BAD_REQUEST,
        CronError::NoJob(_) => StatusCode::NOT_FOUND,
        CronError::NotItsChat { .. } => StatusCode::FORBIDDEN,
        CronError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    detail(status, error.to_string())
}

fn of_session(error: RpcError) -> HttpError {
    let status = match error.code {
        FORBIDDEN => StatusCode::FORBIDDEN,
        INVALID_PARAMS => StatusCode::BAD_REQUEST,
        _ if error.message.starts_with("Unknown session") => {
            return detail(StatusCode::NOT_FOUND, "Session not found");
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    detail(status, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_is_taken_for_enabled_as_the_reference_took_it() {
        for (enabled, expected) in [
            ("true", Some(true)),
            ("0", Some(false)),
            ("\"no\"", Some(true)),
            ("\"\"", Some(false)),
            ("null", Some(false)),
            ("[0]", Some(true)),
        ] {
            let body = format!(r#"{{"expr":"* * * * *","text":"x","enabled":{enabled}}}"#);
            assert_eq!(wish(body.as_bytes()).unwrap().enabled, expected, "{enabled}");
        }
        assert_eq!(wish(br#"{"expr":"* * * * *"}"#).unwrap().enabled, None);
        for wrong in ["", "[]", "{", r#"{"expr":7}"#] {
            assert_eq!(wish(wrong.as_bytes()).unwrap_err().0, StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}
