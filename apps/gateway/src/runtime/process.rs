//! Runtimes as local processes: one detached bridge for each session, reached over a Unix socket in its folder.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::bridge::FromGateway;
use argus_protocol::token::SigningKey;
use async_trait::async_trait;
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use tokio::net::UnixStream;
use tokio::process::Command;

use super::giving::{Giving, Whereabouts};
use super::link::{DialError, Fate, Greeting, LinkCommand, OnStop, greet};
use super::provision::{KnownRuntime, ProvisionError, Provisioner, Reached};

/// What processes are made from.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// `<home>/sessions`.
    pub sessions: PathBuf,
    /// `<home>`, where the agent's workspace files may be found.
    pub home: PathBuf,
    /// The agent's working folder.
    pub workspace: PathBuf,
    /// The bridge program and its first arguments.
    pub bridge: Vec<PathBuf>,
    /// The agent's command.
    pub agent: String,
    /// The longest line in bytes.
    pub line_limit: usize,
    /// How long a new bridge may take to answer.
    pub limit: Duration,
    /// Who we are, for bridge logs.
    pub gateway: String,
}

/// Makes and finds local bridges.
#[derive(Debug)]
pub struct ProcessProvisioner {
    settings: ProcessSettings,
    key: SigningKey,
    giving: Arc<dyn Giving>,
}

/// How long a bridge that is being removed may take to end its agent.
const REMOVAL_GRACE: Duration = Duration::from_secs(5);
/// A Unix socket's path has room for this many bytes everywhere.
const SOCKET_PATH_LIMIT: usize = 100;

impl ProcessProvisioner {
    /// With the installation's key, from which each bridge's secret is derived.
    pub fn new(settings: ProcessSettings, key: SigningKey, giving: Arc<dyn Giving>) -> Self {
        Self { settings, key, giving }
    }

    fn folder(&self, session: &SessionId) -> PathBuf {
        self.settings.sessions.join(session.as_str()).join("runtime")
    }

    fn socket(&self, session: &SessionId) -> PathBuf {
        self.folder(session).join("bridge.sock")
    }

    /// Greets the bridge that lives; `None` when none does.
    async fn adopt(&self, session: &SessionId) -> Result<Option<Reached>, ProvisionError> {
        let Ok(stream) = UnixStream::connect(self.socket(session)).await else { return Ok(None) };
        let secret = self.key.derive("bridge", session.as_str());
        let given = self.giving.given(session, Whereabouts::Here).await;
        let greeting = Greeting { secret: secret.reveal(), gateway: &self.settings.gateway, given };
        match greet(stream, greeting, Fate::untold(), OnStop::Tell).await {
            Ok(reached) => Ok(Some(reached)),
            Err(DialError::Broken(_)) => Ok(None),
            Err(error) => Err(ProvisionError::lasting(format!(
                "session `{session}`: {error}; end the process that listens on {}",
                self.socket(session).display()
            ))),
        }
    }

    fn spawn(&self, session: &SessionId) -> Result<Box<dyn ChildWrapper>, ProvisionError> {
        let folder = self.folder(session);
        let [program, first @ ..] = self.settings.bridge.as_slice() else {
            return Err(ProvisionError::lasting("no runtime bridge is configured; set ARGUS_BRIDGE"));
        };
        let mut command = Command::new(program);
        command
            .args(first)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(&self.settings.home)
            .env("ARGUS_BRIDGE_LISTEN", format!("unix:{}", self.socket(session).display()))
            .env("ARGUS_BRIDGE_SECRET_SHA256", self.key.derive("bridge", session.as_str()).fingerprint())
            .env("ARGUS_BRIDGE_LOG_FILE", folder.join("bridge.log"))
            .env("ARGUS_BRIDGE_SPILL_DIR", folder.join("spill"))
            .env("ARGUS_JSONL_LINE_LIMIT_BYTES", self.settings.line_limit.to_string())
            .env("APP_SERVER_CMD", &self.settings.agent)
            .env("APP_HOME", &self.settings.home)
            .env("APP_WORKSPACE", &self.settings.workspace)
            .env("ARGUS_SESSION_ID", session.as_str());
        for name in crate::config::SECRETS {
            command.env_remove(name);
        }
        // A session of its own, so that neither our end nor our terminal's reaches it.
        CommandWrap::from(command).wrap(ProcessSession).spawn().map_err(|error| {
            ProvisionError::lasting(format!(
                "cannot start the runtime bridge `{}`: {error}",
                program.display()
            ))
        })
    }

