//! `/nodes` and `/nodes/invoke`: the machines on which commands run.

use std::sync::Arc;

use argus_protocol::RpcError;
use argus_protocol::argus::node::{Invoke, Invoked, List, Nodes};
use argus_protocol::error::{FORBIDDEN, INVALID_PARAMS};
use argus_protocol::node::code;
use argus_protocol::token::scope::Scope;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::super::Edge;
use super::super::auth::{Grant, Known, forbidden, in_time};
use super::super::error::{HttpError, detail};
use super::super::lobby::Visitor;
use super::super::rpc::{Caller, nodes};
use super::asked::object;

/// `GET /nodes`
pub(in super::super) async fn list(
    Known(grant): Known,
    State(edge): State<Edge>,
) -> Result<Json<Nodes>, Response> {
    let by = caller(&edge, grant, "GET /nodes")?;
    let listed = nodes::list(&edge, &by, &List::default()).await;
    listed.map(Json).map_err(|error| refused(error).into_response())
}

/// `POST /nodes/invoke`
pub(in super::super) async fn invoke(
    Known(grant): Known,
    State(edge): State<Edge>,
    Extension(visitor): Extension<Arc<Visitor>>,
    body: Bytes,
) -> Result<Json<Invoked>, Response> {
    let by = caller(&edge, grant, "POST /nodes/invoke")?;
    let request: Invoke = object(&body).map_err(IntoResponse::into_response)?;
    if request.node.as_deref().is_none_or(|node| node.trim().is_empty()) {
        return Err(detail(StatusCode::BAD_REQUEST, "Missing 'node'").into_response());
    }
    let _at_work = visitor.at_work();
    let invoked = nodes::invoke(&edge, &by, request).await;
    let invoked = invoked.map_err(|error| refused(error).into_response())?;
    let fault = invoked.error.as_ref().map(|fault| fault.code.as_str());
    if matches!(fault, Some(code::NODE_NOT_FOUND | code::AMBIGUOUS)) {
        let words = invoked.error.map(|fault| fault.message).unwrap_or_default();
        return Err(detail(StatusCode::NOT_FOUND, words).into_response());
    }
    Ok(Json(invoked))
}

/// A caller that may know of nodes.
#[expect(clippy::result_large_err, reason = "axum's rejections are responses")]
fn caller(edge: &Edge, grant: Grant, route: &str) -> Result<Caller, Response> {
    if !matches!(grant.scope(), Scope::Operator | Scope::Client(_)) {
        return Err(forbidden(edge, &grant, route).into_response());
    }
    in_time(&grant)?;
    Ok(Caller { session: grant.scope().session().cloned(), grant })
}

fn refused(error: RpcError) -> HttpError {
    let status = match error.code {
        INVALID_PARAMS => StatusCode::BAD_REQUEST,
        FORBIDDEN => StatusCode::FORBIDDEN,
        _ if error.message.starts_with("Unknown session") => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    detail(status, error.message)
}
