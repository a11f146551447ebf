//! `argus/node/*`: from their parameters to their results, which HTTP gives too.

use std::time::Duration;

use argus_protocol::RpcError;
use argus_protocol::argus::node::{
    INVOKE, Invoke, Invoked, LIST, LONGEST_TIMEOUT_MS, List, Nodes, USUAL_TIMEOUT_MS,
};
use argus_protocol::token::scope::Scope;
use jsonrpsee::types::ErrorObjectOwned;
use tokio_util::sync::CancellationToken;

use super::super::Edge;
use super::methods::{Method, read, tell, who};
use super::{Caller, May, session_of};
use crate::devices::{Sight, Wish};

/// Its table.
pub(super) const METHODS: [Method; 2] = [
    Method {
        name: LIST,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: List = read(&params)?;
                let listed = list(&edge, &who(&caller)?, &request).await.map_err(tell)?;
                Ok::<_, ErrorObjectOwned>(listed)
            });
        },
    },
    Method {
        name: INVOKE,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: Invoke = read(&params)?;
                invoke(&edge, &who(&caller)?, request).await.map_err(tell)
            });
        },
    },
];

/// The nodes that a caller sees.
pub(in super::super) async fn list(edge: &Edge, by: &Caller, wish: &List) -> Result<Nodes, RpcError> {
    let sight = match (by.grant.scope(), &wish.session_id) {
        (Scope::Operator, None) => Sight::Everything,
        (_, named) => Sight::Of(session_of(edge, by, named.as_deref()).await?),
    };
    let nodes = if wish.all { edge.devices.list_all(&sight) } else { edge.devices.list(&sight) };
    Ok(Nodes { nodes })
}

/// Has a command done.
pub(in super::super) async fn invoke(edge: &Edge, by: &Caller, wish: Invoke) -> Result<Invoked, RpcError> {
    let Invoke { node, command, params, timeout_ms, idempotency_key, session_id } = wish;
    let ms = timeout_ms.unwrap_or(USUAL_TIMEOUT_MS);
    if !(1..=LONGEST_TIMEOUT_MS).contains(&ms) {
        let words = format!("`timeoutMs` must be 1 to {LONGEST_TIMEOUT_MS}, got {ms}");
        return Err(RpcError::invalid_params(words));
    }
    let session = match (by.grant.scope(), &by.session, &session_id) {
        (Scope::Operator, None, None) => None,
        (_, _, named) => Some(session_of(edge, by, named.as_deref()).await?),
    };
    let sight = match (by.grant.scope(), &session) {
        (Scope::Operator, _) | (_, None) => Sight::Everything,
        (_, Some(own)) => Sight::Of(own.clone()),
    };
    let told = command.clone();
    let timeout = Duration::from_millis(ms);
    let wish = Wish { node, command, params, timeout, idempotency_key, session, sight };
    // Dropped with its caller, it is ended on the node.
    let done = edge.devices.invoke(wish, CancellationToken::new()).await;
    let (ok, payload, error) = match done.outcome {
        Ok(payload) => (true, Some(payload), None),
        Err(fault) => (false, None, Some(fault)),
    };
    Ok(Invoked { ok, node_id: done.node_id, command: told, payload, error })
}
