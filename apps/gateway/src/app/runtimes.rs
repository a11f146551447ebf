//! Chooses how runtimes are made, and tells what follows from it for the agent.

use std::path::Path;
use std::sync::Arc;

use argus_protocol::token::SigningKey;

use crate::config::{Config, DockerConfig, ProvisionMode, Scope};
use crate::runtime::docker::{CONTAINER_WORKSPACE, DockerProvisioner, DockerSettings};
use crate::runtime::fixed::{FixedProvisioner, FixedSettings};
use crate::runtime::process::{ProcessProvisioner, ProcessSettings};
use crate::runtime::{Giving, Provisioner};
use crate::sessions::Sessions;
use crate::workspace::{Workspace, Workspaces};

/// Whoever makes the runtimes that the settings ask for.
pub(super) fn provisioner(
    config: &Config,
    key: SigningKey,
    boot: u32,
    giving: Arc<dyn Giving>,
) -> Arc<dyn Provisioner> {
    match &config.docker {
        Some(docker) => {
            let docker =
                Arc::new(DockerProvisioner::start(docker_settings(config, docker, boot), key, giving));
            let early = docker.clone();
            tokio::spawn(async move { early.join_network().await });
            docker
        }
        None if config.mode == ProvisionMode::Static => {
            Arc::new(FixedProvisioner::new(fixed_settings(config, boot), giving))
        }
        None => Arc::new(ProcessProvisioner::new(process_settings(config, boot), key, giving)),
    }
}

/// The workspace as the agent sees it. One that runs already has a folder of its own, unless the settings name another.
pub(super) fn agent_workspace(config: &Config) -> Option<String> {
    let unnamed = config.workspace == config.home.join("workspace");
    match config.mode {
        ProvisionMode::Docker => Some(CONTAINER_WORKSPACE.to_owned()),
        ProvisionMode::Static if unnamed => None,
        ProvisionMode::Static | ProvisionMode::Process => Some(config.workspace.display().to_string()),
    }
}

/// Where agents find files that are laid into their workspace.
pub(super) fn seen_as(config: &Config) -> String {
    agent_workspace(config).unwrap_or_else(|| config.workspace.display().to_string())
}

/// How many runtimes may live at once. Those that run already are not counted.
pub(super) fn most_runtimes(config: &Config) -> Option<usize> {
    config.max_runtimes.filter(|_| config.mode != ProvisionMode::Static)
}

/// Where the workspaces of sessions are.
pub(super) fn workspaces(config: &Config) -> Workspaces {
    match (&config.docker, config.scope) {
        (None, _) => Workspaces::Shared(Workspace::Open(config.workspace.clone())),
        (Some(_), Scope::Shared) => Workspaces::Shared(Workspace::walled(&config.home, &config.workspace)),
        (Some(_), Scope::User | Scope::Chat) => Workspaces::Own { sessions: config.home.join("sessions") },
    }
}

/// How a person gives the agent its model credentials.
pub(super) fn sign_in(config: &Config) -> String {
    if config.mode == ProvisionMode::Static {
        return "sign the agent in at its model provider where it runs".to_owned();
    }
    let words = shell_words::split(&config.runtime_cmd).ok();
    let program = words.and_then(|words| words.into_iter().next()).unwrap_or_default();
    let is_codex = Path::new(&program).file_name().is_some_and(|name| name == "codex");
    let program = shell_words::quote(&program);
    match (&config.docker, is_codex) {
        (Some(_), true) => {
            "run `docker compose run --rm login` in the folder of docker-compose.yml (without Compose: \
                            docs/OPERATIONS.md, Containers)"
                .to_owned()
        }
        (Some(_), false) => "name its credentials in ARGUS_RUNTIME_ENV".to_owned(),
        (None, true) => format!("run `{program} login` on the machine of the gateway"),
        (None, false) => "sign the agent in at its model provider on the machine of the gateway".to_owned(),
    }
}

/// Sees to it that a default session which was chosen elsewhere, as by the reference, exists: what it is to do unasked comes
/// with nobody there, too.
pub(super) async fn keep_default(sessions: &Sessions) {
    if sessions.stored_default().await.is_some()
        && let Err(error) = sessions.default_session().await
    {
        tracing::error!(error, "the default session cannot be made; its scheduled jobs and heartbeats wait");
    }
}

fn gateway_name(boot: u32) -> String {
    format!("argus-gateway {} boot {boot}", env!("CARGO_PKG_VERSION"))
}

fn docker_settings(config: &Config, docker: &DockerConfig, boot: u32) -> DockerSettings {
    DockerSettings {
        config: docker.clone(),
        home: config.home.clone(),
        scope: config.scope,
        agent: config.runtime_cmd.clone(),
        line_limit: config.line_limit,
        limit: config.connect_timeout,
        gateway: gateway_name(boot),
    }
}

fn fixed_settings(config: &Config, boot: u32) -> FixedSettings {
    FixedSettings {
        upstreams: config.upstreams.clone(),
        sessions: config.home.join("sessions"),
        line_limit: config.line_limit,
        limit: config.connect_timeout,
        gateway: gateway_name(boot),
    }
}

fn process_settings(config: &Config, boot: u32) -> ProcessSettings {
    ProcessSettings {
        sessions: config.home.join("sessions"),
        home: config.home.clone(),
        workspace: config.workspace.clone(),
        bridge: config.bridge.clone(),
        agent: config.runtime_cmd.clone(),
        line_limit: config.line_limit,
        limit: config.connect_timeout,
        gateway: gateway_name(boot),
    }
}
