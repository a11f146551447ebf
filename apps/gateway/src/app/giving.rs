//! Gives each runtime what it needs to reach the gateway: where it is, and tokens for its tools and its node.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::bridge::{Given, GivenNode};
use argus_protocol::node::RUNTIME;
use async_trait::async_trait;
use tokio::sync::{Mutex, watch};
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::config::NodesConfig;
use crate::edge::{self, Edge};
use crate::runtime::{Giving, Whereabouts};

/// How long a runtime that is reached while the gateway starts waits for it to serve.
const START: Duration = Duration::from_secs(5);

/// Gives runtimes what they need. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Giver(Arc<Inner>);

struct Inner {
    access: Access,
    config: NodesConfig,
    /// What serves, once it does.
    serving: watch::Sender<Option<Serving>>,
    /// Addresses of other networks at which we listen too.
    doors: Mutex<HashMap<IpAddr, SocketAddr>>,
}

#[derive(Clone)]
struct Serving {
    edge: Edge,
    address: SocketAddr,
    tasks: TaskTracker,
}

impl fmt::Debug for Giver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Giver")
    }
}

impl Giver {
    /// With these settings; nothing can be given before [`Self::serves`].
    pub(super) fn new(access: Access, config: NodesConfig) -> Self {
        Self(Arc::new(Inner { access, config, serving: watch::Sender::new(None), doors: Mutex::default() }))
    }

    /// The gateway serves, there.
    pub(super) fn serves(&self, edge: Edge, address: SocketAddr, tasks: TaskTracker) {
        self.0.serving.send_replace(Some(Serving { edge, address, tasks }));
    }

    /// Where a runtime finds the gateway.
    async fn url(&self, whereabouts: Whereabouts) -> Option<String> {
        if let Some(url) = &self.0.config.gateway_url {
            return Some(url.clone());
        }
        let mut serving = self.0.serving.subscribe();
        let ready = serving.wait_for(Option::is_some);
        let serving = tokio::time::timeout(START, ready).await.ok()?.ok()?.clone()?;
        let port = serving.address.port();
        match whereabouts {
            Whereabouts::Here => Some(format!("http://{}", reachable(serving.address))),
            Whereabouts::BesideUs => Some(format!("http://gateway:{port}")),
            Whereabouts::Network(address) => self.door(serving, address).await,
            Whereabouts::Elsewhere => {
                tracing::warn!(
                    "a runtime has no tools: it is not known how it reaches this gateway; set ARGUS_RUNTIME_GATEWAY_URL"
                );
                None
            }
        }
    }

    /// Sees to it that we listen at that address of this machine: containers cannot reach its loopback.
    async fn door(&self, serving: Serving, address: IpAddr) -> Option<String> {
        let own = serving.address;
        if own.ip().is_unspecified() || own.ip() == address {
            return Some(format!("http://{}", SocketAddr::new(address, own.port())));
        }
        let mut doors = self.0.doors.lock().await;
        if let Some(door) = doors.get(&address) {
            return Some(format!("http://{door}"));
        }
        let listener = match edge::bind(SocketAddr::new(address, own.port())) {
            Ok(listener) => listener,
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {
                // The engine has a machine of its own, which has this name for ours.
                return Some(format!("http://host.docker.internal:{}", own.port()));
            }
            Err(error) => {
                tracing::warn!(
                    %error, "runtimes have no tools: cannot listen on {address}, port {}, for them; set \
                     ARGUS_RUNTIME_GATEWAY_URL to where they reach this gateway", own.port()
                );
                return None;
            }
        };
        let door = listener.local_addr().ok()?;
        tracing::info!(address = %door, "the gateway serves runtimes");
        serving.tasks.spawn(edge::serve(listener, serving.edge.clone()));
        doors.insert(address, door);
        Some(format!("http://{door}"))
    }
}

#[async_trait]
impl Giving for Giver {
    async fn given(&self, session: &SessionId, whereabouts: Whereabouts) -> Option<Given> {
        let url = self.url(whereabouts).await?;
        let tokens = self.0.access.runtime_tokens(session);
        let node = self.0.config.runtime_node.then(|| GivenNode {
            id: format!("{RUNTIME}{session}"),
            display_name: format!("runtime-{session}"),
            token: tokens.node.reveal().to_owned(),
        });
        Some(Given { url, mcp_token: tokens.mcp.reveal().to_owned(), node })
    }
}

/// The address under which a process of this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), address.port())
        }
        _ => address,
    }
}
