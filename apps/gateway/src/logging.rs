//! The log: readable or as JSON, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// What these libraries say at their finest is what was said to clients, word for word: tokens that were made, codes.
const TELLTALES: [&str; 4] = ["jsonrpsee", "rmcp", "tungstenite", "tokio_tungstenite"];

/// Starts logging; a filter that cannot be read is an error in words.
pub fn start(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("ARGUS_LOG: {error}"))?;
    let all = filter.max_level_hint().is_none_or(|finest| finest == LevelFilter::TRACE);
    let discreet = all.then(|| {
        filter_fn(|about| {
            *about.level() != tracing::Level::TRACE
                || !TELLTALES.iter().any(|library| about.target().starts_with(library))
        })
    });
    // A line that cannot be written is lost, and nothing else: without this it would be complained of on standard error,
    // which panics when its reader has gone.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => {
            let readable = builder.with_target(false).with_ansi(std::io::stderr().is_terminal());
            readable.finish().with(discreet).init();
        }
        LogFormat::Json => builder.json().finish().with(discreet).init(),
    }
    Ok(())
}
