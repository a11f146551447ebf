//! `cargo xtask bench`: builds the programs with optimisation and prints figures.

use std::process::ExitCode;

use crate::workspace;

/// What may be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// A Telegram message's way to the agent and back; memory; start.
    MainPath,
}

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> ExitCode {
    let bench = match options.what {
        What::MainPath => "main_path",
    };
    let programs = workspace::cargo(["build", "--release", "--workspace", "--bins"]);
    let measure = workspace::cargo(["bench", "--package", "argus-gateway", "--bench", bench]);
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
