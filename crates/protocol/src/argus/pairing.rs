//! `argus/pairing/code`: the code by which the first person becomes operator.

use serde::{Deserialize, Serialize};

/// The method's name. No parameters.
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
