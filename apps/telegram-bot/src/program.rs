//! The bot as a program: settings in, signals in, exit code out.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::BotConfig;
use crate::settings::Settings;

/// The exit code when the settings or the command line cannot be used: starting again will not help.
pub const EXIT_SETTINGS: u8 = 64;

/// Receives until a signal asks to stop, on a small runtime of its own.
pub fn main_with(settings: Settings) -> ExitCode {
    let filter = settings.log_filter();
    let config = match settings.resolve() {
        Ok(config) => config,
        Err(wrong) => {
            for sentence in wrong {
                eprintln!("argus-telegram-bot: {sentence}");
            }
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    // A filter that cannot be read is among the mistakes already told.
    let filter = filter.unwrap_or_default();
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(run(config))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: BotConfig) -> anyhow::Result<()> {
    let asked = asked_to_stop()?;
    tokio::select! {
        outcome = crate::run(config, CancellationToken::new()) => outcome,
        () = asked => {
            tracing::info!("asked to stop; what is not handed over comes again at the next start");
            Ok(())
        }
    }
}

/// Ends at the first SIGTERM or SIGINT.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
