//! Signals: the first asks to stop, a second one forces.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGINT or SIGTERM. After it returned, the next one ends the process at once.
pub async fn requested() {
    next_signal().await;
    tokio::spawn(async {
        next_signal().await;
        tracing::warn!("a second signal: the gateway ends at once");
        std::process::exit(130);
    });
}

async fn next_signal() {
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}
