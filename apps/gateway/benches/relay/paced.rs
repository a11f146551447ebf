//! Frames at the pace of a model that writes: what the relay adds on their way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::figures::{Measured, percentile};
use crate::process::cpu_us;
use crate::relays::Relay;
use crate::socket::Socket;
use crate::upstream::at;

/// The figures of a measurement.
pub(crate) const FIGURES: &[&str] = &["p50 µs", "p99 µs"];
/// 500 frames in a second.
const EVERY: Duration = Duration::from_millis(2);

/// From the upstream's write to the clients' receipt.
pub(crate) async fn measure(
    relay: &Relay,
    clients: usize,
    size: usize,
    time: Duration,
) -> io::Result<Measured> {
    let sockets = relay.clients(clients).await?;
    paced(relay, sockets, size, time).await
}

/// The same beside one client that never reads.
pub(crate) async fn beside_a_silent_one(
    relay: &Relay,
    clients: usize,
    size: usize,
    time: Duration,
) -> io::Result<Measured> {
    let silent = relay.client().await?;
    let sockets = relay.clients(clients).await?;
    let measured = paced(relay, sockets, size, time).await;
    drop(silent);
    measured
}

async fn paced(relay: &Relay, sockets: Vec<Socket>, size: usize, time: Duration) -> io::Result<Measured> {
    let (cpu, began) = (cpu_us(relay.pid), Instant::now());
    let said = Arc::new(AtomicU64::new(u64::MAX));
    let listening = sockets.into_iter().map(|socket| tokio::spawn(listen(socket, began, said.clone())));
    let listening: Vec<_> = listening.collect();
    let count = relay.upstream.pace(EVERY, size, began, began + time).await;
    said.store(count, Ordering::Relaxed);
    // One more, so that everybody sees that it is over.
    relay.upstream.pace(EVERY, size, began, Instant::now() + EVERY / 2).await;
    let mut times = Vec::new();
    for listened in listening {
        times.extend(listened.await.map_err(io::Error::other)??);
    }
    let cpu = (cpu_us(relay.pid) - cpu) / times.len() as f64;
    let figures = vec![percentile(&mut times, 50), percentile(&mut times, 99)];
    Ok(Measured { figures, cpu_us: Some(cpu) })
}

/// How long each frame was on its way, in microseconds.
async fn listen(mut socket: Socket, began: Instant, said: Arc<AtomicU64>) -> io::Result<Vec<u32>> {
    let mut times = Vec::new();
    while (times.len() as u64) < said.load(Ordering::Relaxed) {
        let frame = socket.next().await?;
        let now = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Some(at) = at(frame) {
            times.push(u32::try_from(now.saturating_sub(at)).unwrap_or(u32::MAX));
        }
    }
    Ok(times)
}
