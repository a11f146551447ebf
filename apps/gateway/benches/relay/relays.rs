//! The relays that are measured, each a process of its own with an upstream of its own.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use argus_testkit::gateway::Gateway;

use crate::socket::{Door, Socket};
use crate::upstream::Upstream;

/// One relay that runs.
pub(crate) struct Relay {
    /// Where its clients come in.
    pub(crate) door: Door,
    /// Its process.
    pub(crate) pid: u32,
    /// What it relays.
    pub(crate) upstream: Upstream,
    /// Ends it.
    _process: Process,
}

#[expect(dead_code, reason = "it is held to be dropped")]
enum Process {
    Ours(Gateway),
    Bare(Ending),
}

/// A process that ends with this.
pub(crate) struct Ending(pub(crate) Child);

impl Drop for Ending {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Relay {
    /// Ours, on an upstream that speaks plain lines.
    pub(crate) async fn ours() -> io::Result<Self> {
        let upstream = Upstream::start().await?;
        let gateway = Gateway::new()
            .with("ARGUS_PROVISION_MODE", "static")
            .with("ARGUS_TCP_HOST", upstream.address.ip().to_string())
            .with("ARGUS_TCP_PORT", upstream.address.port().to_string())
            .start()
            .await;
        let door = door(&gateway)?;
        Ok(Self { door, pid: gateway.pid(), upstream, _process: Process::Ours(gateway) })
    }

    /// The yardstick.
    pub(crate) async fn bare() -> io::Result<Self> {
        let upstream = Upstream::start().await?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--bare", &upstream.address.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Ending(command.spawn()?);
        let mut port = String::new();
        if let Some(stdout) = process.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut port)?;
        }
        let port: u16 = port.trim().parse().map_err(io::Error::other)?;
        let door =
            Door { address: (Ipv4Addr::LOCALHOST, port).into(), path: "/".to_owned(), head: String::new() };
        Ok(Self { door, pid: process.0.id(), upstream, _process: Process::Bare(process) })
    }

    /// A client that has heard its first frame.
    pub(crate) async fn client(&self) -> io::Result<Socket> {
        let mut socket = Socket::connect(&self.door).await?;
        socket.next().await?;
        Ok(socket)
    }

    /// Several.
    pub(crate) async fn clients(&self, count: usize) -> io::Result<Vec<Socket>> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.client().await?);
        }
        Ok(clients)
    }
}

/// The door of a gateway's default session.
pub(crate) fn door(gateway: &Gateway) -> io::Result<Door> {
    let address: SocketAddr =
        gateway.url().trim_start_matches("http://").parse().map_err(io::Error::other)?;
    let head = format!("Authorization: Bearer {}\r\n", gateway.token());
    Ok(Door { address, path: "/ws?session=default".to_owned(), head })
}
