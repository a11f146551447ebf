//! The settings of runtimes in containers, checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use argus_protocol::token::Secret;
use clap::Args;

use super::parse::{absolute, cpus, engine_host, list, memory, name, pids, runtime_sandbox, user};
use super::read::Reader;
use super::{GatewayArgs, Sandbox, Scope};

/// Settings of containers, still as text.
#[derive(Args, Clone, Default)]
pub struct DockerArgs {
    /// Where the engine listens.
    #[arg(
        long,
        env = "DOCKER_HOST",
        value_name = "URL",
        help = "The engine's socket: unix:///path or tcp://host:port [default: unix:///var/run/docker.sock]"
    )]
    pub docker_host: Option<String>,
    /// The home as the engine sees it.
    #[arg(
        long,
        env = "ARGUS_HOME_HOST_PATH",
        value_name = "DIR",
        help = "The home as the engine sees it [default: <home>]"
    )]
    pub home_host_path: Option<String>,
    /// The image of a runtime [default: argus-runtime]
    #[arg(long, env = "ARGUS_RUNTIME_IMAGE", value_name = "IMAGE")]
    pub runtime_image: Option<String>,
    /// The network of runtimes, made if missing [default: argus-net]
    #[arg(long, env = "ARGUS_DOCKER_NETWORK", value_name = "NAME")]
    pub docker_network: Option<String>,
    /// What a container's name begins with; the session's id follows [default: argus-session]
    #[arg(long, env = "ARGUS_CONTAINER_PREFIX", value_name = "NAME")]
    pub container_prefix: Option<String>,
    /// Processors one container may use, 0 or none = all [default: 1]
    #[arg(long, env = "ARGUS_RUNTIME_CPUS", value_name = "NUMBER")]
    pub runtime_cpus: Option<String>,
    /// Memory one container may use, such as 512m; 0 or none = all [default: 2g]
    #[arg(long, env = "ARGUS_RUNTIME_MEM_LIMIT", value_name = "SIZE")]
    pub runtime_mem_limit: Option<String>,
    /// Memory and swap together; the engine's own rule unless set
    #[arg(long, env = "ARGUS_RUNTIME_MEMSWAP_LIMIT", value_name = "SIZE")]
    pub runtime_memswap_limit: Option<String>,
    /// Processes and threads in one container, 0 or none = no limit [default: 1024]
    #[arg(long, env = "ARGUS_RUNTIME_PIDS_LIMIT", value_name = "NUMBER")]
    pub runtime_pids_limit: Option<String>,
    /// Who a container runs as, uid or uid:gid; the image's user unless set
    #[arg(long, env = "ARGUS_RUNTIME_USER", value_name = "USER")]
    pub runtime_user: Option<String>,
    /// A second wall inside the container: none or codex [default: none]
    #[arg(long, env = "ARGUS_RUNTIME_SANDBOX", value_name = "WORD")]
    pub runtime_sandbox: Option<String>,
}

/// The settings of containers.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// Where the engine listens.
    pub host: EngineHost,
    /// The home as the engine sees it.
    pub home_host: PathBuf,
    /// The shared workspace as the engine sees it; `None` = in the home.
    pub workspace_host: Option<PathBuf>,
    /// The image.
    pub image: String,
    /// The network's name.
    pub network: String,
    /// What names of containers begin with.
    pub prefix: String,
    /// What one container may use.
    pub limits: ContainerLimits,
    /// Who it runs as; `None` = the image's user.
    pub user: Option<String>,
    /// Whether the agent can build walls of its own in it.
    pub inner_sandbox: InnerSandbox,
    /// Variables it is given besides ours, with their values.
    pub env: BTreeMap<String, Secret>,
}

/// Where the engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineHost {
    /// A socket of this machine.
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
}

