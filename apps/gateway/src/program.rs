//! The gateway as a program: settings, log, what runs until a signal, exit code.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::app::App;
use crate::config::{Config, GatewayArgs};
use crate::logging;
use crate::shutdown;

/// The exit code when the settings or the command line cannot be used.
pub const EXIT_SETTINGS: u8 = 64;

/// The descriptors we ask for.
const DESCRIPTORS: u64 = 8192;

/// Serves until a signal asks to stop. `name` stands before what goes wrong.
pub fn main_with(name: &str, settings: &GatewayArgs) -> ExitCode {
    run(name, settings, async |config| {
        let has_telegram = config.telegram.is_some();
        let app = App::start(config).await?;
        if has_telegram {
            tell_pairing(&app).await;
        }
        shutdown::requested().await;
        app.stop().await;
        Ok(())
    })
}

/// Checks the settings, starts the log and a runtime, and does `deed` in it. `name` stands before what goes wrong.
pub fn run(
    name: &str,
    settings: &GatewayArgs,
    deed: impl AsyncFnOnce(Config) -> anyhow::Result<()>,
) -> ExitCode {
    let config = match Config::from_args(settings) {
        Ok(config) => config,
        Err(mistakes) => return complain(name, &mistakes, EXIT_SETTINGS),
    };
    if let Err(error) = logging::start(&config.log, config.log_format) {
        return complain(name, &error, EXIT_SETTINGS);
    }
    make_room_for_connections();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(name, &error, 1),
    };
    match runtime.block_on(deed(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(name, &format!("{error:#}"), 1),
    }
}

/// A thousand clients are more than the descriptors a process usually begins with. Not as many as might be had: what we
/// start inherits the number, and some programs walk through all of them.
fn make_room_for_connections() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if limit.current.is_some_and(|now| now < most) {
        // Without it there is room for fewer.
        _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
    }
}

/// While nobody is paired the code is in the log: whoever can read that runs this gateway.
async fn tell_pairing(app: &App) {
    match app.chats.pairing_code().await {
        Ok(code) if code.paired == 0 => {
            tracing::info!("nobody is paired yet: send `/start {}` to the bot", code.code);
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "there is no pairing code"),
    }
}

fn complain(name: &str, what: &dyn Display, code: u8) -> ExitCode {
    // When nobody reads this there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{name}: {what}");
    ExitCode::from(code)
}
