//! `argus/token/*`: tokens for others, made, listed, revoked and rotated by the operator.

use serde::{Deserialize, Serialize};

use crate::ids::TokenId;
use crate::token::scope::Scope;

/// Makes a token.
pub const CREATE: &str = "argus/token/create";
/// Tells which were made. No parameters.
pub const LIST: &str = "argus/token/list";
/// Ends one.
pub const REVOKE: &str = "argus/token/revoke";
/// Ends the operator's token, or all that were made.
pub const ROTATE: &str = "argus/token/rotate";

/// Longest label in bytes.
pub const LONGEST_LABEL: usize = 100;

/// Parameters of [`CREATE`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    /// As [`Scope`] is written; `client:default` and `mcp:default` mean the default session.
    pub scope: String,
    /// Seconds it lives; absent: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// What it is for, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Limits that differ from the gateway's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Longest frame in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_frame_bytes: Option<u64>,
    /// Requests in a second, taken over four seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests_per_second: Option<u32>,
}

/// Result of [`CREATE`]. `Debug` would show the token, so there is none.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The token. It is told this once and kept nowhere.
    pub token: String,
    /// Its id, by which it is revoked.
    pub id: TokenId,
    /// What it is for.
    pub scope: Scope,
    /// Unix milliseconds from which it is worth nothing.
    pub expires_at_ms: Option<u64>,
}

/// How a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It opens what it is for.
    Valid,
    /// Its time is over.
    Expired,
    /// It was ended.
    Revoked,
}

/// One token, as [`LIST`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub scope: Scope,
    /// How it stands.
    pub state: State,
    /// What it is for, in the operator's words.
    pub label: Option<String>,
    /// Unix milliseconds.
    pub created_at_ms: u64,
    /// Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// Unix milliseconds.
    pub revoked_at_ms: Option<u64>,
    /// Connections that are open with it.
    pub connections: usize,
}

/// Result of [`LIST`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct List {
    /// The newest first, 1000 at most.
    pub tokens: Vec<Listed>,
}

/// Parameters of [`REVOKE`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Which.
    pub id: TokenId,
}

/// What [`ROTATE`] replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotated {
    /// The operator's own token. The new one is in the token's file.
    Operator,
    /// The key that signs derived tokens. All of them are void.
    Key,
}

/// Parameters of [`ROTATE`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Which.
    pub what: Rotated,
}
