//! The bridge as a program of its own, for containers.

use std::process::ExitCode;

use argus_runtime_bridge::BridgeArgs;
use clap::Parser as _;

/// Turns an agent's stdio into a numbered, replayable link.
#[derive(clap::Parser)]
#[command(name = "argus-runtime-bridge", version)]
struct Program {
    #[command(flatten)]
    args: BridgeArgs,
}

fn main() -> ExitCode {
    match Program::try_parse() {
        Ok(program) => argus_runtime_bridge::main_with(program.args),
        Err(told) => argus_runtime_bridge::misread(&told),
    }
}
