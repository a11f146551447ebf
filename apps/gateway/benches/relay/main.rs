//! The relay in numbers: `cargo xtask bench relay`.
//!
//! Ours next to a bare relay of TCP lines to WebSocket clients, measured by turns in the same run. Nothing is asserted.

#![expect(clippy::cast_precision_loss, reason = "a figure needs three digits")]

mod bare;
mod codex;
mod crowd;
mod echo;
mod figures;
mod flood;
mod model;
mod paced;
mod process;
mod relays;
mod socket;
mod upstream;

use std::io;
use std::time::Duration;

use figures::{Measured, Row};
use relays::Relay;

/// How long, how often.
struct Extent {
    /// Measurements of each row and relay.
    rounds: usize,
    /// Of one measurement by time.
    time: Duration,
    /// Bytes of all frames of a flood, as a client receives them.
    flood: usize,
}

const WHOLE: Extent = Extent { rounds: 5, time: Duration::from_secs(1), flood: 1200 << 20 };
const QUICK: Extent = Extent { rounds: 3, time: Duration::from_millis(300), flood: 300 << 20 };

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--bare") {
        let upstream = arguments.get(at + 1).and_then(|address| address.parse().ok());
        return bare::serve(upstream.expect("the benchmark names the upstream's address")).await;
    }
    let extent = if arguments.iter().any(|argument| argument == "--quick") { QUICK } else { WHOLE };
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    let wanted = |what: &str| only.is_none_or(|only| what.contains(only.as_str()));

    figures::head();
    if wanted("memory") {
        memory().await?;
    }
    let (ours, bare) = (Relay::ours().await?, Relay::bare().await?);
    for (size, bytes) in [("100 B", 100), ("16 KiB", 16 << 10)] {
        for clients in [1, 16, 64] {
            let row = Row { what: format!("echo, {clients} clients, {size}"), figures: echo::FIGURES };
            if wanted(&row.what) {
                by_turns(&extent, &row, [&ours, &bare], async |relay| {
                    echo::measure(relay, clients, bytes, extent.time).await
                })
                .await;
            }
        }
    }
    for (size, bytes) in [("200 B", 200), ("4 KiB", 4096)] {
        for clients in [1, 10, 100] {
            let row = Row { what: format!("flood, {clients} clients, {size}"), figures: flood::FIGURES };
            let frames = extent.flood / (bytes + 800) / clients.max(4) * 4;
            if wanted(&row.what) {
                by_turns(&extent, &row, [&ours, &bare], async |relay| {
                    flood::measure(relay, clients, bytes, frames as u64).await
                })
                .await;
            }
        }
    }
    for clients in [1, 10, 100] {
        let row = Row { what: format!("500 frames/s to {clients} clients, 200 B"), figures: paced::FIGURES };
        if wanted(&row.what) {
            by_turns(&extent, &row, [&ours, &bare], async |relay| {
                paced::measure(relay, clients, 200, extent.time * 2).await
            })
            .await;
        }
    }
    for deltas in [10_000, 40_000, 80_000] {
        let row = Row { what: format!("a turn of {deltas} deltas"), figures: flood::TURN_FIGURES };
        if wanted(&row.what) {
            by_turns(&extent, &row, [&ours, &bare], async |relay| flood::turn(relay, deltas).await).await;
        }
    }
    let row = Row { what: "500 connections at once".to_owned(), figures: crowd::STORM_FIGURES };
    if wanted(&row.what) {
        by_turns(&extent, &row, [&ours, &bare], async |relay| crowd::storm(relay, 500).await).await;
    }
    let row = Row { what: "500 frames/s of 16 KiB to 10 clients".to_owned(), figures: paced::FIGURES };
    if wanted(&row.what) {
        by_turns(&extent, &row, [&ours, &bare], async |relay| {
            paced::measure(relay, 10, 16 << 10, extent.time * 2).await
        })
        .await;
        let row = Row { what: "the same beside one that never reads".to_owned(), figures: paced::FIGURES };
        by_turns(&extent, &row, [&ours, &bare], async |relay| {
            paced::beside_a_silent_one(relay, 10, 16 << 10, extent.time * 2).await
        })
        .await;
    }
    if wanted("codex") {
        drop((ours, bare));
        agent(&extent).await?;
    }
    Ok(())
}

/// The real agent: the yardstick is its own socket.
async fn agent(extent: &Extent) -> io::Result<()> {
    let row = Row {
        what: "codex, 500 deltas/s (instead of bare: its own socket)".to_owned(),
        figures: codex::FIGURES,
    };
    let Some(mut agents) = codex::Agents::start().await? else {
        println!("| {} | not measured: no codex | | | | | |", row.what);
        return Ok(());
    };
    // The first turn of each is for what is only done once.
    agents.measure(50).await?;
    let (mut ours, mut own) = (Vec::new(), Vec::new());
    for _ in 0..extent.rounds {
        let [through_us, by_itself] =
            agents.measure(u32::try_from(extent.time.as_millis()).unwrap_or(1000)).await?;
        ours.push(through_us);
        own.push(by_itself);
    }
    row.print(&ours, &own);
    Ok(())
}

/// Measures both by turns and prints the medians; an error where one of them did not come through.
async fn by_turns(
    extent: &Extent,
    row: &Row,
    [ours, bare]: [&Relay; 2],
    measure: impl AsyncFn(&Relay) -> io::Result<Measured>,
) {
    let mut measured = [Vec::new(), Vec::new()];
    for _ in 0..extent.rounds {
        for (relay, measured) in [ours, bare].into_iter().zip(&mut measured) {
            match measure(relay).await {
                Ok(one) => measured.push(one),
                Err(error) => println!("| {} | failed: {error} | | | | | |", row.what),
            }
        }
    }
    row.print(&measured[0], &measured[1]);
}

/// Memory is that of processes that have done nothing else.
async fn memory() -> io::Result<()> {
    let row = Row { what: "resident memory, idle clients".to_owned(), figures: crowd::MEMORY_FIGURES };
    let ours = crowd::memory(&Relay::ours().await?).await?;
    let bare = crowd::memory(&Relay::bare().await?).await?;
    row.print(&[ours], &[bare]);
    Ok(())
}