impl std::fmt::Display for EngineHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// What one container may use; `None` = as much as there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLimits {
    /// Thousandths of a processor.
    pub milli_cpus: Option<u64>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory and swap; `None` = the engine's own rule.
    pub memory_and_swap: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// Whether an agent can put its commands behind a wall of their own inside its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerSandbox {
    /// The engine's own seccomp profile, which lets nobody make namespaces.
    None,
    /// A profile that lets Codex do so.
    Codex,
}

const CPUS: Option<u64> = Some(1000);
const MEMORY: Option<u64> = Some(2 << 30);
const PIDS: Option<u64> = Some(1024);

/// Reads the settings of containers; `value` tells a variable's value.
pub(super) fn docker(
    args: &GatewayArgs,
    home: &Path,
    read: &mut Reader,
    value: impl Fn(&str) -> Option<String>,
) -> DockerConfig {
    let own = &args.docker;
    let folder = |text: &str| absolute(Path::new(text)).and_then(plain);
    let home_host = read.or("ARGUS_HOME_HOST_PATH", own.home_host_path.as_ref(), home.to_owned(), folder);
    let workspace_host =
        read.or("ARGUS_WORKSPACE_HOST_PATH", args.workspace.as_ref(), None, |text| folder(text).map(Some));
    if let Some(workspace) = &workspace_host
        && let Err(why) = apart(workspace, &[&home_host, home])
    {
        read.mistake(format!("ARGUS_WORKSPACE_HOST_PATH: {why}, got `{}`", workspace.display()));
    }
    if let Some(token) = args.token_file.as_deref().map(|text| Path::new(text.trim()))
        && is_open(token, home, args.workspace.as_deref())
    {
        read.mistake(format!("ARGUS_TOKEN_FILE: runtimes could read it there, got `{}`", token.display()));
    }
    let config = DockerConfig {
        host: read.or(
            "DOCKER_HOST",
            own.docker_host.as_ref(),
            EngineHost::Unix("/var/run/docker.sock".into()),
            engine_host,
        ),
        home_host,
        workspace_host,
        image: read.or("ARGUS_RUNTIME_IMAGE", own.runtime_image.as_ref(), "argus-runtime".into(), image),
        network: read.or("ARGUS_DOCKER_NETWORK", own.docker_network.as_ref(), "argus-net".into(), name),
        prefix: read.or(
            "ARGUS_CONTAINER_PREFIX",
            own.container_prefix.as_ref(),
            "argus-session".into(),
            name,
        ),
        limits: ContainerLimits {
            milli_cpus: read.or("ARGUS_RUNTIME_CPUS", own.runtime_cpus.as_ref(), CPUS, cpus),
            memory: read.or("ARGUS_RUNTIME_MEM_LIMIT", own.runtime_mem_limit.as_ref(), MEMORY, memory),
            memory_and_swap: read.or(
                "ARGUS_RUNTIME_MEMSWAP_LIMIT",
                own.runtime_memswap_limit.as_ref(),
                None,
                memory,
            ),
            pids: read.or("ARGUS_RUNTIME_PIDS_LIMIT", own.runtime_pids_limit.as_ref(), PIDS, pids),
        },
        user: read.or("ARGUS_RUNTIME_USER", own.runtime_user.as_ref(), None, user),
        inner_sandbox: read.or(
            "ARGUS_RUNTIME_SANDBOX",
            own.runtime_sandbox.as_ref(),
            InnerSandbox::None,
            runtime_sandbox,
        ),
        env: environment(args, read, value),
    };
    if let Some(both) = config.limits.memory_and_swap
        && config.limits.memory.is_none_or(|memory| both < memory)
    {
        read.mistake(
            "ARGUS_RUNTIME_MEMSWAP_LIMIT: expected ARGUS_RUNTIME_MEM_LIMIT to be set, and at least as much"
                .to_owned(),
        );
    }
    config
}

