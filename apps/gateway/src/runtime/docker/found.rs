//! A container as the engine tells of it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use argus_protocol::SessionId;

use super::spec::{OURS, label};

/// A container that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) state: State,
    /// Its addresses by the network's id.
    pub(super) addresses: HashMap<String, IpAddr>,
}

/// How a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its processes run.
    Running,
    /// They stand still by somebody's order.
    Paused,
    /// It can be started.
    Stopped,
    /// It can only be removed.
    Broken,
}

impl State {
    /// As it is shown to people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Broken => "broken",
        }
    }
}

impl Found {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// Whether this installation made it.
    pub(super) fn is_of(&self, installation: &str) -> bool {
        self.label(label::GATEWAY) == Some(OURS) && self.label(label::INSTALLATION) == Some(installation)
    }

    /// The session it says it is for.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.label(label::SESSION)?.parse().ok()
    }

    /// Its address on that network, or where it is instead.
    pub(super) fn address(&self, network: &str) -> Option<IpAddr> {
        self.addresses.get(network).or_else(|| self.addresses.values().next()).copied()
    }
}
