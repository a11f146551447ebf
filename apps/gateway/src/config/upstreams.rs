//! The settings of upstreams, which are agents that run already, checked.

mod table;

use argus_protocol::SessionId;
use argus_protocol::token::Secret;
use clap::Args;

use super::GatewayArgs;
use super::read::Reader;

/// Settings of upstreams, still as text.
#[derive(Args, Clone, Default)]
pub struct UpstreamArgs {
    /// The table of upstreams.
    #[arg(
        long,
        env = "ARGUS_UPSTREAMS_JSON",
        hide_env_values = true,
        value_name = "JSON",
        help = "Agents that run already, in static mode: {\"id\":{\"host\":…,\"port\":…,\"token\":…,\"protocol\":…,\"secret\":…},…}"
    )]
    pub upstreams_json: Option<String>,
    /// Host of the only upstream, without a table of them [default: 127.0.0.1]
    #[arg(long, env = "ARGUS_TCP_HOST", value_name = "HOST")]
    pub tcp_host: Option<String>,
    /// Port of the only upstream, without a table of them [default: 7777]
    #[arg(long, env = "ARGUS_TCP_PORT", value_name = "PORT")]
    pub tcp_port: Option<String>,
}

/// An agent that runs already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// As the operator calls it.
    pub id: String,
    /// Its session, named after it.
    pub session: SessionId,
    /// Where it listens.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// What a client of this upstream alone proves itself by; without one, only the operator's token does.
    pub token: Option<Secret>,
    /// What it speaks.
    pub protocol: UpstreamProtocol,
}

/// What an upstream speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// The agent's own frames, one a line.
    Plain,
    /// The link of our runtime bridges.
    Bridge {
        /// The secret whose SHA-256 the bridge was given.
        secret: Secret,
    },
}

const HOST: &str = "127.0.0.1";
const PORT: u16 = 7777;
const A_PORT: &str = "expected a port from 1 to 65535";

/// All upstreams; mistakes in their settings are noted.
pub(super) fn upstreams(args: &GatewayArgs, read: &mut Reader) -> Vec<Upstream> {
    let own = &args.upstreams;
    if let Some(text) = own.upstreams_json.as_deref().filter(|text| !text.trim().is_empty()) {
        let mut mistakes = Vec::new();
        let table = table::read(text, &mut mistakes);
        for mistake in mistakes {
            read.mistake(format!("ARGUS_UPSTREAMS_JSON: {mistake}"));
        }
        return table;
    }
    vec![Upstream {
        id: "default".to_owned(),
        session: "default".parse().expect("a constant session id"),
        host: read.or("ARGUS_TCP_HOST", own.tcp_host.as_ref(), HOST.to_owned(), host),
        port: read.or("ARGUS_TCP_PORT", own.tcp_port.as_ref(), PORT, port),
        token: None,
        protocol: UpstreamProtocol::Plain,
    }]
}

fn host(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if fits { Ok(text.to_owned()) } else { Err("expected a host name or an address".to_owned()) }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| A_PORT.to_owned())
}

#[cfg(test)]
mod tests;
