//! `cargo xtask bench`: builds the programs with optimisation and prints figures.

use std::process::ExitCode;

use crate::engine::{self, Engine, Optimised};
use crate::workspace;

/// What may be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum)]
    what: What,
    /// Fewer and shorter measurements.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// A Telegram message's way to the agent and back; memory; start.
    MainPath,
    /// Answers to twenty chats while Telegram refuses some: how soon they are taken, what is lost or doubled.
    Chats,
    /// Events told to sessions with a thousand jobs and 20,000 waiting events: how soon they are durable.
    Automation,
    /// A command on a node: one after the other, many at once; next to ssh and a bare start of a process.
    Nodes,
    /// A session in a container: new, woken, live; memory; images.
    Session,
    /// Clients of one session: ours next to a bare relay, and to the agent's own socket.
    Relay,
}

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> ExitCode {
    let (bench, engine) = match options.what {
        What::MainPath => ("main_path", None),
        What::Chats => ("chats", None),
        What::Automation => ("automation", None),
        What::Nodes => ("nodes", None),
        What::Relay => ("relay", None),
        What::Session => match prepared() {
            Ok(engine) => ("session", Some(engine)),
            Err(error) => {
                eprintln!("xtask: {error:#}");
                return ExitCode::FAILURE;
            }
        },
    };
    let programs = workspace::cargo(["build", "--release", "--workspace", "--bins"]);
    let mut measure = workspace::cargo(["bench", "--package", "argus-gateway", "--bench", bench]);
    if options.quick {
        measure.args(["--", "--quick"]);
    }
    if let What::Relay = options.what {
        match crate::codex::ensure() {
            Ok(binary) => _ = measure.env("ARGUS_TEST_CODEX", binary),
            Err(error) => eprintln!("xtask: nothing is measured with the real agent: {error:#}"),
        }
    }
    if let Some(engine) = &engine {
        measure.env("ARGUS_TEST_DOCKER", engine.url()).env("ARGUS_TEST_IMAGES", Optimised::Fully.tag());
    }
    for mut command in [programs, measure] {
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(_) => return ExitCode::FAILURE,
            Err(error) => {
                eprintln!("xtask: cargo cannot be started: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// An engine with the images as they are shipped.
fn prepared() -> anyhow::Result<Engine> {
    let engine = engine::ensure()?;
    engine.ensure_bases()?;
    for (name, mut build) in engine.image_builds(Optimised::Fully)? {
        println!("── {name}");
        anyhow::ensure!(build.status().is_ok_and(|status| status.success()), "the {name} cannot be built");
    }
    Ok(engine)
}