    /// Waits until the bridge that was just started answers, or is gone.
    async fn await_bridge(
        &self,
        session: &SessionId,
        child: &mut dyn ChildWrapper,
    ) -> Result<Reached, ProvisionError> {
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(reached) = self.adopt(session).await? {
                return Ok(reached);
            }
            if let Ok(Some(status)) = child.try_wait() {
                let log = self.folder(session).join("bridge.log");
                return Err(ProvisionError::lasting(format!(
                    "the runtime bridge of session `{session}` ended at once ({status}); see {}",
                    log.display()
                )));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

#[async_trait]
impl Provisioner for ProcessProvisioner {
    async fn reserve(&self, session: &SessionId) -> Result<(), ProvisionError> {
        let socket = self.socket(session);
        if socket.as_os_str().len() > SOCKET_PATH_LIMIT {
            return Err(ProvisionError::lasting(format!(
                "the path {} is too long for a socket; choose a shorter ARGUS_HOME",
                socket.display()
            )));
        }
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(self.folder(session));
        made.map_err(|error| {
            ProvisionError::lasting(format!("cannot make the folder of session `{session}`: {error}"))
        })
    }

    async fn knows(&self, session: &SessionId) -> bool {
        tokio::fs::try_exists(self.folder(session)).await.unwrap_or(false)
    }

    async fn reach(&self, session: &SessionId) -> Result<Reached, ProvisionError> {
        self.reserve(session).await?;
        if let Some(reached) = self.adopt(session).await? {
            tracing::info!(session.id = %session, boot = reached.welcome.boot, "adopted the running bridge");
            return Ok(reached);
        }
        let mut child = self.spawn(session)?;
        let waited =
            tokio::time::timeout(self.settings.limit, self.await_bridge(session, child.as_mut())).await;
        let reached = waited.unwrap_or_else(|_| {
            let limit = self.settings.limit;
            Err(ProvisionError::lasting(format!(
                "the runtime bridge of session `{session}` did not answer in {limit:?}"
            )))
        });
        match &reached {
            Ok(reached) => {
                tracing::info!(session.id = %session, boot = reached.welcome.boot, "started a bridge");
            }
            Err(_) => _ = child.start_kill(),
        }
        // Collects the exit status whenever it comes; the bridge itself outlives us.
        tokio::spawn(async move { _ = child.wait().await });
        reached
    }

    async fn list(&self) -> Result<Vec<KnownRuntime>, ProvisionError> {
        let mut known = HashMap::new();
        let folders = std::fs::read_dir(&self.settings.sessions).into_iter().flatten().flatten();
        for session in folders.filter_map(|entry| entry.file_name().to_str()?.parse::<SessionId>().ok()) {
            if !self.knows(&session).await {
                continue;
            }
            let running = UnixStream::connect(self.socket(&session)).await.is_ok();
            known.insert(session, running);
        }
        let mut list: Vec<_> = known
            .into_iter()
            .map(|(session_id, running)| KnownRuntime {
                name: format!("process-{session_id}"),
                session_id,
                container_id: None,
                status: if running { "running" } else { "stopped" }.to_owned(),
                runtime_layout: "process_v1".to_owned(),
            })
            .collect();
        list.sort_by(|a, b| (&a.status, &a.name).cmp(&(&b.status, &b.name)));
        Ok(list)
    }

    async fn remove(&self, session: &SessionId) -> Result<(), ProvisionError> {
        if let Some(mut reached) = self.adopt(session).await? {
            let grace_ms = u64::try_from(REMOVAL_GRACE.as_millis()).unwrap_or(u64::MAX);
            let stop = LinkCommand::Control(FromGateway::Stop { grace_ms });
            _ = reached.link.commands.send(stop).await;
            let ended = async { while reached.link.events.recv().await.is_some() {} };
            _ = tokio::time::timeout(REMOVAL_GRACE * 2, ended).await;
        }
        remove_folder(&self.folder(session)).await.map_err(|error| {
            ProvisionError::lasting(format!("cannot remove the folder of session `{session}`: {error}"))
        })
    }
}

async fn remove_folder(folder: &Path) -> std::io::Result<()> {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
