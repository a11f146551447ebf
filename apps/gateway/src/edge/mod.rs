//! Who is calling: sockets and HTTP become typed calls. Decides nothing. The only axum.

mod auth;
mod error;
mod http;
mod listen;
mod lobby;
mod mcp;
mod origin;
mod outlet;
pub mod ports;
mod router;
mod rpc;
mod watched;
mod ws;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use argus_protocol::{RpcError, SessionId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, Holder};
use crate::automation::Automation;
use crate::automation::intake::Intake;
use crate::chat::Chats;
use crate::config::ProvisionMode;
use crate::delivery::Sending;
use crate::devices::Devices;
use crate::sessions::Sessions;

pub use listen::{bind, serve};
use ports::Standing;
pub use rpc::Places;

/// Everything that a request may reach.
#[derive(Clone)]
pub struct Edge {
    /// Valid tokens, and what was done with them.
    pub access: Access,
    /// Web origins allowed beside our own.
    pub origins: Arc<[String]>,
    /// How runtimes are made.
    pub mode: ProvisionMode,
    /// Longest frame of a client in bytes.
    pub frame_limit: usize,
    /// All sessions.
    pub sessions: Sessions,
    /// The one door for turns.
    pub intake: Intake,
    /// What the assistant does unasked.
    pub automation: Automation,
    /// Who talks to us.
    pub chats: Chats,
    /// What sessions send of themselves.
    pub sending: Sending,
    /// The machines on which commands run.
    pub devices: Devices,
    /// Calls that wait for a session's main thread.
    pub ensuring: Places,
    /// How everything stands.
    pub standing: Arc<dyn Standing>,
    /// Numbers client connections.
    pub next_client: Arc<AtomicU64>,
    /// Client connections that are open.
    pub connections: TaskTracker,
    /// Ends open connections when the gateway stops.
    pub shutdown: CancellationToken,
}

impl Edge {
    /// The session that a token is for; the default one for a token that several programs share.
    async fn session_of_token(&self, grant: &auth::Grant) -> Result<Option<SessionId>, RpcError> {
        match grant.seat().account().holder() {
            Holder::SharedMcp => self.default_session().await.map(Some),
            _ => Ok(grant.scope().session().cloned()),
        }
    }

    /// The default session; made when there is none.
    async fn default_session(&self) -> Result<SessionId, RpcError> {
        self.sessions.default_session().await.map_err(RpcError::failed)
    }
}
