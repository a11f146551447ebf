//! The bridge as a program: log, signals, exit code.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

use crate::{BridgeArgs, Log, Settings, serve};

/// What `sysexits.h` calls a mistake in the usage.
const USAGE: u8 = 64;

/// Runs a bridge as the whole work of this process, on a small runtime of its own.
pub fn main_with(args: BridgeArgs) -> ExitCode {
    let level = args.log_level();
    let settings = match args.into_settings() {
        Ok(settings) => settings,
        Err(error) => {
            let why = format!("argus-runtime-bridge: {error:#}");
            eprintln!("{why}");
            crate::args::note_in_log(&why);
            return ExitCode::from(USAGE);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(run_with(settings, level))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("argus-runtime-bridge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What to answer when flags or variables cannot be read: it is printed, and noted in the log, since nobody may see what
/// a bridge prints.
pub fn misread(told: &clap::Error) -> ExitCode {
    // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
    let _ = told.print();
    if !told.use_stderr() {
        return ExitCode::SUCCESS;
    }
    crate::args::note_in_log(&told.to_string());
    ExitCode::from(USAGE)
}

/// Runs a bridge as the whole work of this process: installs the log, hides the memory, and ends at SIGTERM or SIGINT;
/// a second one ends it at once.
pub async fn run(args: BridgeArgs) -> anyhow::Result<()> {
    let level = args.log_level();
    run_with(args.into_settings()?, level).await
}

async fn run_with(settings: Settings, level: LevelFilter) -> anyhow::Result<()> {
    log_to(&settings, level);
    let ended = serve_until_signal(settings).await;
    if let Err(error) = &ended {
        tracing::error!("{error:#}");
    }
    ended
}

async fn serve_until_signal(settings: Settings) -> anyhow::Result<()> {
    hide_memory();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let shutdown = CancellationToken::new();
    let mut served = std::pin::pin!(serve(settings, shutdown.clone()));
    loop {
        tokio::select! {
            ended = &mut served => return ended,
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if shutdown.is_cancelled() {
            tracing::warn!("told to end twice; ending at once");
            return Ok(());
        }
        shutdown.cancel();
    }
}

fn log_to(settings: &Settings, level: LevelFilter) {
    let log: Log = settings.log.clone();
    // A program that embeds us may have a log already.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .with_writer(log)
        .try_init();
}

/// The agent may run as the same user: it shall not read out of our memory what a gateway said in its hello.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "cannot keep the agent from reading this process's memory");
    }
}
