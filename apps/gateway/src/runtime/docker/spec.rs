//! What a session's container is made of: a pure function of settings, installation, session and network.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use argus_protocol::SessionId;
use argus_protocol::token::{Secret, SigningKey};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::{ContainerLimits, DockerConfig, InnerSandbox};

/// Names of labels.
pub(super) mod label {
    pub(in super::super) const GATEWAY: &str = "io.argus.gateway";
    pub(in super::super) const SESSION: &str = "io.argus.session_id";
    pub(in super::super) const LAYOUT: &str = "io.argus.runtime_layout";
    pub(in super::super) const HOME: &str = "io.argus.runtime_home_container_path";
    pub(in super::super) const WORKSPACE: &str = "io.argus.runtime_workspace_container_path";
    pub(in super::super) const INSTALLATION: &str = "io.argus.installation";
    pub(in super::super) const SPEC: &str = "io.argus.spec";
    pub(in super::super) const IMAGE: &str = "io.argus.image";
}

/// The value of [`label::GATEWAY`] on our containers.
pub(super) const OURS: &str = "argus";
/// Its value on containers of the gateway that came before this one.
pub(super) const REFERENCE: &str = "apps/api";
/// The layout of a container's folders.
pub(super) const LAYOUT: &str = "root_argus_v1";
/// The agent's home in a container.
pub(super) const HOME: &str = "/root/.argus";
/// The agent's workspace in a container.
pub const WORKSPACE: &str = "/root/.argus/workspace";
/// The port of the bridge in a container.
pub(super) const PORT: u16 = 7777;

/// What root in a container needs to install packages, and to use files of the workspace that are somebody else's.
/// Without any one of them something of that fails.
const CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];
/// What root needs besides to make a user namespace in which it is still root.
const FOR_NAMESPACES: &str = "SETFCAP";
/// Where the bridge keeps lines that memory cannot hold, and the room it has there: a little more than it uses.
const SPILL: &str = "/run/argus-bridge";
const SPILL_OPTIONS: &str = "rw,nosuid,nodev,noexec,size=72m,mode=1777";
/// What stands in the place of a folder that is not for the agent.
const NOTHING: &str = "ro,nosuid,nodev,noexec,size=4k,mode=0500";
const TMP_OPTIONS: &str = "rw,nosuid,nodev,size=512m,mode=1777";
/// How much of a container's output the engine keeps, in two files.
const LOG: [(&str, &str); 2] = [("max-size", "8m"), ("max-file", "2")];
/// The engine's own profile, changed as Codex needs it.
const CODEX_PROFILE: &str = include_str!("../../../../../deploy/seccomp/codex.json");

/// Names the installation that a signing key belongs to, and says nothing of the key.
pub fn installation(key: &SigningKey) -> String {
    key.derive("installation", "").fingerprint()[..16].to_owned()
}

/// Whose files a session has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// Those of the home, with everybody else.
    Shared,
    /// Its own, in its folder of the home.
    Own,
}

/// What a container is made from, besides its session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    /// The settings of containers.
    pub(super) config: &'a DockerConfig,
    /// The agent's command.
    pub(super) agent: &'a str,
    /// The longest line in bytes.
    pub(super) line_limit: usize,
    /// Whose containers they are.
    pub(super) installation: &'a str,
}

/// A container as it is wanted. Two of one [`Self::hash`] are alike but for their image.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(super) struct ContainerSpec {
    pub(super) name: String,
    pub(super) image: String,
    /// The network's id: names are not unique.
    pub(super) network: String,
    pub(super) labels: BTreeMap<&'static str, String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) user: Option<String>,
    pub(super) binds: Vec<Bind>,
    /// Folders in memory, with their options.
    pub(super) tmpfs: BTreeMap<&'static str, &'static str>,
    pub(super) limits: Limits,
    /// Of the few that are left when all were dropped.
    pub(super) capabilities: Vec<&'static str>,
    pub(super) security: Vec<String>,
    pub(super) read_only_root: bool,
    pub(super) log: BTreeMap<&'static str, &'static str>,
}

/// A folder of the engine's machine in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Bind {
    pub(super) source: PathBuf,
    pub(super) target: &'static str,
}

/// What a container may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Limits {
    pub(super) milli_cpus: Option<u64>,
    pub(super) memory: Option<u64>,
    pub(super) memory_and_swap: Option<u64>,
    pub(super) pids: Option<u64>,
}

impl ContainerSpec {
    /// The container of a session; `secret` is the one its bridge will ask for.
    pub(super) fn new(
        ground: Ground<'_>,
        session: &SessionId,
        secret: &Secret,
        files: &Files,
        network: &str,
    ) -> Self {
        let config = ground.config;
        let plain_user = config.user.as_deref().is_some_and(is_plain);
        let mut spec = Self {
            name: name(config, session),
            image: config.image.clone(),
            network: network.to_owned(),
            labels: labels(ground, session),
            env: environment(ground, session, secret),
            user: config.user.clone(),
            binds: binds(config, session, files),
            tmpfs: tmpfs(files, plain_user),
            limits: Limits::from(&config.limits),
            capabilities: capabilities(plain_user, config.inner_sandbox),
            security: security(config.inner_sandbox),
            read_only_root: plain_user,
            log: LOG.into(),
        };
        spec.labels.insert(label::SPEC, spec.hash());
        spec
    }

