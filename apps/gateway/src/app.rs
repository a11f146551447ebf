//! The composition root: builds every part and hands each only the handles it needs.

mod automation;
mod channels;
mod devices;
mod giving;
mod rounds;
mod runtimes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use argus_protocol::ClientId;
use argus_protocol::token::{Secret, SigningKey};
use argus_session::{Policy, SessionConfig};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::channels::Channels;
use self::giving::Giver;
use self::rounds::Rounds;
use crate::access::{Access, AccessParts, Audit, OperatorToken, SharedTokens, UpstreamToken};
use crate::automation::Pulse;
use crate::automation::intake::Intake;
use crate::automation::reactor::Reactor;
use crate::chat::{Asking, Chats};
use crate::clock::Clock;
use crate::config::{Approval, Config, Sandbox, Upstream};
use crate::devices::Devices;
use crate::edge::{self, Edge};
use crate::health::Health;
use crate::ports::{ChatTurns, SessionWorkers};
pub use crate::sessions::probe::AgentProbe;
use crate::sessions::{Sessions, SessionsParts};
use crate::store::audit_file::AuditFile;
use crate::store::history_file::Histories;
use crate::store::home::Home;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;

/// How long open work may take to end when the gateway stops.
const GRACE: Duration = Duration::from_secs(10);

/// A gateway that serves.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// The operator's token.
    pub token: Secret,
    /// The file that keeps it; `None` where it was given as a setting.
    pub token_file: Option<PathBuf>,
    /// Who talks to us; for the pairing code.
    pub chats: Chats,
    devices: Devices,
    sessions: Sessions,
    next_client: Arc<AtomicU64>,
    ledger: Ledger,
    stop: CancellationToken,
    tasks: TaskTracker,
    _home: Home,
}

impl App {
    /// Opens the home, goes on with what was left open, and serves. An error names what failed and what to do.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let home = Home::open(&config.home)?;
        let token = match &config.token {
            Some(token) => token.clone(),
            None => home.token(config.token_file.as_deref())?,
        };
        let key = home.signing_key()?;
        let state = Arc::new(StateFile::load(&home.state())?);
        let long = config.telegram.as_ref().and_then(|telegram| telegram.long_answer);
        let ledger = Ledger::open(&home.ledger(), crate::delivery::answers(long)).await?;
        let boot = ledger.next_boot().await?;
        let token_file = config.token.is_none().then(|| home.token_path(config.token_file.as_deref()));
        let operator = OperatorToken { token: token.clone(), file: token_file.clone() };
        let access = access(&config, &home, operator, key.clone(), ledger.clone()).await?;
        make_workspace(&config.workspace)?;

        let giver = Giver::new(access.clone(), config.nodes.clone());
        let provisioner = runtimes::provisioner(&config, key.clone(), boot, Arc::new(giver.clone()));
        let Channels { bots, delivery, sending, media } = channels::open(&config, &home, &ledger)?;
        if let Some(delivery) = &delivery {
            delivery.tidy().await;
        }
        let prompts = automation::prompts(&config, &ledger, &state, media);
        let (asking, pulse) = (Arc::new(Asking::new(ledger.clone())), Pulse::default());
        let sessions = Sessions::new(SessionsParts {
            provisioner,
            ledger: ledger.clone(),
            histories: Histories::new(config.home.join("sessions")),
            state: state.clone(),
            prepare: prompts.clone(),
            react: Arc::new(Reactor::new(ledger.clone(), delivery.clone(), prompts, asking, pulse.clone())),
            config: session_config(&config, boot),
            most_runtimes: runtimes::most_runtimes(&config),
            clock: Clock::new(),
        });
        let intake = Intake::new(ledger.clone(), sessions.clone(), bots.first().cloned());
        let next_client = Arc::new(AtomicU64::new(1));
        let (all, numbers) = (sessions.clone(), next_client.clone());
        let workers = SessionWorkers { intake: intake.clone(), sessions: all, next_client: numbers };
        let automation = automation::open(&config, &ledger, state, pulse, &bots, workers).await?;
        let devices = devices::open(&config, &ledger, &key, &access, &automation, &sessions).await?;
        let turns = Arc::new(ChatTurns::new(intake.clone(), sessions.clone(), key, next_client.clone()));
        let chats = channels::chats(&config, ledger.clone(), turns, &devices, bots);

