//! `argus/pairing/*`: who may talk to us.

use serde::{Deserialize, Serialize};

/// The code by which the next person pairs; the first one becomes operator. No parameters.
pub const CODE: &str = "argus/pairing/code";

/// Its result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PairingCode {
    /// 8 base32 characters; works once.
    pub code: String,
    /// Unix milliseconds after which it is dead.
    pub expires_at_ms: u64,
    /// How many people are paired already.
    pub paired: u64,
}

/// Everybody who is known, and who waits to be. No parameters; answered with [`People`].
pub const LIST: &str = "argus/pairing/list";
/// Lets somebody in who wrote to us, or a group with all its members. Parameters: [`Approve`]; answered with `{"ok":true}`.
pub const APPROVE: &str = "argus/pairing/approve";
/// Takes that back. Parameters: [`Who`]; answered with `{"ok":true}`. A person whom a setting names stays known by it, which is an
/// error here.
pub const REVOKE: &str = "argus/pairing/revoke";

/// Result of [`LIST`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct People {
    /// Whom we know.
    pub known: Vec<KnownPerson>,
    /// Who wrote to us and is not known, the newest first; at most 100.
    pub waiting: Vec<WaitingPerson>,
    /// Groups in which everybody may talk to us.
    pub chats: Vec<OpenChat>,
}

/// Somebody we know.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownPerson {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// The channel's id of the person.
    pub id: String,
    /// How they call themselves.
    pub name: String,
    /// `operator` or `user`.
    pub role: String,
    /// `code`, `list` or `approved`.
    pub via: String,
    /// Since when, unix milliseconds.
    pub since_ms: u64,
}

/// Somebody who is not known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPerson {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// The channel's id of the person.
    pub id: String,
    /// How they call themselves.
    pub name: String,
    /// When they wrote last, unix milliseconds.
    pub at_ms: u64,
}

/// A group in which everybody may talk to us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenChat {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// The chat inside the channel, without a topic.
    pub id: String,
}

/// Parameters of [`APPROVE`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// Whom.
    #[serde(flatten)]
    pub who: Who,
    /// Whether they become an operator. Not for groups.
    #[serde(default)]
    pub operator: bool,
}

/// A person, or a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// The channel's id; for Telegram a group's is negative.
    pub id: String,
    /// Which bot; may be absent where there is one only.
    #[serde(default)]
    pub bot: Option<String>,
}
