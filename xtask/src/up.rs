//! `cargo xtask up`: builds `argus` and its bridge, finds a Codex, and becomes `argus up`.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};

use crate::{codex, workspace};

/// What may be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Optimised build: smaller and faster, but built in minutes instead of one.
    #[arg(long)]
    release: bool,
    /// Everything else goes to `argus up` (`cargo xtask up -- --help` lists it).
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds, then hands the process over; returns only when something failed.
pub(crate) fn run(options: Options) -> anyhow::Result<Infallible> {
    // The debug build is the default: a first answer within minutes is worth more than its speed, which nobody
    // notices beside a model.
    let (profile, folder) = if options.release { ("release", "release") } else { ("dev", "debug") };
    let status = workspace::cargo(["build", "--profile", profile])
        .args(["--package", "argus", "--package", "argus-runtime-bridge"])
        .status()
        .context("`cargo build` cannot be started")?;
    if !status.success() {
        bail!("the build failed; its messages are above");
    }
    let mut argus = Command::new(workspace::target()?.join(folder).join("argus"));
    argus.arg("up").args(options.arguments);
    if let Some(agent) = agent() {
        argus.env("ARGUS_RUNTIME_CMD", agent);
    }
    Err(argus.exec()).context("`argus` cannot be started")
}

/// The agent's command where the person has none of their own; without one `argus up` starts all the same and says
/// what is missing.
fn agent() -> Option<String> {
    let chosen = std::env::var("ARGUS_RUNTIME_CMD").is_ok_and(|command| !command.trim().is_empty());
    if chosen || workspace::on_path("codex").is_some() {
        return None;
    }
    match codex::ensure() {
        Ok(binary) => Some(format!("{} app-server", shell_words::quote(&binary.to_string_lossy()))),
        Err(error) => {
            println!("── no Codex: {error:#}");
            None
        }
    }
}
