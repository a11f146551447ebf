//! What a token is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::node::names_a_node;

/// What a token is for. Written `operator`, `client:<session>`, `mcp:<session>` and `node:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Everything that the gateway offers.
    Operator,
    /// One session, as a program that chats has it.
    Client(SessionId),
    /// The tools of one session's agent.
    Mcp(SessionId),
    /// One node: 1 to 128 letters, digits, `.`, `_`, `:` and `-`.
    Node(String),
}

/// A text that names no scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no scope: use `operator`, `client:<session>`, `mcp:<session>` or `node:<id>`")]
pub struct NoScope;

impl Scope {
    /// The session that the token is bound to.
    pub fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Client(session) | Self::Mcp(session) => Some(session),
            Self::Operator | Self::Node(_) => None,
        }
    }
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let session = |text: &str| text.parse::<SessionId>().map_err(|_| NoScope);
        match text.split_once(':') {
            None if text == "operator" => Ok(Self::Operator),
            Some(("client", id)) => session(id).map(Self::Client),
            Some(("mcp", id)) => session(id).map(Self::Mcp),
            Some(("node", id)) if names_a_node(id) => Ok(Self::Node(id.to_owned())),
            _ => Err(NoScope),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Client(session) => write!(f, "client:{session}"),
            Self::Mcp(session) => write!(f, "mcp:{session}"),
            Self::Node(id) => write!(f, "node:{id}"),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = NoScope;

    fn try_from(text: String) -> Result<Self, NoScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for text in ["operator", "client:a1b2c3d4e5f6", "mcp:default", "node:runtime:a1b2", "node:My.Mac_2"] {
            assert_eq!(text.parse::<Scope>().map(|scope| scope.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_nearly_a_scope_is_none() {
        let long = format!("node:{}", "n".repeat(129));
        for text in [
            "",
            "Operator",
            "operator:",
            "operator:x",
            " operator",
            "client",
            "client:",
            "client:A",
            "client:a:b",
            "client:../x",
            "mcp:",
            "node:",
            "node:a b",
            "node:ä",
            "node:\"",
            "admin",
            "admin:x",
            ":",
            &long,
        ] {
            assert_eq!(text.parse::<Scope>(), Err(NoScope), "{text}");
        }
    }
}
