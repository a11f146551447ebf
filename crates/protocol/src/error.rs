//! JSON-RPC error objects and the codes this product uses.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Text that is not JSON (JSON-RPC 2.0 §5.1).
pub const PARSE_ERROR: i32 = -32700;
/// JSON that is not a frame.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The method exists, its parameters are wrong.
pub const INVALID_PARAMS: i32 = -32602;
/// A fault of ours; details are in the log.
pub const INTERNAL: i32 = -32603;
/// The deed failed; the message says why.
pub const FAILED: i32 = -32000;
/// Too much is waiting; the same request may go through later (codex app-server uses the same code).
pub const OVERLOADED: i32 = -32001;
/// The token is right, and for something else; the message names its scope.
pub const FORBIDDEN: i32 = -32003;

/// The `error` member of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// One of this module's codes, or one of the agent's own.
    pub code: i32,
    /// What failed, on which subject, what to do.
    pub message: String,
    /// Anything a program may want to read beside the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// [`FAILED`] with a message.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message)
    }

    /// [`INVALID_PARAMS`] with a message.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    /// [`FORBIDDEN`] with a message.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(FORBIDDEN, message)
    }

    /// [`OVERLOADED`] with a message.
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self::new(OVERLOADED, message)
    }
}
