//! `argus/heartbeat/*`: from their parameters to their results, which HTTP gives too.

use argus_protocol::argus::SessionParams;
use argus_protocol::argus::heartbeat::{REQUEST, STATUS, Status};
use argus_protocol::{RpcError, SessionId};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::json;

use super::super::Edge;
use super::methods::{Method, read, tell, who};
use super::{May, session_of_params};

/// Its table.
pub(super) const METHODS: [Method; 2] = [
    Method {
        name: REQUEST,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let params: SessionParams = read(&params)?;
                let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
                request(&edge, &session).await.map_err(tell)?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: STATUS,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let params: SessionParams = read(&params)?;
                let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
                status(&edge, &session).await.map_err(tell)
            });
        },
    },
];

/// Asks for a heartbeat; it is durable when this answers.
pub(in super::super) async fn request(edge: &Edge, session: &SessionId) -> Result<(), RpcError> {
    let asked = edge.automation.request_heartbeat(session).await;
    asked.map_err(|error| RpcError::failed(format!("no heartbeat could be stored, none begins: {error}")))
}

/// How a session's heartbeats stand.
pub(in super::super) async fn status(edge: &Edge, session: &SessionId) -> Result<Status, RpcError> {
    let status = edge.automation.heartbeat_status(session).await;
    status.map_err(|error| RpcError::failed(format!("how heartbeats stand cannot be read: {error}")))
}
