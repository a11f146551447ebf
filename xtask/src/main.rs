//! `cargo xtask`: the commands of the README, each doing all its set-up.

mod bench;
mod clients;
mod codex;
mod debian;
mod engine;
mod fuzz;
mod licences;
mod skips;
mod step;
mod tally;
mod test;
mod tools;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, starts and tests Argus, with all the set-up this needs")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds Argus and starts it (`argus up`) on this machine.
    Up(up::Options),
    /// Prints figures, built with optimisation; nothing is asserted.
    Bench(bench::Options),
    /// Gives every reader of what others wrote made-up input, and prints what came of it.
    Fuzz(fuzz::Options),
    /// Runs every check: format, lints, tests, docs, licences.
    Test(test::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Up(options) => {
            let Err(error) = up::run(options);
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
