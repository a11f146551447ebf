//! The provisioner of containers: does what was decided, and greets the bridge as soon as it listens.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::token::SigningKey;
use async_trait::async_trait;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::engine::Engine;
use super::found::Found;
use super::ourselves;
use super::seed::sow;
use super::spec::{self, ContainerSpec, Files, Ground, LAYOUT, label};
use super::watch::Watch;
use crate::config::{DockerConfig, Scope};
use crate::runtime::giving::{Giving, Whereabouts};
use crate::runtime::provision::{KnownRuntime, ProvisionError, Provisioner, Reached};

/// What containers are made from.
#[derive(Clone, Debug)]
pub struct DockerSettings {
    /// The settings of containers.
    pub config: DockerConfig,
    /// `<home>` as the gateway sees it.
    pub home: PathBuf,
    /// Who shares a session's files.
    pub scope: Scope,
    /// The agent's command.
    pub agent: String,
    /// The longest line in bytes.
    pub line_limit: usize,
    /// How long a bridge may take to answer, with everything before.
    pub limit: Duration,
    /// Who we are, for bridge logs.
    pub gateway: String,
}

/// Makes and finds containers.
#[derive(Debug)]
pub struct DockerProvisioner {
    pub(super) settings: DockerSettings,
    pub(super) key: SigningKey,
    pub(super) installation: String,
    pub(super) engine: Arc<Engine>,
    pub(super) watch: Arc<Watch>,
    /// Ends the watch with us.
    #[expect(dead_code, reason = "it is there to be dropped")]
    watching: DropGuard,
    /// The container that we run in.
    ourselves: Option<String>,
    pub(super) giving: Arc<dyn Giving>,
    /// The network that we have joined. Held while it is looked for, so that two sessions do not make two of one name.
    network: Mutex<Option<String>>,
}

/// How long a bridge that is told to end may take to end its agent.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// An answer of the engine may take this long at least, however little time there is for the whole, and at most.
const LEAST_ANSWER_LIMIT: Duration = Duration::from_secs(3);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How often a container may end under our hands before that is an error.
const ATTEMPTS: usize = 3;

impl DockerProvisioner {
    /// With the installation's key, from which its id and each bridge's secret are derived.
    /// Begins to watch the engine, which need not run yet.
    pub fn start(settings: DockerSettings, key: SigningKey, giving: Arc<dyn Giving>) -> Self {
        let engine =
            Engine::new(settings.config.host.clone(), settings.limit.clamp(LEAST_ANSWER_LIMIT, ANSWER_LIMIT));
        let engine = Arc::new(engine);
        let installation = spec::installation(&key);
        let watch = Arc::new(Watch::new(engine.clone(), installation.clone()));
        let stop = CancellationToken::new();
        let (ended, watched, home) = (stop.clone(), watch.clone(), settings.home.clone());
        let config = settings.config.clone();
        tokio::spawn(async move {
            // Another prefix gives new containers, and the old ones work on the same files.
            let known = |session: &SessionId, name: &str| {
                name == spec::name(&config, session) && folder(&home, session).try_exists().unwrap_or(true)
            };
            ended.run_until_cancelled(watched.run(known)).await;
        });
        let watching = stop.drop_guard();
        let (ourselves, network) = (ourselves::container(), Mutex::default());
        Self { settings, key, installation, engine, watch, watching, ourselves, giving, network }
    }

    fn folder(&self, session: &SessionId) -> PathBuf {
        folder(&self.settings.home, session)
    }

    fn files(&self) -> Files {
        match self.settings.scope {
            Scope::Shared => Files::Shared,
            Scope::User | Scope::Chat => Files::Own,
        }
    }

    /// Makes the folders that the container's mounts need: the engine would make them as its own.
    fn make_folders(&self, session: &SessionId) -> Result<(), ProvisionError> {
        for folder in spec::folders(session, &self.files()) {
            let folder = self.settings.home.join(folder);
            make_folder(&folder).map_err(|error| cannot_make(&folder, &error))?;
        }
        if self.files() == Files::Own {
            let seed = self.settings.home.join("seed");
            let target = self.settings.home.join(spec::agent_home(session));
            // The agent makes this folder too, as its own user, and what it made so is not ours to fill.
            if make_folder(&target).is_err() || sow(&seed, &target).is_err() {
                tracing::warn!(session.id = %session, "the seed {} could not be copied whole", seed.display());
            }
        }
        Ok(())
    }

    pub(super) fn wanted(&self, session: &SessionId, network: &str) -> ContainerSpec {
        let ground = Ground {
            config: &self.settings.config,
            agent: &self.settings.agent,
            line_limit: self.settings.line_limit,
            installation: &self.installation,
        };
        ContainerSpec::new(
            ground,
            session,
            &self.key.derive("bridge", session.as_str()),
            &self.files(),
            network,
        )
    }

    /// Sees to the network before anybody needs it: an engine that connects our own container to another network cuts
    /// the connections that its published port has then.
    pub async fn join_network(&self) {
        if let Err(error) = self.network().await {
            tracing::debug!(%error, "the runtimes' network is seen to with the first of them");
        }
    }

