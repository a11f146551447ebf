//! Settings become one typed [`Config`]; every mistake is reported together. The only reader of the environment.

mod args;
mod automation;
mod docker;
mod nodes;
mod parse;
mod read;
mod telegram;
mod upstreams;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use argus_protocol::token::Secret;

pub use args::{GatewayArgs, SECRETS};
pub use automation::{
    AutomationArgs, AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When,
};
pub use docker::{ContainerLimits, DockerArgs, DockerConfig, EngineHost, InnerSandbox};
pub use nodes::{NodesArgs, NodesConfig};
pub use read::Mistakes;
pub use telegram::{
    LiveConfig, Streaming, TelegramArgs, TelegramConfig, Transcriber, WhileRunning, while_running,
};
pub use upstreams::{Upstream, UpstreamArgs, UpstreamProtocol};

/// The highest line limit that can be set, in bytes.
pub const LARGEST_LINE_LIMIT: usize = 1 << 30;

/// The gateway's settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub bind: SocketAddr,
    /// The folder of everything Argus keeps.
    pub home: PathBuf,
    /// The operator's token where one was set.
    pub token: Option<Secret>,
    /// Where the operator's token is kept, unless in the home's `gateway/token`.
    pub token_file: Option<PathBuf>,
    /// How runtimes are made.
    pub mode: ProvisionMode,
    /// The agent's command.
    pub runtime_cmd: String,
    /// Containers, where runtimes are made so.
    pub docker: Option<DockerConfig>,
    /// Agents that run already, where none are made; the first one first.
    pub upstreams: Vec<Upstream>,
    /// The workspace.
    pub workspace: PathBuf,
    /// What the agent may touch.
    pub sandbox: Sandbox,
    /// What it asks for where somebody can be asked, in the agent's own words.
    pub approval: Approval,
    /// Who shares a session.
    pub scope: Scope,
    /// The bridge program and its first arguments.
    pub bridge: Vec<PathBuf>,
    /// An unused runtime is stopped after this; zero = never.
    pub idle_stop: Duration,
    /// How many runtimes may live at once; `None` = no limit.
    pub max_runtimes: Option<usize>,
    /// How long a new runtime may take to answer.
    pub connect_timeout: Duration,
    /// Longest line and frame in bytes.
    pub line_limit: usize,
    /// What a derived token may take.
    pub token_limits: TokenLimits,
    /// A turn's limit; zero = none.
    pub run_timeout: Duration,
    /// A turn's limit without a sign; zero = none.
    pub no_output_timeout: Duration,
    /// An approval's limit.
    pub approval_timeout: Duration,
    /// How long finished rows are kept; `None` = for ever.
    pub retention: Option<Duration>,
    /// Web origins allowed beside our own.
    pub cors_origins: Vec<String>,
    /// What the assistant does unasked.
    pub automation: AutomationConfig,
    /// Nodes and the agent's tools.
    pub nodes: NodesConfig,
    /// Telegram, where a token is set.
    pub telegram: Option<TelegramConfig>,
    /// Log filter.
    pub log: String,
    /// Log format.
    pub log_format: LogFormat,
}

/// What a derived token may take, unless it was made otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLimits {
    /// Connections at once.
    pub connections: u32,
    /// Longest frame in bytes.
    pub frame_bytes: usize,
    /// Requests in a second.
    pub requests_per_second: u32,
}

/// How runtimes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisionMode {
    /// A local process for each session.
    Process,
    /// A container for each session.
    Docker,
    /// They run already: a session for each upstream.
    Static,
}

impl ProvisionMode {
    /// As it is written in `argus/session` and in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
            Self::Static => "static",
        }
    }
}

/// What the agent may touch, in the agent's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// Read everything, write in the workspace.
    WorkspaceWrite,
    /// Read everything.
    ReadOnly,
    /// Everything that the user of this process may.
    DangerFullAccess,
}

/// What the agent asks for, in the agent's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Everything but what is known to only read.
    Untrusted,
    /// What it finds that it needs more freedom for.
    OnRequest,
    /// Nothing: what the sandbox refuses stays refused.
    Never,
}

impl Approval {
    /// All of them, the most careful first.
    pub const ALL: [Self; 3] = [Self::Untrusted, Self::OnRequest, Self::Never];

    /// As the agent and settings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::OnRequest => "on-request",
            Self::Never => "never",
        }
    }

    /// From that.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|approval| approval.as_str() == word)
    }
}

/// Who shares a session, and its files, in chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody: one session, and the files of the home.
    Shared,
    /// Each person has a session with files of its own, in whatever chat they write.
    User,
    /// Each chat has a session with files of its own.
    Chat,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}
