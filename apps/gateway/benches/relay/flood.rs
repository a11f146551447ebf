//! Frames for everybody, as fast as everybody takes them; and one long turn.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::figures::Measured;
use crate::process::cpu_us;
use crate::relays::Relay;
use crate::socket::{Progress, frame};

/// The figure of a flood.
pub(crate) const FIGURES: &[&str] = &["frames/s in all"];
/// The figures of a turn.
pub(crate) const TURN_FIGURES: &[&str] = &["ms", "µs a delta"];

/// That many frames of that size to that many clients.
pub(crate) async fn measure(relay: &Relay, clients: usize, size: usize, frames: u64) -> io::Result<Measured> {
    let sockets = relay.clients(clients).await?;
    let more = Arc::new(Notify::new());
    let progress: Vec<Arc<Progress>> = sockets.iter().map(|_| Arc::default()).collect();
    let (cpu, began) = (cpu_us(relay.pid), Instant::now());
    let skimming = sockets.into_iter().zip(&progress).map(|(mut socket, progress)| {
        let (progress, more) = (progress.clone(), more.clone());
        tokio::spawn(async move { socket.skim(frames, &progress, &more).await })
    });
    let skimming: Vec<_> = skimming.collect();
    tokio::select! {
        () = relay.upstream.flood(frames, size, &progress, &more) => {}
        // Only a client that is let go ends before everything was said.
        gone = failed(&progress, frames) => return Err(gone),
    }
    for skimmed in skimming {
        skimmed.await.map_err(io::Error::other)??;
    }
    let (delivered, took) = (frames as f64 * clients as f64, began.elapsed().as_secs_f64());
    let cpu = (cpu_us(relay.pid) - cpu) / delivered;
    Ok(Measured { figures: vec![delivered / took], cpu_us: Some(cpu) })
}

/// An error once nothing was received for long.
async fn failed(progress: &[Arc<Progress>], frames: u64) -> io::Error {
    let received = || -> Vec<u64> {
        progress.iter().map(|one| one.frames.load(std::sync::atomic::Ordering::Relaxed)).collect()
    };
    loop {
        let before = received();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let now = received();
        if now == before {
            return io::Error::other(format!(
                "clients received {now:?} of {frames} frames, and no more came"
            ));
        }
    }
}

/// A turn that says so many pieces of text, from its request to its end.
pub(crate) async fn turn(relay: &Relay, deltas: u64) -> io::Result<Measured> {
    let mut socket = relay.client().await?;
    let request = frame(
        r#"{"id":7,"method":"turn/start","params":{"threadId":"t-1","input":[{"type":"text","text":"go"}]}}"#,
    );
    let (progress, more) = (Arc::default(), Notify::new());
    let (cpu, began) = (cpu_us(relay.pid), Instant::now());
    socket.say(&request).await?;
    // The reply, the turn's beginning and its end beside the deltas.
    let heard = socket.skim(deltas + 3, &progress, &more);
    let ((), heard) = tokio::join!(relay.upstream.turn(deltas, &progress, &more), heard);
    heard?;
    let took = began.elapsed().as_secs_f64();
    let cpu = (cpu_us(relay.pid) - cpu) / deltas as f64;
    Ok(Measured { figures: vec![took * 1e3, took * 1e6 / deltas as f64], cpu_us: Some(cpu) })
}
