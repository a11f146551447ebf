//! The node as a program: its deeds, log, signals, exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use argus_protocol::node::Connect;
use clap::{Args, Subcommand};
use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{EnrolArgs, InstallArgs, Mistakes, NodeHostArgs, UninstallArgs};
use crate::asking::InChat;
use crate::audit::Audit;
use crate::host::Host;
use crate::install::{self, Invocation};
use crate::jobs::{Jobs, JobsConfig};
use crate::link::{self, LinkConfig, Pace, Questions};
use crate::policy::{self, Asks, Gate, Policy, Terminal};
use crate::settings::Settings;

/// What `sysexits.h` calls a mistake in the usage.
const USAGE: u8 = 64;

/// How long jobs may take to be let go.
const STOP: Duration = Duration::from_secs(3);

/// How long what is on its way to a disk may take once everything else has ended.
const LAST: Duration = Duration::from_secs(1);

/// Threads that wait for disks at once: more than files and policies may have that hang. More work waits for its turn, and so
/// do the calls that make it.
const MOST_THREADS: usize = 48;

/// What signals have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    End,
}

/// The whole program, so that another one can have it as a subcommand.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct NodeHost {
    #[command(flatten)]
    run: NodeHostArgs,
    #[command(subcommand)]
    deed: Option<Deed>,
}

/// What else the program does than run.
#[derive(Clone, Debug, Subcommand)]
pub enum Deed {
    /// Make this machine a node of a gateway, with a code of its operator
    Enrol(Box<EnrolArgs>),
    /// Have the node started with this user's session, after showing how
    Install(InstallArgs),
    /// Take that back
    Uninstall(UninstallArgs),
}

/// Does what the program was called for; `invocation` is how it is called.
pub fn main_with(program: NodeHost, invocation: &Invocation) -> ExitCode {
    match program.deed {
        None => run(program.run),
        Some(Deed::Enrol(args)) => enrol(*args, invocation),
        Some(Deed::Install(args)) => ended(install::install(&args, invocation)),
        Some(Deed::Uninstall(args)) => ended(install::uninstall(&args)),
    }
}

/// What to answer when flags or variables cannot be read.
pub fn misread(told: &clap::Error) -> ExitCode {
    // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
    let _ = told.print();
    if told.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

/// Runs the node as the whole work of this process, on a small runtime of its own.
pub fn run(args: NodeHostArgs) -> ExitCode {
    log(args.log_level());
    hide_memory();
    let settings = match args.into_settings() {
        Ok(settings) => settings,
        Err(mistakes) => return failed(&mistakes.into()),
    };
    ended(small_runtime().and_then(|runtime| {
        let end = runtime.block_on(serve(settings));
        // Whoever reads standard input is not waited for: it may never end.
        runtime.shutdown_timeout(LAST);
        end
    }))
}

/// Enrols this machine, and says what to do next.
pub fn enrol(args: EnrolArgs, invocation: &Invocation) -> ExitCode {
    hide_memory();
    let place = args.place.state_dir.as_ref().map_or_else(String::new, |dir| {
        format!(" --state-dir '{}'", dir.display().to_string().replace('\'', "'\\''"))
    });
    let enrolled = small_runtime().and_then(|runtime| runtime.block_on(crate::enrol::enrol(args)));
    ended(enrolled.map(|enrolled| {
        for warning in &enrolled.warnings {
            eprintln!("argus-node-host: {warning}");
        }
        println!("This machine is node `{}` now.", enrolled.node_id);
        println!("Its credential is in `{}`, for this user alone.", enrolled.path.display());
        println!(
            "Start it with `{invocation}{place}`, or with this user's session: `{invocation} install{place}`."
        );
    }))
}

fn ended(end: anyhow::Result<()>) -> ExitCode {
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    for line in format!("{error:#}").lines() {
        eprintln!("argus-node-host: {line}");
    }
    if error.is::<Mistakes>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}

fn small_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(MOST_THREADS).build();
    runtime.context("cannot start the runtime")
}