        let listener = edge::bind(config.bind)
            .with_context(|| format!("cannot listen on {}; set ARGUS_BIND to a free address", config.bind))?;
        let address = listener.local_addr()?;
        write_address(&home, address)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let edge = Edge {
            access: access.clone(),
            origins: config.cors_origins.clone().into(),
            mode: config.mode,
            frame_limit: config.line_limit,
            sessions: sessions.clone(),
            intake: intake.clone(),
            automation: automation.clone(),
            chats: chats.clone(),
            devices: devices.clone(),
            sending,
            standing: Arc::new(Health::new(
                config.home.clone(),
                ledger.clone(),
                delivery.clone(),
                sessions.clone(),
            )),
            ensuring: edge::Places::default(),
            next_client: next_client.clone(),
            connections: TaskTracker::new(),
            shutdown: stop.clone(),
        };
        giver.serves(edge.clone(), address, tasks.clone());
        tasks.spawn(edge::serve(listener, edge));
        runtimes::keep_default(&sessions).await;
        intake.resume().await?;
        let rounds = Rounds {
            access,
            chats: chats.clone(),
            delivery,
            automation,
            devices: devices.clone(),
            sessions: sessions.clone(),
            retention: config.retention,
        };
        rounds.begin(&ledger, &tasks, &stop);
        tracing::info!(%address, mode = config.mode.as_str(), boot, "the gateway serves");
        Ok(Self {
            address,
            token,
            token_file,
            chats,
            devices,
            sessions,
            next_client,
            ledger,
            stop,
            tasks,
            _home: home,
        })
    }

    /// Starts the default session's agent, if it does not run yet, and asks how it stands; an error in words.
    pub async fn probe_agent(&self) -> Result<AgentProbe, String> {
        let session = self.sessions.default_session().await?;
        crate::sessions::probe::stand(
            &self.sessions.get(&session),
            ClientId::new(self.next_client.fetch_add(1, Ordering::Relaxed)),
        )
        .await
    }

    /// Stops in order: no new callers, then sessions (their runtimes live on), then the store.
    pub async fn stop(self) {
        tracing::info!("the gateway stops");
        self.stop.cancel();
        self.tasks.close();
        self.sessions.shutdown().await;
        let ended = async {
            self.tasks.wait().await;
            self.devices.settle().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        self.ledger.close().await;
    }
}

/// Where the other commands of this machine find us.
fn write_address(home: &Home, address: SocketAddr) -> anyhow::Result<()> {
    let file = home.own().join("address");
    std::fs::write(&file, format!("http://{address}\n"))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Reads the valid tokens, and opens the record of what is done with them.
async fn access(
    config: &Config,
    home: &Home,
    operator: OperatorToken,
    key: SigningKey,
    ledger: Ledger,
) -> anyhow::Result<Access> {
    let audit = Audit::start(AuditFile::new(home.audit())).context("the audit cannot be kept")?;
    let upstreams = config.upstreams.iter().filter_map(|upstream| {
        let (id, session) = (upstream.id.clone(), upstream.session.clone());
        upstream.token.clone().map(|token| UpstreamToken { id, session, token })
    });
    let as_the_operators = |upstream: &&Upstream| upstream.token.as_ref() == Some(&operator.token);
    if let Some(upstream) = config.upstreams.iter().find(as_the_operators) {
        anyhow::bail!(
            "ARGUS_UPSTREAMS_JSON: the token of upstream `{}` is the operator's, which opens everything; give it another",
            upstream.id
        );
    }
    Ok(Access::open(AccessParts {
        ledger,
        key,
        operator,
        upstreams: upstreams.collect(),
        shared: SharedTokens { node: config.nodes.node_token.clone(), mcp: config.nodes.mcp_token.clone() },
        limits: config.token_limits.into(),
        frame_limit: config.line_limit,
        audit,
    })
    .await?)
}

fn session_config(config: &Config, boot: u32) -> SessionConfig {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    SessionConfig {
        id: crate::clock::new_session_id(),
        boot,
        cwd: runtimes::agent_workspace(config),
        policy: policy(config.sandbox, config.approval),
        run_timeout_ms: ms(config.run_timeout),
        no_output_timeout_ms: ms(config.no_output_timeout),
        idle_stop_ms: ms(config.idle_stop),
        approval_timeout_ms: ms(config.approval_timeout),
        sign_in: runtimes::sign_in(config),
    }
}

/// Without a container the agent runs as this user: its own sandbox is the only wall, and approvals are asked where
/// somebody can answer. In a container, which is the wall, there is mostly nothing to ask.
fn policy(sandbox: Sandbox, approval: Approval) -> Policy {
    let (word, value): (_, Value) = match sandbox {
        Sandbox::WorkspaceWrite => ("workspace-write", json!({ "type": "workspaceWrite" })),
        Sandbox::ReadOnly => ("read-only", json!({ "type": "readOnly" })),
        Sandbox::DangerFullAccess => ("danger-full-access", json!({ "type": "dangerFullAccess" })),
    };
    Policy {
        sandbox: word.to_owned(),
        sandbox_policy: value,
        ask: approval.as_str().to_owned(),
        never: "never".to_owned(),
    }
}

/// Sees to it that there is a workspace. What stands in its place is the agents' doing, and no reason not to serve.
fn make_workspace(workspace: &Path) -> anyhow::Result<()> {
    match std::fs::create_dir_all(workspace) {
        Err(error) if workspace.symlink_metadata().is_err() => {
            Err(error).with_context(|| format!("cannot make the workspace {}", workspace.display()))
        }
        Err(error) => {
            tracing::warn!(%error, "the workspace {} is no folder", workspace.display());
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
