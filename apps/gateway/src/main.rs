//! The gateway as a program of its own.

use std::process::ExitCode;

use argus_gateway::config::GatewayArgs;
use argus_gateway::program::{self, EXIT_SETTINGS};
use clap::Parser;

/// Sessions, chats and delivery: the Argus gateway.
#[derive(Parser)]
#[command(name = "argus-gateway", version)]
struct Cli {
    #[command(flatten)]
    settings: GatewayArgs,
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => program::main_with("argus-gateway", &cli.settings),
        Err(told) => {
            // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
            let _ = told.print();
            ExitCode::from(if told.use_stderr() { EXIT_SETTINGS } else { 0 })
        }
    }
}
