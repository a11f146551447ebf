//! What a bridge must know, typed.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::{AgentCommand, Log};

/// Everything one bridge is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where gateways connect.
    pub listen: Listen,
    /// Lower-case hex SHA-256 of the secret a gateway must name.
    pub secret_fingerprint: String,
    /// What to run.
    pub agent: AgentCommand,
    /// The agent's whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// `APP_HOME`, where an older installation may have left a `HEARTBEAT.md`.
    pub home: Option<PathBuf>,
    /// The agent's working folder; made if missing.
    pub workspace: PathBuf,
    /// The session, where it is known.
    pub session: Option<String>,
    /// The program that makes this runtime a node, and its first arguments, for when the gateway wants it to be one.
    pub node: Vec<PathBuf>,
    /// Where kept lines go when memory is full; without it the agent is stopped from writing sooner.
    pub spill_dir: Option<PathBuf>,
    /// How long to go on without a gateway and without a turn; `None` is for ever.
    pub idle_exit: Option<Duration>,
    /// Where the agent's error output goes.
    pub log: Log,
    /// Sizes.
    pub limits: Limits,
}

/// Sizes a bridge keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line of either side, in bytes.
    pub line_bytes: usize,
    /// Kept lines in memory, in bytes.
    pub memory_bytes: usize,
    /// Kept lines on disk, in bytes.
    pub disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 64 << 20, memory_bytes: 8 << 20, disk_bytes: 64 << 20 }
    }
}

/// An address to listen on: `unix:/path` or `tcp:0.0.0.0:7777`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A socket only this user can open.
    Unix(PathBuf),
    /// A port.
    Tcp(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:")
            && path.starts_with('/')
        {
            return Ok(Self::Unix(path.into()));
        }
        let address = text.strip_prefix("tcp:").and_then(|address| address.parse().ok());
        address
            .map(Self::Tcp)
            .ok_or_else(|| format!("`{text}` is no address; write `unix:/path` or `tcp:0.0.0.0:7777`"))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_kind() {
        assert_eq!("unix:/run/a.sock".parse(), Ok(Listen::Unix("/run/a.sock".into())));
        let tcp: Listen = "tcp:0.0.0.0:7777".parse().unwrap();
        assert_eq!(tcp.to_string(), "tcp:0.0.0.0:7777");
        for bad in ["", "unix:", "unix:relative", "tcp:", "tcp:7777", "/run/a.sock", "http://x"] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
