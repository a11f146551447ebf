//! `argus/node/*`: from their parameters to their results, which HTTP gives too.

use std::time::Duration;

use argus_protocol::argus::node::{
    Code, ENROL, Enrol, INVOKE, Invoke, Invoked, LIST, LONGEST_TIMEOUT_MS, List, Nodes, RENAME, REVOKE,
    Rename, Revoke, USUAL_TIMEOUT_MS,
};
use argus_protocol::token::scope::Scope;
use argus_protocol::{RpcError, SessionId};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::Edge;
use super::methods::{Method, read, tell, who};
use super::tokens::told;
use super::{Caller, May, session_of};
use crate::access::Author;
use crate::devices::{NewCode, OpenTo, Sight, Wish};

/// Sessions that may be named for one node.
const MOST_SESSIONS: usize = 64;

/// Its table.
pub(super) const METHODS: [Method; 5] = [
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
    Method {
        name: ENROL,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                enrol(&edge, &who(&caller)?.grant.author(), read(&params)?).await.map_err(tell)
            });
        },
    },
    Method {
        name: REVOKE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let (by, wish) = (who(&caller)?.grant.author(), read::<Revoke>(&params)?);
                // To its end, even when the caller does not wait.
                let devices = edge.devices.clone();
                let deed = tokio::spawn(async move { devices.revoke(&by, &wish.node_id).await });
                let done = deed.await.map_err(|error| tell(RpcError::failed(error.to_string())))?;
                done.map_err(|error| tell(told(error)))?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: RENAME,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, _| async move {
                let wish: Rename = read(&params)?;
                let renamed = edge.devices.rename(&wish.node_id, &wish.display_name).await;
                renamed.map_err(|error| tell(told(error)))?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
];

/// Makes a code.
async fn enrol(edge: &Edge, by: &Author, wish: Enrol) -> Result<Code, RpcError> {
    let blank =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let open_to = match wish.sessions {
        None => OpenTo::Usual,
        Some(named) if named.iter().any(|name| name.trim() == "*") => OpenTo::All,
        Some(named) => OpenTo::Only(sessions(edge, &named).await?),
    };
    let new = NewCode { node_id: blank(wish.node_id), display_name: blank(wish.display_name), open_to };
    edge.devices.new_code(by, new).await.map_err(told)
}

/// Sessions that exist.
async fn sessions(edge: &Edge, named: &[String]) -> Result<Vec<SessionId>, RpcError> {
    if named.is_empty() || named.len() > MOST_SESSIONS {
        let words = format!("`sessions` takes 1 to {MOST_SESSIONS} ids, or `*` for all");
        return Err(RpcError::invalid_params(words));
    }
    let mut sessions = Vec::new();
    for name in named {
        let id = match name.trim() {
            "default" => edge.default_session().await?,
            text => text.parse().map_err(|error| RpcError::invalid_params(format!("`sessions`: {error}")))?,
        };
        if !edge.sessions.knows(&id).await {
            return Err(RpcError::failed(format!("Unknown session `{id}`")));
        }
        sessions.push(id);
    }
    Ok(sessions)
}

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
