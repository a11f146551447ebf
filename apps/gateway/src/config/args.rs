//! Every setting of the gateway, as a flag and as a variable, still as text.

use clap::Args;

use super::{AutomationArgs, DockerArgs, NodesArgs, TelegramArgs, UpstreamArgs};

/// Settings. A flag wins over its variable; an empty text counts as unset.
#[derive(Args, Clone, Default)]
pub struct GatewayArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "ARGUS_BIND", value_name = "ADDR:PORT")]
    pub bind: Option<String>,
    /// Folder of everything Argus keeps [default: ~/.argus]
    #[arg(long, env = "ARGUS_HOME", value_name = "DIR")]
    pub home: Option<String>,
    /// The operator's token.
    #[arg(
        long,
        env = "ARGUS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help = "The operator's token; without it one is made and kept in <home>/gateway/token"
    )]
    pub token: Option<String>,
    /// The file that keeps the operator's token.
    #[arg(
        long,
        env = "ARGUS_TOKEN_FILE",
        value_name = "FILE",
        help = "The file that keeps the operator's token, made at the first start [default: <home>/gateway/token]"
    )]
    pub token_file: Option<String>,
    /// How runtimes are made: process, docker, or static, where they run already [default: process]
    #[arg(long, env = "ARGUS_PROVISION_MODE", value_name = "MODE")]
    pub provision_mode: Option<String>,
    /// The agent's command, split like a shell does but run without one [default: codex app-server]
    #[arg(long, env = "ARGUS_RUNTIME_CMD", value_name = "COMMAND")]
    pub runtime_cmd: Option<String>,
    /// Variables that a runtime in a container is given, comma separated; a process inherits its environment
    #[arg(long, env = "ARGUS_RUNTIME_ENV", value_name = "NAMES")]
    pub runtime_env: Option<String>,
    /// The workspace folder.
    #[arg(
        long,
        env = "ARGUS_WORKSPACE_HOST_PATH",
        value_name = "DIR",
        help = "The workspace folder [default: <home>/workspace]"
    )]
    pub workspace: Option<String>,
    /// What the agent may touch: workspace-write, read-only or danger-full-access [default: workspace-write, in a container danger-full-access]
    #[arg(long, env = "ARGUS_SANDBOX", value_name = "MODE")]
    pub sandbox: Option<String>,
    /// What the agent asks people for: untrusted, on-request or never [default: on-request]
    #[arg(long, env = "ARGUS_APPROVAL_POLICY", value_name = "POLICY")]
    pub approval: Option<String>,
    /// Containers.
    #[command(flatten)]
    pub docker: DockerArgs,
    /// Upstreams.
    #[command(flatten)]
    pub upstreams: UpstreamArgs,
    /// Who shares a session, and its files, in chats: shared, user or chat [default: shared]
    #[arg(long, env = "ARGUS_SESSION_SCOPE", value_name = "WORD")]
    pub scope: Option<String>,
    /// The bridge program [default: argus-runtime-bridge beside this program, else this program itself]
    #[arg(long, env = "ARGUS_BRIDGE", value_name = "FILE")]
    pub bridge: Option<String>,
    /// Seconds after which an unused runtime is stopped, 0 = never [default: 1800]
    #[arg(long, env = "ARGUS_SESSION_IDLE_STOP", value_name = "SECONDS")]
    pub session_idle_stop: Option<String>,
    /// Runtimes that may live at once, 0 = no limit [default: 16]
    #[arg(long, env = "ARGUS_MAX_RUNTIMES", value_name = "COUNT")]
    pub max_runtimes: Option<String>,
    /// Seconds to wait for a new runtime to answer [default: 30]
    #[arg(long, env = "ARGUS_CONNECT_TIMEOUT_S", value_name = "SECONDS")]
    pub connect_timeout: Option<String>,
    /// Longest line taken from an agent and longest frame taken from a client, in bytes [default: 67108864]
    #[arg(long, env = "ARGUS_JSONL_LINE_LIMIT_BYTES", value_name = "BYTES")]
    pub line_limit: Option<String>,
    /// Connections at once with one derived token [default: 32]
    #[arg(long, env = "ARGUS_TOKEN_CONNECTIONS", value_name = "COUNT")]
    pub token_connections: Option<String>,
    /// The longest frame taken from the holder of a derived token.
    #[arg(
        long,
        env = "ARGUS_TOKEN_FRAME_BYTES",
        value_name = "BYTES",
        help = "Longest frame taken from the holder of a derived token, in bytes [default: ARGUS_JSONL_LINE_LIMIT_BYTES]"
    )]
    pub token_frame_bytes: Option<String>,
    /// Requests in a second with one derived token, taken over four seconds [default: 200]
    #[arg(long, env = "ARGUS_TOKEN_REQUESTS_PER_SECOND", value_name = "COUNT")]
    pub token_requests_per_second: Option<String>,
    /// Seconds a turn may run, 0 = no limit [default: 3600]
    #[arg(long, env = "RUN_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub run_timeout: Option<String>,
    /// Seconds a turn may go without any sign of the agent, 0 = no limit [default: 900]
    #[arg(long, env = "NO_OUTPUT_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub no_output_timeout: Option<String>,
    /// Seconds after which an approval that nobody answered is declined [default: 600]
    #[arg(long, env = "ARGUS_APPROVAL_TIMEOUT_S", value_name = "SECONDS")]
    pub approval_timeout: Option<String>,
    /// Days that finished messages stay in the ledger, 0 = for ever [default: 30]
    #[arg(long, env = "ARGUS_RETENTION_DAYS", value_name = "DAYS")]
    pub retention_days: Option<String>,
    /// Web origins that may connect beside our own, comma separated
    #[arg(long, env = "ARGUS_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
    /// Automation.
    #[command(flatten)]
    pub automation: AutomationArgs,
    /// Nodes and tools.
    #[command(flatten)]
    pub nodes: NodesArgs,
    /// Telegram.
    #[command(flatten)]
    pub telegram: TelegramArgs,
    /// What to log: a level or a filter such as `info,argus_gateway=debug` [default: info,rmcp=warn]
    #[arg(long, env = "ARGUS_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How to log: text or json [default: text]
    #[arg(long, env = "ARGUS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// Variables that hold secrets of ours: agents, and commands that we run, must not inherit them.
pub const SECRETS: [&str; 9] = [
    "ARGUS_TOKEN",
    "ARGUS_UPSTREAMS_JSON",
    "ARGUS_NODE_TOKEN",
    "ARGUS_MCP_TOKEN",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_WEBHOOK_SECRET",
    "ARGUS_TRANSCRIBE_KEY",
    // Addresses of the gateway for other programs, with a token in them perhaps.
    "ARGUS_GATEWAY_WS_URL",
    "NEXT_PUBLIC_ARGUS_WS_URL",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_that_is_secret_is_known_as_one() {
        let settings = GatewayArgs::augment_args(clap::Command::new("argus"));
        let secret = settings.get_arguments().filter(|argument| argument.is_hide_env_values_set());
        for name in secret.filter_map(clap::Arg::get_env) {
            assert!(SECRETS.iter().any(|known| name == *known), "{name:?}");
        }
    }
}
