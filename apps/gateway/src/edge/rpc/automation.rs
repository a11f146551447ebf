//! `argus/automation/*`: how what is done unasked stands, and its pause.

use argus_protocol::argus::SessionParams;
use argus_protocol::argus::automation::{PAUSE, RESUME, STATUS};

use super::methods::{Method, read, tell, who};
use super::{May, session_of_params};

/// Every one is for the caller's own session.
pub(super) const METHODS: [Method; 3] = [
    Method {
        name: PAUSE,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let params: SessionParams = read(&params)?;
                let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
                edge.automation.pause(&session).await.map_err(tell)
            });
        },
    },
    Method {
        name: RESUME,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let params: SessionParams = read(&params)?;
                let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
                edge.automation.resume(&session).await.map_err(tell)
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
                edge.automation.status(&session).await.map_err(tell)
            });
        },
    },
];
