//! How a node comes in.

use serde::{Deserialize, Serialize};

/// A node's first frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// Its id: that of its credential.
    pub node_id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its operating system: `linux`, `macos`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The version of its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it can do, in groups.
    #[serde(default)]
    pub caps: Vec<String>,
    /// The commands that it takes; none named: any may be tried.
    #[serde(default)]
    pub commands: Vec<String>,
    /// This process of the node's program: another one after each start. Absent from the reference's nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// How its owner lets it be used, in a word: `allow`, `ask`, `deny`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// `node.heartbeat`: a node lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Beat {
    /// Unix milliseconds, by its own clock.
    pub t: u64,
    /// How many jobs run on it.
    pub jobs: usize,
}

/// `node.connected`: the node is known from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// As whom.
    pub node_id: String,
    /// What the gateway calls it, where its operator named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The gateway's process: another one after each start. Whoever asked an earlier one is told nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
}

/// The first frame of a node without a credential: a one-time code for one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrol {
    /// The code, as `argus node enrol` printed it.
    pub code: String,
    /// The id that it would like; one that the operator chose wins.
    pub node_id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// `node.enrolled`: the credential, told this once. The connection ends after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolled {
    /// The id that the credential is for.
    pub node_id: String,
    /// The credential: a bearer token of scope `node:<id>`.
    pub token: String,
}

// `Debug` would show the code and the token.
impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrol").field("node_id", &self.node_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolled").field("node_id", &self.node_id).finish_non_exhaustive()
    }
}
