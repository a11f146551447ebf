//! Parameters and results of the gateway's own methods, one file per resource.

pub mod automation;
pub mod channel;
pub mod chat;
pub mod cron;
pub mod deliver;
pub mod heartbeat;
pub mod input;
pub mod message;
pub mod node;
pub mod pairing;
pub mod session;
pub mod system_event;
pub mod thread;
pub mod token;

use serde::{Deserialize, Serialize};

/// Every method of the gateway starts with this; such a frame is never forwarded to the agent.
pub const PREFIX: &str = "argus/";

/// Parameters of methods that only concern a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionParams {
    /// On `POST /rpc`: which session; absent means the token's, else the default one.
    pub session_id: Option<String>,
}
