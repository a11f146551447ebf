//! The bot as a program of its own: settings in, signals in, exit code out.

use std::process::ExitCode;

use anyhow::Context;
use argus_telegram_bot::settings::Settings;
use clap::Parser;
use clap::error::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// `EX_USAGE` of sysexits.h: the settings are wrong, and starting again will not help.
const USAGE: u8 = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match Settings::try_parse() {
        Ok(settings) => settings,
        Err(error) => {
            // When even this cannot be printed there is nobody to tell.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    let filter = settings.log_filter();
    let config = match settings.resolve() {
        Ok(config) => config,
        Err(wrong) => {
            for sentence in wrong {
                eprintln!("argus-telegram-bot: {sentence}");
            }
            return ExitCode::from(USAGE);
        }
    };
    // A filter that cannot be read is among the mistakes already told.
    let filter = filter.unwrap_or_default();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let stop = CancellationToken::new();
    let outcome = async {
        let asked = asked_to_stop()?;
        tokio::select! {
            outcome = argus_telegram_bot::run(config, stop.clone()) => outcome,
            () = asked => {
                tracing::info!("asked to stop; what is not handed over comes again at the next start");
                Ok(())
            }
        }
    };
    match outcome.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
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