    /// The same for the same container, whatever its image holds; 32 hex digits.
    fn hash(&self) -> String {
        let text = serde_json::to_vec(self).expect("a description of texts and numbers is JSON");
        HEXLOWER.encode(&Sha256::digest(text)[..16])
    }

    /// What [`label::SPEC`] says.
    pub(super) fn posture(&self) -> &str {
        &self.labels[label::SPEC]
    }
}

impl fmt::Debug for ContainerSpec {
    /// Without the values of variables: credentials may be among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

impl From<&ContainerLimits> for Limits {
    fn from(limits: &ContainerLimits) -> Self {
        let ContainerLimits { milli_cpus, memory, memory_and_swap, pids } = *limits;
        Self { milli_cpus, memory, memory_and_swap, pids }
    }
}

/// The name of a session's container.
pub(super) fn name(config: &DockerConfig, session: &SessionId) -> String {
    format!("{}-{session}", config.prefix)
}

/// The folders that must be there before a container is made, below the home.
pub(super) fn folders(session: &SessionId, files: &Files) -> Vec<PathBuf> {
    match files {
        Files::Shared => ["gateway", "sessions", "workspace"].map(PathBuf::from).into(),
        Files::Own => ["home", "workspace"].map(|name| own(Path::new(""), session).join(name)).into(),
    }
}

/// Where the agent keeps its configuration in a session with files of its own, below the home.
pub(super) fn agent_home(session: &SessionId) -> PathBuf {
    own(Path::new(""), session).join("home/.codex")
}

fn own(home: &Path, session: &SessionId) -> PathBuf {
    home.join("sessions").join(session.as_str())
}

/// Whether this user is not the container's root.
fn is_plain(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    name != "root" && name.parse() != Ok(0_u32)
}

fn labels(ground: Ground<'_>, session: &SessionId) -> BTreeMap<&'static str, String> {
    [
        (label::GATEWAY, OURS),
        (label::SESSION, session.as_str()),
        (label::LAYOUT, LAYOUT),
        (label::HOME, HOME),
        (label::WORKSPACE, WORKSPACE),
        (label::INSTALLATION, ground.installation),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn environment(ground: Ground<'_>, session: &SessionId, secret: &Secret) -> BTreeMap<String, String> {
    let given = ground.config.env.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
    let ours = [
        ("ARGUS_BRIDGE_LISTEN", format!("tcp:0.0.0.0:{PORT}")),
        ("ARGUS_BRIDGE_SECRET_SHA256", secret.fingerprint()),
        ("ARGUS_BRIDGE_SET_HOME", "1".to_owned()),
        ("ARGUS_BRIDGE_SPILL_DIR", SPILL.to_owned()),
        ("ARGUS_JSONL_LINE_LIMIT_BYTES", ground.line_limit.to_string()),
        ("ARGUS_SESSION_ID", session.to_string()),
        ("APP_HOME", HOME.to_owned()),
        ("APP_SERVER_CMD", ground.agent.to_owned()),
    ];
    given.chain(ours.map(|(name, value)| (name.to_owned(), value))).collect()
}

fn binds(config: &DockerConfig, session: &SessionId, files: &Files) -> Vec<Bind> {
    let own = own(&config.home_host, session);
    let (home, workspace) = match files {
        Files::Shared => (config.home_host.clone(), config.workspace_host.clone()),
        Files::Own => (own.join("home"), Some(own.join("workspace"))),
    };
    let workspace = workspace.map(|source| Bind { source, target: WORKSPACE });
    [Bind { source: home, target: HOME }].into_iter().chain(workspace).collect()
}

fn tmpfs(files: &Files, plain_user: bool) -> BTreeMap<&'static str, &'static str> {
    let mut tmpfs = BTreeMap::from([(SPILL, SPILL_OPTIONS)]);
    if *files == Files::Shared {
        tmpfs.extend([("/root/.argus/gateway", NOTHING), ("/root/.argus/sessions", NOTHING)]);
    }
    if plain_user {
        tmpfs.insert("/tmp", TMP_OPTIONS);
    }
    tmpfs
}

fn capabilities(plain_user: bool, inner: InnerSandbox) -> Vec<&'static str> {
    match (plain_user, inner) {
        (true, _) => Vec::new(),
        (false, InnerSandbox::None) => CAPABILITIES.to_vec(),
        (false, InnerSandbox::Codex) => CAPABILITIES.iter().copied().chain([FOR_NAMESPACES]).collect(),
    }
}

fn security(inner: InnerSandbox) -> Vec<String> {
    let mut options = vec!["no-new-privileges:true".to_owned()];
    if inner == InnerSandbox::Codex {
        options.push(format!("seccomp={CODEX_PROFILE}"));
    }
    options
}

#[cfg(test)]
pub(super) mod tests;
