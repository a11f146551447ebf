//! `argus/token/*`: the operator's deeds with tokens, from their parameters to their results.

use std::time::Duration;

use argus_protocol::argus::token::{Create, Created, List, Revoke, Rotate, Rotated};
use argus_protocol::token::scope::Scope;
use argus_protocol::{RpcError, SessionId};
use serde_json::{Value, json};

use super::super::Edge;
use crate::access::{AccessError, Author, NewToken, TokenLimits};

/// Makes a token for a session that exists, or for the operator.
pub(super) async fn create(edge: &Edge, by: &Author, wish: Create) -> Result<Created, RpcError> {
    let scope = scope(edge, wish.scope.trim()).await?;
    let session = scope.session().cloned();
    let new = NewToken {
        scope,
        life: wish.ttl_seconds.map(Duration::from_secs),
        label: wish.label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()),
        limits: TokenLimits {
            connections: wish.max_connections,
            frame_bytes: wish.max_frame_bytes,
            per_second: wish.max_requests_per_second,
        },
    };
    let created = edge.access.create(by, new).await.map_err(told)?;
    // It may have been deleted meanwhile, and one of the same id may come again.
    if let Some(session) = session
        && !edge.sessions.knows(&session).await
    {
        _ = edge.access.revoke(by, &created.id).await;
        return Err(unknown(&session));
    }
    Ok(created)
}

/// The tokens that were made.
pub(super) async fn list(edge: &Edge) -> Result<List, RpcError> {
    Ok(List { tokens: edge.access.list().await.map_err(told)? })
}

/// Ends one.
pub(super) async fn revoke(edge: &Edge, by: &Author, wish: Revoke) -> Result<Value, RpcError> {
    edge.access.revoke(by, &wish.id).await.map_err(told)?;
    Ok(json!({ "ok": true }))
}

/// Replaces the operator's own token, or the key.
pub(super) async fn rotate(edge: &Edge, by: &Author, wish: Rotate) -> Result<Value, RpcError> {
    match wish.what {
        Rotated::Operator => edge.access.rotate_operator(by).await,
        Rotated::Key => edge.access.rotate_key(by).await,
    }
    .map_err(told)?;
    Ok(json!({ "ok": true }))
}

/// The scope that is meant; its session exists.
async fn scope(edge: &Edge, text: &str) -> Result<Scope, RpcError> {
    let scope = match text {
        "client:default" => Scope::Client(edge.default_session().await?),
        "mcp:default" => Scope::Mcp(edge.default_session().await?),
        text => text.parse().map_err(|error| RpcError::invalid_params(format!("`scope`: {error}")))?,
    };
    match scope.session() {
        Some(session) if !edge.sessions.knows(session).await => Err(unknown(session)),
        _ => Ok(scope),
    }
}

fn unknown(session: &SessionId) -> RpcError {
    RpcError::failed(format!("Unknown session `{session}`"))
}

/// What its caller is told of a deed that was not done.
pub(super) fn told(error: AccessError) -> RpcError {
    match error {
        AccessError::Invalid(words) => RpcError::invalid_params(words),
        AccessError::Failed(words) => RpcError::failed(words),
    }
}
