//! Round trips: a client asks, the upstream answers, the client asks again.

use std::io;
use std::time::{Duration, Instant};

use crate::figures::{Measured, percentile};
use crate::process::cpu_us;
use crate::relays::Relay;
use crate::socket::{Socket, frame};

/// The figures of a measurement.
pub(crate) const FIGURES: &[&str] = &["round trips/s", "p50 µs", "p99 µs"];

/// As many round trips as that many clients, one open request each, make in that time.
pub(crate) async fn measure(
    relay: &Relay,
    clients: usize,
    size: usize,
    time: Duration,
) -> io::Result<Measured> {
    let bare = r#"{"id":7,"method":"bench/echo","params":{"x":""}}"#.len();
    let text = format!(
        r#"{{"id":7,"method":"bench/echo","params":{{"x":"{}"}}}}"#,
        "x".repeat(size.saturating_sub(bare))
    );
    let request = frame(&text);
    let sockets = relay.clients(clients).await?;
    let (cpu, began) = (cpu_us(relay.pid), Instant::now());
    let asking = sockets.into_iter().map(|socket| tokio::spawn(ask(socket, request.clone(), began + time)));
    let mut times = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        times.extend(asked.await.map_err(io::Error::other)??);
    }
    let (trips, took) = (times.len() as f64, began.elapsed().as_secs_f64());
    let cpu = (cpu_us(relay.pid) - cpu) / trips;
    let figures = vec![trips / took, percentile(&mut times, 50), percentile(&mut times, 99)];
    Ok(Measured { figures, cpu_us: Some(cpu) })
}

/// How long each round trip took, in microseconds.
async fn ask(mut socket: Socket, request: Vec<u8>, end: Instant) -> io::Result<Vec<u32>> {
    let mut times = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(times);
        }
        socket.say(&request).await?;
        socket.next().await?;
        times.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}