/// What the agent may touch in its container, unless it is set.
pub(super) fn default_sandbox(inner: InnerSandbox) -> Sandbox {
    match inner {
        InnerSandbox::None => Sandbox::DangerFullAccess,
        InnerSandbox::Codex => Sandbox::WorkspaceWrite,
    }
}

/// A wall of the agent's own needs a profile that lets it be built.
pub(super) fn bearable(sandbox: Sandbox, inner: InnerSandbox) -> Result<(), String> {
    if sandbox == Sandbox::DangerFullAccess || inner == InnerSandbox::Codex {
        return Ok(());
    }
    Err("ARGUS_SANDBOX: in a container the agent's own sandbox fails under the engine's seccomp profile; set \
         ARGUS_RUNTIME_SANDBOX=codex, or leave it at danger-full-access: the container is the wall"
        .to_owned())
}

/// Whoever may mount can also uncover what is hidden by a mount: the gateway's folder in the shared home.
pub(super) fn covered(inner: InnerSandbox, scope: Scope) -> Result<(), String> {
    if inner == InnerSandbox::Codex && scope == Scope::Shared {
        return Err(
            "ARGUS_RUNTIME_SANDBOX: what Codex needs for a sandbox of its own would let it uncover the \
                    gateway's folder in the home that sessions share; set ARGUS_SESSION_SCOPE to user or chat too"
                .to_owned(),
        );
    }
    Ok(())
}

fn environment(
    args: &GatewayArgs,
    read: &mut Reader,
    value: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, Secret> {
    let mut found = BTreeMap::new();
    for name in list(args.runtime_env.as_ref()) {
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            read.mistake(format!("ARGUS_RUNTIME_ENV: expected names of variables, got `{name}`"));
        } else if is_ours(&name) {
            read.mistake(format!("ARGUS_RUNTIME_ENV: `{name}` is not for a runtime; leave it out"));
        } else if let Some(value) = value(&name).as_deref().and_then(Secret::parse) {
            found.insert(name, value);
        }
    }
    found
}

/// What only the gateway, or the bridge in the container, may be given.
fn is_ours(name: &str) -> bool {
    let begins = ["ARGUS_", "TELEGRAM_", "NEXT_PUBLIC_ARGUS_", "APP_", "DOCKER_"];
    begins.iter().any(|begin| name.starts_with(begin)) || name == "HOME"
}

fn image(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("expected an image such as argus-runtime or registry.example/argus-runtime:1".to_owned())
    }
}

/// A path in which nothing leads back up.
fn plain(path: PathBuf) -> Result<PathBuf, String> {
    let up = path.components().any(|part| matches!(part, std::path::Component::ParentDir));
    if up { Err("expected a path without `..`".to_owned()) } else { Ok(path) }
}

/// What is mounted into every container must not hold what is hidden from it.
fn apart(workspace: &Path, homes: &[&Path]) -> Result<(), String> {
    for home in homes {
        let hidden = ["gateway", "sessions"].map(|name| home.join(name));
        if home.starts_with(workspace) || hidden.iter().any(|hidden| workspace.starts_with(hidden)) {
            return Err(format!(
                "the gateway's own folder in `{}` would be open to runtimes",
                home.display()
            ));
        }
        // A folder on the way there can be replaced by a link from inside, which the engine would follow. The usual one
        // cannot: something is mounted on it.
        if workspace.starts_with(home) && workspace != home.join("workspace") {
            return Err(format!(
                "within `{}` only the folder `workspace` can be the workspace",
                home.display()
            ));
        }
    }
    Ok(())
}

/// Whether a file of the gateway's would be mounted into containers.
fn is_open(file: &Path, home: &Path, workspace: Option<&str>) -> bool {
    let in_workspace =
        workspace.is_some_and(|folder| !folder.trim().is_empty() && file.starts_with(folder.trim()));
    in_workspace || (file.starts_with(home) && !file.starts_with(home.join("gateway")))
}

#[cfg(test)]
mod tests;
