//! With what a runtime reaches its gateway, asked for when one is greeted.

use std::fmt;
use std::net::IpAddr;

use argus_protocol::SessionId;
use argus_protocol::bridge::Given;
use async_trait::async_trait;

/// Where a runtime is, seen from the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// On the gateway's machine, as a process.
    Here,
    /// In a network of containers in which the gateway's own container is called `gateway`.
    BesideUs,
    /// In a network of containers whose machine, which is the gateway's, has this address there.
    Network(IpAddr),
    /// Somewhere; nobody knows how it sees us.
    Elsewhere,
}

/// Tells what runtimes are given.
#[async_trait]
pub trait Giving: fmt::Debug + Send + Sync {
    /// What the session's runtime is given; `None` where it cannot reach us.
    async fn given(&self, session: &SessionId, whereabouts: Whereabouts) -> Option<Given>;
}

/// Gives nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

#[async_trait]
impl Giving for Nothing {
    async fn given(&self, _: &SessionId, _: Whereabouts) -> Option<Given> {
        None
    }
}
