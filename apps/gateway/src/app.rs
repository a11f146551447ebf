//! The composition root: builds every part and hands each only the handles it needs.

pub(crate) mod probe;
mod runtimes;

use std::collections::{BTreeSet, HashMap};
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
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::probe::AgentProbe;
use crate::access::{Access, AccessParts, Audit, OperatorToken, UpstreamToken};
use crate::automation::intake::Intake;
use crate::automation::prompt::Prompts;
use crate::automation::reactor::Reactor;
use crate::chat::{Asking, Chats, ChatsParts, Gathering};
use crate::clock::Clock;
use crate::config::{Approval, Config, Sandbox, TelegramConfig, Upstream, WhileRunning};
use crate::delivery::{Deliveries, DeliveryConfig, Kept, Limits, Sending, SendingParts};
use crate::edge::{self, Edge};
use crate::health::Health;
use crate::media::Media;
use crate::ports::ChatTurns;
use crate::sessions::{Sessions, SessionsParts};
use crate::store::audit_file::AuditFile;
use crate::store::history_file::Histories;
use crate::store::home::Home;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;
use crate::telegram::{Files, Telegram, TokenError};

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

        let provisioner = runtimes::provisioner(&config, key.clone(), boot);
        let bots = bots(&config)?;
        let bot_ids: Vec<_> = bots.iter().map(|bot| bot.bot_id().to_owned()).collect();
        let kept = Kept::new(home.own().join("outbox"));
        let sending = Sending::new(SendingParts {
            ledger: ledger.clone(),
            workspaces: runtimes::workspaces(&config),
            seen_at: runtimes::agent_workspace(&config).map(PathBuf::from),
            kept: kept.clone(),
            bots: bot_ids.clone(),
            long,
            copying: Mutex::default(),
        });
        let delivery = config.telegram.as_ref().map(|telegram| {
            let sending = DeliveryConfig { limits: Limits::default(), live: telegram.live, kept };
            Deliveries::new(ledger.clone(), bots, &sending)
        });
        if let Some(delivery) = &delivery {
            delivery.tidy().await;
        }
        let media = media(&config, &home)?;
        let prompts = Prompts::new(runtimes::workspaces(&config), runtimes::seen_as(&config), media);
        let prompts = Arc::new(prompts);
        let asking = Arc::new(Asking::new(ledger.clone()));
        let sessions = Sessions::new(SessionsParts {
            provisioner,
            ledger: ledger.clone(),
            histories: Histories::new(config.home.join("sessions")),
            state,
            prepare: prompts.clone(),
            react: Arc::new(Reactor::new(ledger.clone(), delivery.clone(), prompts, asking)),
            config: session_config(&config, boot),
            most_runtimes: runtimes::most_runtimes(&config),
            clock: Clock::new(),
        });
        let intake = Intake::new(ledger.clone(), sessions.clone(), bot_ids.first().cloned());
        let next_client = Arc::new(AtomicU64::new(1));
        let turns = Arc::new(ChatTurns::new(intake.clone(), sessions.clone(), key, next_client.clone()));
        let chats = Chats::new(chats_parts(&config, ledger.clone(), turns, bot_ids));

        let listener = edge::bind(config.bind)
            .with_context(|| format!("cannot listen on {}; set ARGUS_BIND to a free address", config.bind))?;
        let address = listener.local_addr()?;
        // Where the other commands of this machine find us.
        let address_file = home.own().join("address");
        std::fs::write(&address_file, format!("http://{address}\n"))
            .with_context(|| format!("cannot write {}", address_file.display()))?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let edge = Edge {
            access: access.clone(),
            origins: config.cors_origins.clone().into(),
            mode: config.mode,
            frame_limit: config.line_limit,
            sessions: sessions.clone(),
            intake: intake.clone(),
            chats: chats.clone(),
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
        tasks.spawn(edge::serve(listener, edge));
        tasks.spawn(access.run(stop.clone()));
        tasks.spawn({
            let (chats, stop) = (chats.clone(), stop.clone());
            async move { chats.gather_albums(stop).await }
        });
        if let Some(delivery) = delivery {
            let stop = stop.clone();
            tasks.spawn(async move { delivery.run(stop).await });
        }
        if let Some(retention) = config.retention {
            tasks.spawn(prune(ledger.clone(), retention, stop.clone()));
        }
        intake.resume().await?;
        tasks.spawn(adopt(sessions.clone(), stop.clone()));
        tracing::info!(%address, mode = config.mode.as_str(), boot, "the gateway serves");
        Ok(Self {
            address,
            token,
            token_file,
            chats,
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
        probe::stand(
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
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        self.ledger.close().await;
    }
}

/// What chats are made with; `bots` are those as which answers are sent.
fn chats_parts(
    config: &Config,
    ledger: Ledger,
    turns: Arc<ChatTurns>,
    bots: impl IntoIterator<Item = String>,
) -> ChatsParts {
    let telegram = config.telegram.as_ref();
    let ids = |ids: fn(&TelegramConfig) -> &Vec<String>| {
        telegram.into_iter().flat_map(ids).cloned().collect::<BTreeSet<_>>()
    };
    let policy = policy(config.sandbox, config.approval);
    ChatsParts {
        ledger,
        turns,
        scope: config.scope,
        allowed: ids(|telegram| &telegram.allowed_user_ids),
        operators: ids(|telegram| &telegram.operator_user_ids),
        open_chats: ids(|telegram| &telegram.allowed_chat_ids),
        sends_as: bots.into_iter().collect(),
        while_running: telegram.map_or(WhileRunning::Queue, |telegram| telegram.while_running),
        sandbox: policy.sandbox,
        approval: policy.ask,
        gathering: Gathering {
            context: telegram.map_or(0, |telegram| telegram.group_context),
            media_limit: telegram.map_or(0, |telegram| telegram.media_limit),
            ..Gathering::default()
        },
    }
}

/// The bots of Telegram, in the order in which they are named.
fn bots(config: &Config) -> Result<Vec<Telegram>, TokenError> {
    let bots = config.telegram.iter().flat_map(|t| t.tokens.iter().map(|token| (token, &t.api_url)));
    bots.map(|(token, api_url)| Telegram::new(token, api_url)).collect()
}

/// What brings the files that people send to the bots.
fn media(config: &Config, home: &Home) -> anyhow::Result<Option<Media>> {
    let Some(telegram) = &config.telegram else { return Ok(None) };
    let mut bots = HashMap::new();
    for token in &telegram.tokens {
        let id = token.reveal().split_once(':').map_or("", |(id, _)| id);
        bots.insert(id.to_owned(), Files::new(token, &telegram.api_url)?);
    }
    let (folder, transcriber) = (home.own().join("incoming"), telegram.transcriber.clone());
    let media = Media::new(bots, telegram.media_limit, transcriber, folder);
    Ok(Some(media.context("the folder for files on their way cannot be made")?))
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

/// Goes on with the runtimes that outlived the last gateway, as soon as they can be told.
async fn adopt(sessions: Sessions, stop: CancellationToken) {
    let mut pause = Duration::from_secs(1);
    loop {
        match sessions.adopt_running().await {
            Ok(true) => return,
            Ok(false) => tracing::debug!("not every runtime can be told yet"),
            Err(error) => tracing::warn!(%error, "runtimes that live cannot be told yet"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// Forgets finished rows once a day.
async fn prune(ledger: Ledger, retention: Duration, stop: CancellationToken) {
    let days = u32::try_from(retention.as_secs() / 86_400).unwrap_or(u32::MAX);
    let mut daily = tokio::time::interval(Duration::from_hours(24));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = daily.tick() => {}
        }
        match ledger.prune(crate::clock::unix_ms(), days).await {
            Ok(pruned) => tracing::debug!(?pruned, "finished rows were forgotten"),
            Err(error) => tracing::warn!(%error, "finished rows could not be forgotten"),
        }
    }
}
