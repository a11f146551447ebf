//! Many connections: all at once, and idle.

use std::io;
use std::time::{Duration, Instant};

use crate::figures::Measured;
use crate::process::{cpu_us, resident};
use crate::relays::Relay;
use crate::socket::Socket;

/// The figure of connections at once.
pub(crate) const STORM_FIGURES: &[&str] = &["ms until all have their first frame"];
/// The figures of idle clients.
pub(crate) const MEMORY_FIGURES: &[&str] =
    &["MB without clients", "MB with 100", "MB with 1,000", "kB a client (of 1,000)"];

/// That many at once, until each has its first frame.
pub(crate) async fn storm(relay: &Relay, clients: usize) -> io::Result<Measured> {
    let (cpu, began) = (cpu_us(relay.pid), Instant::now());
    let coming = (0..clients).map(|_| {
        let door = relay.door.clone();
        tokio::spawn(async move {
            let mut socket = Socket::connect(&door).await?;
            socket.next().await?;
            Ok::<_, io::Error>(socket)
        })
    });
    let mut here = Vec::new();
    for come in coming.collect::<Vec<_>>() {
        here.push(come.await.map_err(io::Error::other)??);
    }
    let took = began.elapsed().as_secs_f64() * 1e3;
    Ok(Measured { figures: vec![took], cpu_us: Some((cpu_us(relay.pid) - cpu) / clients as f64) })
}

/// Resident memory of a relay that has just started, with nobody, 100 and 1,000 idle clients.
pub(crate) async fn memory(relay: &Relay) -> io::Result<Measured> {
    let settled = async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        resident(relay.pid)
    };
    let none = settled().await;
    let mut clients = relay.clients(100).await?;
    let hundred = settled().await;
    clients.extend(relay.clients(900).await?);
    let thousand = settled().await;
    let figures = vec![none / 1e6, hundred / 1e6, thousand / 1e6, (thousand - none) / 1e6];
    Ok(Measured { figures, cpu_us: None })
}
