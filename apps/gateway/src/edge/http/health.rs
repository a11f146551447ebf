//! `GET /healthz` and `GET /readyz`.

use argus_protocol::token::scope::Scope;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::Admission;

/// The process serves.
pub(in super::super) async fn alive() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// Everything it needs serves too. Reasons are told to the operator only.
pub(in super::super) async fn ready(
    State(edge): State<Edge>,
    Extension(admission): Extension<Admission>,
) -> (StatusCode, Json<Value>) {
    let operator = matches!(&admission, Admission::Known(grant) if *grant.scope() == Scope::Operator);
    let (ok, told) = if operator {
        let report = edge.standing.report().await;
        (report.ok, json!(report))
    } else {
        let ok = edge.standing.ready().await;
        (ok, json!({ "ok": ok }))
    };
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(told))
}
