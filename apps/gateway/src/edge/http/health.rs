//! `GET /healthz` and `GET /readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::is_operator;

/// The process serves.
pub(in super::super) async fn alive() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// Everything it needs serves too. Reasons are told to the operator only.
pub(in super::super) async fn ready(
    State(edge): State<Edge>,
    headers: HeaderMap,
    uri: Uri,
) -> (StatusCode, Json<Value>) {
    let (ok, told) = if is_operator(&edge.token, &headers, uri.query()) {
        let report = edge.standing.report().await;
        (report.ok, json!(report))
    } else {
        let ok = edge.standing.ready().await;
        (ok, json!({ "ok": ok }))
    };
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(told))
}
