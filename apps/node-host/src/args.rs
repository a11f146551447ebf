//! The node's flags and variables; the only place that reads the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use crate::policy::Action;
use crate::settings::Settings;
use crate::surroundings::Surroundings;

/// Flags of the node, each with its variable.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NodeHostArgs {
    /// The gateway's door for nodes: `wss://host/nodes/ws`; without it the one that this machine is enrolled with.
    #[arg(long, env = "ARGUS_NODE_WS_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The node's id; without it the one that this machine is enrolled as, else made of the host's name.
    #[arg(long, env = "ARGUS_NODE_ID")]
    pub(crate) node_id: Option<String>,
    /// What people call this machine; the host's name unless given.
    #[arg(long, env = "ARGUS_NODE_DISPLAY_NAME")]
    pub(crate) display_name: Option<String>,
    /// A file whose first line is the token.
    #[arg(long, env = "ARGUS_NODE_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The token. Others on this machine can read it here: a file or the variable `ARGUS_NODE_TOKEN` is better.
    #[arg(long, conflicts_with = "token_file")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    /// The session for which jobs run of which nobody says for whom.
    #[arg(long, env = "ARGUS_SESSION_ID", hide = true)]
    pub(crate) session_id: Option<String>,
    /// End when standard input does: for whoever starts the node and may be killed.
    #[arg(long, hide = true)]
    pub(crate) end_with_input: bool,
    /// How much the node tells about itself: off, error, warn, info, debug or trace.
    #[arg(long, env = "ARGUS_NODE_LOG_LEVEL")]
    pub(crate) log_level: Option<LevelFilter>,
}

/// Where the node keeps what it keeps.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// Folder of this node's jobs and credential; `~/.argus/node-host` unless given, jobs in a folder below it.
    #[arg(long, env = "ARGUS_NODE_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// What the owner lets be done.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RulesArgs {
    /// The owner's rules; `policy.toml` beside the credential unless named, and without any the owner is asked.
    #[arg(long, env = "ARGUS_NODE_POLICY", value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// What is done about a call of which the rules say nothing: allow, ask or deny.
    #[arg(long, env = "ARGUS_NODE_MODE", value_parser = mode)]
    pub(crate) mode: Option<Action>,
    /// Let everything be done and read no rules: for a machine that is walled in otherwise.
    #[arg(
        long,
        env = "ARGUS_NODE_ALLOW_ALL",
        value_parser = yes_or_no,
        num_args = 0..=1,
        require_equals = true,
        default_value = "0",
        default_missing_value = "1",
        hide_default_value = true,
        value_name = "0|1"
    )]
    pub(crate) allow_all: bool,
}

/// Anything but a plain yes or no is a mistake: what is meant here opens the whole machine.
fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err("it is 1 or 0".to_owned()),
    }
}

fn mode(text: &str) -> Result<Action, String> {
    match text {
        "allow" => Ok(Action::Allow),
        "ask" => Ok(Action::Ask),
        "deny" => Ok(Action::Deny),
        _ => Err("it is `allow`, `ask` or `deny`".to_owned()),
    }
}

/// What enrolment takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EnrolArgs {
    /// The gateway's door for nodes: `wss://host/nodes/ws`.
    #[arg(long, env = "ARGUS_NODE_WS_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The id that this machine would like; made of the host's name unless given. One that the gateway's operator chose wins.
    #[arg(long, env = "ARGUS_NODE_ID")]
    pub(crate) node_id: Option<String>,
    /// What people call this machine; the host's name unless given.
    #[arg(long, env = "ARGUS_NODE_DISPLAY_NAME")]
    pub(crate) display_name: Option<String>,
    /// The code that `argus node enrol` printed; read from standard input unless given. It works once.
    #[arg(long, env = "ARGUS_NODE_CODE", hide_env_values = true)]
    pub(crate) code: Option<String>,
    /// Take the place of what this machine is enrolled as already.
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What installing takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Flags with which the node is to be started each time; no token.
    #[arg(last = true, value_name = "FLAGS")]
    pub(crate) flags: Vec<String>,
}

/// What uninstalling takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Remove this machine's credential too.
    #[arg(long)]
    pub(crate) forget: bool,
}

/// Whether to ask.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Consent {
    /// Do it without asking.
    #[arg(long, short, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl NodeHostArgs {
    /// The node's own log level.
    pub(crate) fn log_level(&self) -> LevelFilter {
        self.log_level.unwrap_or(LevelFilter::INFO)
    }

    /// Checks what flags, variables and the stored credential say together.
    pub(crate) fn into_settings(self) -> Result<Settings, Mistakes> {
        Settings::check(self, &surroundings())
    }
}

/// What the environment and the system say beside the flags. An empty variable is one that was not set.
pub(crate) fn surroundings() -> Surroundings {
    let variable = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Surroundings {
        token: variable("ARGUS_NODE_TOKEN").map(|token| token.to_string_lossy().into_owned()),
        app_home: variable("APP_HOME").map(PathBuf::from),
        home: variable("HOME").map(PathBuf::from),
        host,
    }
}

/// All that is wrong with flags and variables.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub(crate) Vec<String>);
