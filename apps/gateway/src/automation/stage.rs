//! For tests: automation on a real ledger, with sessions that only take down what they are given, and a clock that is set.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::argus::deliver::Deliver;
use argus_schedule::Tz;
use argus_session::{ChatRef, Submission};
use async_trait::async_trait;
use serde_json::Value;

use super::ports::Workers;
use super::{Automation, AutomationParts, Pulse};
use crate::config::{AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When};
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;
use crate::workspace::{Workspace, Workspaces};

/// Sessions that take down what they are given.
#[derive(Default)]
pub(super) struct Desks {
    /// What was begun, in order.
    pub(super) begun: Mutex<Vec<Submission>>,
    /// The sessions that exist; the first is the default one once somebody asked for it.
    pub(super) known: Mutex<BTreeSet<SessionId>>,
    /// The default session, once chosen.
    pub(super) default: Mutex<Option<SessionId>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Workers for Desks {
    async fn begin(&self, submission: Submission) {
        locked(&self.begun).push(submission);
    }

    async fn knows(&self, session: &SessionId) -> bool {
        locked(&self.known).contains(session)
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        Ok(locked(&self.known).iter().cloned().collect())
    }

    async fn stored_default(&self) -> Option<SessionId> {
        locked(&self.default).clone()
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        let session = locked(&self.known).first().cloned().ok_or("there is no session")?;
        *locked(&self.default) = Some(session.clone());
        Ok(session)
    }

    async fn ask_agent(&self, _: &SessionId, _: &str, _: Value) -> Result<Value, String> {
        Err("nobody is there".to_owned())
    }
}

/// Everything of it.
pub(super) struct Stage {
    _dir: tempfile::TempDir,
    /// What is durable.
    pub(super) ledger: Ledger,
    /// The sessions.
    pub(super) desks: Arc<Desks>,
    /// The shared workspace.
    pub(super) workspace: PathBuf,
    /// What is tested.
    pub(super) automation: Automation,
    clock: Arc<AtomicU64>,
}

impl Stage {
    /// Sets the clock.
    pub(super) fn at(&self, now: u64) {
        self.clock.store(now, Ordering::SeqCst);
    }

    /// Looks at that time; answers when something is due next.
    pub(super) async fn look(&self, now: u64) -> Option<u64> {
        self.at(now);
        self.automation.beat(now).await
    }

    /// The same in another process: what is remembered is gone.
    pub(super) fn again(self) -> Self {
        let parts = &self.automation.0;
        let automation = Automation::new(AutomationParts {
            ledger: parts.ledger.clone(),
            state: parts.state.clone(),
            workers: parts.workers.clone(),
            pulse: Pulse::default(),
            config: parts.config.clone(),
            bots: parts.bots.clone(),
            workspaces: parts.workspaces.clone(),
            clock: parts.clock.clone(),
        });
        Self { automation, ..self }
    }

    /// What was begun since this was asked last.
    pub(super) fn begun(&self) -> Vec<Submission> {
        std::mem::take(&mut locked(&self.desks.begun))
    }
}

/// A private chat.
pub(super) fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() }
}

/// Session `s1` with a shared workspace, a heartbeat every 30 minutes told in chat 7, and no limits but what `change` sets.
pub(super) async fn stage(change: impl FnOnce(&mut AutomationConfig)) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let workspace = dir.path().join("workspace");
    std::fs::create_dir(&workspace).unwrap();
    let workspaces = Workspaces::Shared(Workspace::Open(workspace.clone()));
    stage_in(dir, workspace, workspaces, change).await
}

/// The same over those workspaces.
pub(super) async fn stage_in(
    dir: tempfile::TempDir,
    workspace: PathBuf,
    workspaces: Workspaces,
    change: impl FnOnce(&mut AutomationConfig),
) -> Stage {
    let clock = Arc::new(AtomicU64::new(0));
    let time = clock.clone();
    let time: crate::store::clock::Clock = Arc::new(move || time.load(Ordering::SeqCst));
    let ledger =
        Ledger::open_with_clock(&dir.path().join("ledger.db"), crate::delivery::rows_for, time.clone()).await;
    let ledger = ledger.unwrap();
    let desks = Arc::new(Desks::default());
    locked(&desks.known).insert("s1".parse().unwrap());
    let mut config = AutomationConfig {
        heartbeat: HeartbeatConfig {
            every: Some(Duration::from_mins(30)),
            hours: Hours::ALL,
            when: When::Always,
            thread: BeatThread::Main,
            target: Deliver::Chat { channel: "telegram".into(), bot: None, chat: "7".parse().unwrap() },
        },
        zone: Tz::UTC,
        budget: Budget { turns: 0, tokens: 0 },
        context: ContextMode::Every,
    };
    change(&mut config);
    let automation = Automation::new(AutomationParts {
        ledger: ledger.clone(),
        state: Arc::new(StateFile::load(&dir.path().join("state.json")).unwrap()),
        workers: desks.clone(),
        pulse: Pulse::default(),
        config,
        bots: vec!["1".to_owned()],
        workspaces,
        clock: time,
    });
    Stage { _dir: dir, ledger, desks, workspace, automation, clock }
}
