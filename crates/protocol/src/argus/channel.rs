//! `argus/channel/report`: a channel adapter tells how its receiving side stands, so that readiness can say it.

use serde::{Deserialize, Serialize};

/// The method's name.
pub const REPORT: &str = "argus/channel/report";

/// Its parameters; the result is `{"ok":true}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// How it stands.
    pub state: ReceiverState,
    /// When the last poll succeeded, unix milliseconds; absent before the first.
    #[serde(default)]
    pub last_poll_ms: Option<u64>,
    /// In words, what to do about it.
    #[serde(default)]
    pub detail: Option<String>,
}

/// How a receiver stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReceiverState {
    /// Messages come in.
    Ok,
    /// Another program polls with the same token (Telegram 409).
    Conflict,
    /// The token is refused (Telegram 401).
    Unauthorized,
    /// The channel cannot be reached.
    Unreachable,
}
