//! The bridge's flags and variables; the only place that reads the environment.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tracing::level_filters::LevelFilter;

use crate::{AgentCommand, Limits, Listen, Log, Settings};

/// Flags of the runtime bridge, each with its variable.
#[derive(Clone, Debug, clap::Args)]
pub struct BridgeArgs {
    /// Where gateways connect: `unix:/path` or `tcp:0.0.0.0:7777`.
    #[arg(long, env = "ARGUS_BRIDGE_LISTEN")]
    listen: Listen,
    /// SHA-256 of the gateway's secret, as 64 hex digits.
    #[arg(long, env = "ARGUS_BRIDGE_SECRET_SHA256", hide_env_values = true)]
    secret_sha256: String,
    /// The agent's command: shell words, but no shell runs it.
    #[arg(long, env = "APP_SERVER_CMD")]
    agent: AgentCommand,
    /// The agent's home folder.
    #[arg(long, env = "APP_HOME")]
    home: Option<PathBuf>,
    /// The agent's working folder, made if missing; `workspace` in the home folder unless named.
    #[arg(long, env = "APP_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// The session that this runtime is for.
    #[arg(long, env = "ARGUS_SESSION_ID")]
    session: Option<String>,
    /// The program that makes this runtime a node: `argus-node-host` beside this one, else this one itself.
    #[arg(long, env = "ARGUS_BRIDGE_NODE")]
    node: Option<PathBuf>,
    /// Gives the agent the home folder as its `HOME` (containers); otherwise it keeps the one it inherits.
    #[arg(long, env = "ARGUS_BRIDGE_SET_HOME", value_parser = clap::builder::FalseyValueParser::new())]
    set_home: bool,
    /// The longest line of either side, in bytes.
    #[arg(long, env = "ARGUS_JSONL_LINE_LIMIT_BYTES", default_value_t = Limits::default().line_bytes)]
    line_limit_bytes: usize,
    /// Where the log and the agent's error output go; standard error unless named.
    #[arg(long, env = "ARGUS_BRIDGE_LOG_FILE")]
    log_file: Option<PathBuf>,
    /// How much the bridge tells about itself: off, error, warn, info, debug or trace.
    #[arg(long, env = "ARGUS_BRIDGE_LOG_LEVEL", default_value_t = LevelFilter::INFO)]
    log_level: LevelFilter,
    /// Folder for kept lines beyond what memory may hold.
    #[arg(long, env = "ARGUS_BRIDGE_SPILL_DIR")]
    spill_dir: Option<PathBuf>,
    /// Seconds without a gateway and without a turn after which the bridge ends; 0 is never.
    #[arg(long, env = "ARGUS_BRIDGE_IDLE_EXIT", default_value_t = 600)]
    idle_exit: u64,
    /// Size at which the log is rotated, in bytes.
    #[arg(long, hide = true, default_value_t = 8 << 20)]
    log_limit_bytes: u64,
    /// Kept lines in memory, in bytes.
    #[arg(long, hide = true, default_value_t = Limits::default().memory_bytes)]
    keep_memory_bytes: usize,
    /// Kept lines on disk, in bytes.
    #[arg(long, hide = true, default_value_t = Limits::default().disk_bytes)]
    keep_disk_bytes: u64,
}

impl BridgeArgs {
    /// The bridge's own log level.
    pub(crate) fn log_level(&self) -> LevelFilter {
        self.log_level
    }

