//! The bot as a program of its own.

use std::process::ExitCode;

use argus_telegram_bot::program::{self, EXIT_SETTINGS};
use argus_telegram_bot::settings::Settings;
use clap::Parser;

fn main() -> ExitCode {
    match Settings::try_parse() {
        Ok(settings) => program::main_with(settings),
        Err(told) => {
            // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
            let _ = told.print();
            ExitCode::from(if told.use_stderr() { EXIT_SETTINGS } else { 0 })
        }
    }
}