/// Keeps a node until SIGTERM or SIGINT; a second one ends it at once.
async fn serve(settings: Settings) -> anyhow::Result<()> {
    let _claim = settings.claim()?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let stop = CancellationToken::new();
    let questions = Questions::default();
    let (host, jobs) = host(&settings, &questions)?;
    let config = LinkConfig {
        address: settings.address,
        token: settings.token,
        connect: Connect {
            node_id: settings.node_id,
            display_name: Some(settings.display_name),
            platform: Some(std::env::consts::OS.to_owned()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Connect::default()
        },
        pace: Pace::default(),
    };
    let mut served = std::pin::pin!(link::serve(config, host, questions, stop.clone()));
    // It ends once, and is looked at again after that.
    let mut input_ends = std::pin::pin!(input_ends(settings.end_with_input).fuse());
    let mut told_to = Told::Nothing;
    loop {
        tokio::select! {
            () = &mut served => return Ok(()),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = &mut input_ends => {}
        }
        if told_to == Told::End {
            tracing::warn!("told to end twice; ending at once");
            return Ok(());
        }
        told_to = Told::End;
        tracing::info!(
            "told to end; jobs go on, and are looked after again when this program is started anew"
        );
        // Calls that wait for a job are answered with that first, while there is a link.
        let (jobs, stop) = (jobs.clone(), stop.clone());
        tokio::spawn(async move {
            if tokio::time::timeout(STOP, jobs.stop()).await.is_err() {
                tracing::warn!("some job is still being looked after");
            }
            stop.cancel();
        });
    }
}

/// Waits for the end of standard input, where that is an order to end.
async fn input_ends(counts: bool) {
    if counts {
        let mut input = tokio::io::stdin();
        // What is said there means nothing.
        if tokio::io::copy(&mut input, &mut tokio::io::sink()).await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// All that can be done on this machine, and the jobs among it.
fn host(settings: &Settings, questions: &Questions) -> anyhow::Result<(Arc<Host>, Jobs)> {
    let mut process = policy::Host::of_process();
    process.closed.push(settings.root.clone());
    process.closed.push(settings.state.clone());
    let policy = Policy::open(settings.rules.clone(), settings.mode, process);
    let state = &settings.state;
    let audit = Audit::open(state);
    let audit = audit.with_context(|| format!("cannot open the audit in `{}`", state.display()))?;
    let jobs = JobsConfig::new(state, settings.node_id.clone()).and_then(Jobs::open);
    let jobs = jobs.with_context(|| format!("cannot open the jobs in `{}`", state.display()))?;
    let mut places: Vec<Arc<dyn Asks>> = vec![Arc::new(InChat::new(questions.clone()))];
    if let Some(terminal) = Terminal::of_process() {
        places.push(Arc::new(terminal));
    }
    let gate = Gate::new(policy.clone(), audit, places);
    Ok((Arc::new(Host::new(policy, gate, jobs.clone(), settings.session_id.clone())), jobs))
}

/// What libraries say at their finest is what was said to the gateway, word for word, with the token.
fn log(level: LevelFilter) {
    let discreet = Targets::new().with_target("argus", level).with_default(level.min(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    // A program that embeds us may have a log already.
    let _ = tracing_subscriber::registry().with(lines).with(discreet).try_init();
}

/// What this process starts may run as the same user: it shall not read the token out of our memory.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "cannot keep other programs from reading this process's memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Other {
        #[command(subcommand)]
        deed: Within,
    }

    #[derive(Subcommand)]
    enum Within {
        NodeHost(Box<NodeHost>),
    }

    fn read(words: &[&str]) -> Result<NodeHost, clap::Error> {
        let Within::NodeHost(node) = Other::try_parse_from([&["argus", "node-host"], words].concat())?.deed;
        Ok(*node)
    }

    #[test]
    fn another_program_can_have_the_node_as_a_subcommand() {
        let node = read(&["--allow-all", "--node-id", "n"]).unwrap();
        assert_eq!((node.run.node_id.as_deref(), node.deed.is_none()), (Some("n"), true));
        let node = read(&["enrol", "--url", "wss://h"]).unwrap();
        assert!(matches!(node.deed, Some(Deed::Enrol(args)) if args.url.as_deref() == Some("wss://h")));
        let node = read(&["install", "--yes", "--", "--mode", "ask"]).unwrap();
        assert!(matches!(node.deed, Some(Deed::Install(args)) if args.flags == ["--mode", "ask"]));
        // What would be ignored is refused.
        assert!(read(&["--allow-all", "install"]).is_err());
    }
}
