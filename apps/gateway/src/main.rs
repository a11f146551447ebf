//! The gateway as a program of its own.

use std::io::Write as _;
use std::process::ExitCode;

use argus_gateway::app::App;
use argus_gateway::config::{Config, GatewayArgs};
use argus_gateway::{logging, shutdown};
use clap::Parser;

/// Sessions, chats and delivery: the Argus gateway.
#[derive(Parser)]
#[command(name = "argus-gateway", version)]
struct Cli {
    #[command(flatten)]
    settings: GatewayArgs,
}

/// The settings cannot be used (sysexits `EX_CONFIG` is 78; 64 is what this product documents).
const EXIT_SETTINGS: u8 = 64;

fn main() -> ExitCode {
    let settings = match Cli::try_parse() {
        Ok(cli) => cli.settings,
        Err(told) => {
            // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { EXIT_SETTINGS } else { 0 });
        }
    };
    let config = match Config::from_args(&settings) {
        Ok(config) => config,
        Err(mistakes) => return complain(&mistakes, EXIT_SETTINGS),
    };
    if let Err(error) = logging::start(&config.log, config.log_format) {
        return complain(&error, EXIT_SETTINGS);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error, 1),
    };
    runtime.block_on(async {
        match App::start(config).await {
            Ok(app) => {
                shutdown::requested().await;
                app.stop().await;
                ExitCode::SUCCESS
            }
            Err(error) => complain(&format!("{error:#}"), 1),
        }
    })
}

fn complain(what: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // When nobody reads this there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "argus-gateway: {what}");
    ExitCode::from(code)
}