    /// Checks what the flags say together and opens the log.
    pub(crate) fn into_settings(self) -> anyhow::Result<Settings> {
        let fingerprint = self.secret_sha256.trim().to_ascii_lowercase();
        ensure!(
            fingerprint.len() == 64 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "`--secret-sha256` is not 64 hex digits"
        );
        ensure!(self.line_limit_bytes >= 1024, "`--line-limit-bytes` must be at least 1024");
        // An empty variable is one that was not set.
        let named = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        let home = named(self.home);
        ensure!(home.is_some() || !self.set_home, "`--set-home` needs `--home`");
        let workspace = named(self.workspace)
            .or_else(|| home.as_ref().map(|home| home.join("workspace")))
            .context("name the agent's folder with `--workspace` or `--home`")?;
        let log = match &named(self.log_file) {
            Some(path) => Log::file(path, self.log_limit_bytes)
                .with_context(|| format!("cannot open the log file `{}`", path.display()))?,
            None => Log::stderr(),
        };
        let new_home = home.clone().filter(|_| self.set_home);
        Ok(Settings {
            listen: self.listen,
            secret_fingerprint: fingerprint,
            agent: self.agent,
            environment: agent_environment(std::env::vars_os(), new_home),
            home,
            workspace,
            session: self.session.filter(|session| !session.is_empty()),
            node: node_program(named(self.node)),
            spill_dir: named(self.spill_dir),
            idle_exit: (self.idle_exit > 0).then(|| Duration::from_secs(self.idle_exit)),
            log,
            limits: Limits {
                line_bytes: self.line_limit_bytes,
                memory_bytes: self.keep_memory_bytes,
                disk_bytes: self.keep_disk_bytes,
            },
        })
    }
}

/// The program of a node: as named, beside us, or ourselves where we are the program that holds all others.
fn node_program(named: Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![named];
    }
    let Ok(own) = std::env::current_exe() else { return Vec::new() };
    let beside = own.with_file_name("argus-node-host");
    if beside.is_file() { vec![beside] } else { vec![own, "node-host".into()] }
}

/// Appends to the log named by the environment, where the settings as a whole cannot be read.
pub(crate) fn note_in_log(why: &str) {
    let path = std::env::var_os("ARGUS_BRIDGE_LOG_FILE").filter(|path| !path.is_empty());
    let Some(log) = path.and_then(|path| Log::file(Path::new(&path), 8 << 20).ok()) else { return };
    log.note(why);
}

/// What the agent sees of our environment: nothing that would let it speak as somebody else.
fn agent_environment(
    ours: impl Iterator<Item = (OsString, OsString)>,
    new_home: Option<PathBuf>,
) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<_> = ours.filter(|(name, _)| !is_private(name)).collect();
    if let Some(home) = new_home {
        environment.retain(|(name, _)| name != "HOME");
        environment.push(("HOME".into(), home.into()));
    }
    environment
}

fn is_private(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    // An address may carry the token in its query.
    let named: [&[u8]; 4] =
        [b"ARGUS_TOKEN", b"ARGUS_MCP_TOKEN", b"ARGUS_GATEWAY_WS_URL", b"NEXT_PUBLIC_ARGUS_WS_URL"];
    let ours: [&[u8]; 3] = [b"ARGUS_BRIDGE_", b"ARGUS_NODE_", b"TELEGRAM_"];
    named.contains(&name) || ours.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn the_agent_never_sees_what_is_ours() {
        let ours = pairs(&[
            ("PATH", "/bin"),
            ("HOME", "/home/u"),
            ("ARGUS_TOKEN", "t"),
            ("ARGUS_MCP_TOKEN", "m"),
            ("ARGUS_NODE_TOKEN", "n"),
            ("ARGUS_NODE_WS_URL", "ws://h/nodes/ws?token=n"),
            ("ARGUS_BRIDGE_SECRET_SHA256", "x"),
            ("TELEGRAM_BOT_TOKEN", "b"),
            ("ARGUS_GATEWAY_WS_URL", "ws://h/ws?token=t"),
            ("NEXT_PUBLIC_ARGUS_WS_URL", "ws://h/ws?token=t"),
        ]);
        assert_eq!(
            agent_environment(ours.clone().into_iter(), None),
            pairs(&[("PATH", "/bin"), ("HOME", "/home/u")])
        );
        assert_eq!(
            agent_environment(ours.into_iter(), Some("/root/.argus".into())),
            pairs(&[("PATH", "/bin"), ("HOME", "/root/.argus")])
        );
    }
}