    pub(super) async fn network(&self) -> Result<String, ProvisionError> {
        let mut joined = self.network.lock().await;
        let id = self.engine.network(&self.settings.config.network).await?;
        if let Some(ourselves) = &self.ourselves
            && joined.as_ref() != Some(&id)
        {
            self.engine.join(ourselves, &id, "gateway").await?;
            *joined = Some(id.clone());
        }
        Ok(id)
    }

    /// Where the containers of that network are, seen from us.
    pub(super) async fn whereabouts(&self, network: &str) -> Whereabouts {
        if self.ourselves.is_some() {
            return Whereabouts::BesideUs;
        }
        match self.engine.address_in(network).await {
            Ok(Some(address)) => Whereabouts::Network(address),
            Ok(None) | Err(_) => Whereabouts::Elsewhere,
        }
    }

    async fn container(&self, session: &SessionId) -> Result<Option<Found>, ProvisionError> {
        let found = self.engine.find(&spec::name(&self.settings.config, session)).await?;
        Ok(found.filter(|found| found.is_of(&self.installation)))
    }
}

#[async_trait]
impl Provisioner for DockerProvisioner {
    async fn reserve(&self, session: &SessionId) -> Result<(), ProvisionError> {
        let folder = self.folder(session);
        make_folder(&folder).map_err(|error| cannot_make(&folder, &error))
    }

    /// Its folder tells; a container without it is an orphan.
    async fn knows(&self, session: &SessionId) -> bool {
        tokio::fs::try_exists(self.folder(session)).await.unwrap_or(false)
    }

    async fn reach(&self, session: &SessionId) -> Result<Reached, ProvisionError> {
        self.reserve(session).await?;
        self.make_folders(session)?;
        let attempts = async {
            for _ in 0..ATTEMPTS {
                if let Some(reached) = self.attempt(session).await? {
                    return Ok(reached);
                }
            }
            Err(ProvisionError::passing(format!("the container of session `{session}` ends again and again")))
        };
        let limit = self.settings.limit;
        tokio::time::timeout(limit, attempts).await.unwrap_or_else(|_| {
            Err(ProvisionError::lasting(format!(
                "the container `{}` did not answer in {limit:?}; can the gateway reach the network `{}`?",
                spec::name(&self.settings.config, session),
                self.settings.config.network
            )))
        })
    }

    async fn list(&self) -> Result<Vec<KnownRuntime>, ProvisionError> {
        let ours = self.engine.list(&format!("{}={}", label::INSTALLATION, self.installation)).await;
        if let Err(error) = &ours {
            tracing::warn!(%error, "how containers stand is not known");
        }
        let other = if ours.is_ok() { "stopped" } else { "unknown" };
        let ours = ours.unwrap_or_default().into_iter();
        let containers: HashMap<_, _> = ours.filter_map(|found| Some((found.session()?, found))).collect();
        let mut list = Vec::new();
        let folders = std::fs::read_dir(self.settings.home.join("sessions")).into_iter().flatten().flatten();
        for session in folders.filter_map(|entry| entry.file_name().to_str()?.parse::<SessionId>().ok()) {
            if self.knows(&session).await {
                let container = containers.get(&session);
                list.push(KnownRuntime {
                    name: spec::name(&self.settings.config, &session),
                    container_id: container.map(|found| found.id.clone()),
                    status: container.map_or(other, |found| found.state.as_str()).to_owned(),
                    runtime_layout: LAYOUT.to_owned(),
                    session_id: session,
                });
            }
        }
        list.sort_by(|a, b| (&a.status, &a.name).cmp(&(&b.status, &b.name)));
        Ok(list)
    }

    async fn others(&self) -> Vec<KnownRuntime> {
        let found = self.engine.list(&format!("{}={}", label::GATEWAY, spec::REFERENCE)).await;
        let others = found.unwrap_or_default().into_iter().filter_map(|found| {
            Some(KnownRuntime {
                session_id: found.session()?,
                runtime_layout: found.label(label::LAYOUT).unwrap_or("unknown").to_owned(),
                status: found.state.as_str().to_owned(),
                container_id: Some(found.id),
                name: found.name,
            })
        });
        others.collect()
    }

    async fn remove(&self, session: &SessionId) -> Result<(), ProvisionError> {
        if let Some(found) = self.container(session).await? {
            self.engine.stop(&found.id, GRACE).await?;
            self.engine.remove(&found.id).await?;
        }
        match tokio::fs::remove_dir_all(self.folder(session)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ProvisionError::lasting(
                format!("cannot remove the folder of session `{session}`: {error}"),
            )),
            _ => Ok(()),
        }
    }

    fn revivals(&self) -> watch::Receiver<u64> {
        self.watch.revivals()
    }

    fn trouble(&self) -> Vec<String> {
        self.watch.trouble().into_iter().collect()
    }
}

/// What makes a session known.
fn folder(home: &Path, session: &SessionId) -> PathBuf {
    home.join("sessions").join(session.as_str()).join("runtime")
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    match std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        // Something stands there, a link of the agent's perhaps; the engine says what it thinks of it.
        Err(_) if folder.symlink_metadata().is_ok() => Ok(()),
        made => made,
    }
}

fn cannot_make(folder: &Path, error: &std::io::Error) -> ProvisionError {
    ProvisionError::lasting(format!("cannot make the folder `{}`: {error}", folder.display()))
}
