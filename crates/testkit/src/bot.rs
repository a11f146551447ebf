//! The Telegram bot as a process of its own, between a Bot API stand-in and a gateway.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::bot_api::BotApi;
use crate::gateway::Gateway;
use crate::programs;

/// The bot's process; it ends with this value.
pub struct Bot {
    environment: BTreeMap<OsString, OsString>,
    log: PathBuf,
    child: Option<Child>,
}

impl Bot {
    /// A bot that receives from `api` for `gateway`; not started yet.
    pub fn new(api: &BotApi, gateway: &Gateway) -> Self {
        let mut environment = programs::clean_environment();
        let settings: [(&str, OsString); 5] = [
            ("TELEGRAM_BOT_TOKEN", api.token().into()),
            ("TELEGRAM_API_URL", api.url().into()),
            ("ARGUS_GATEWAY_HTTP_URL", gateway.url().into()),
            ("ARGUS_TOKEN_FILE", gateway.home().join("gateway/token").into()),
            ("ARGUS_LOG", "info".into()),
        ];
        environment.extend(settings.map(|(name, value)| (name.into(), value)));
        Self { environment, log: gateway.home().join("bot.log"), child: None }
    }

    /// Changes a setting for the next start; an empty value takes it away.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        if value.as_ref().is_empty() {
            self.environment.remove(OsStr::new(name));
        } else {
            self.environment.insert(name.into(), value.as_ref().into());
        }
    }

    /// Starts the process.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log).expect("the test's own folder");
        let errors = log.try_clone().expect("a file can be shared");
        let mut command = Command::new(programs::program("argus-telegram-bot"));
        command.env_clear().envs(&self.environment).stdin(Stdio::null()).stdout(log).stderr(errors);
        self.child = Some(command.spawn().expect("the bot can be started"));
    }

    /// Its process id.
    ///
    /// # Panics
    /// While it is not started.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is started").id()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.kill();
    }
}
