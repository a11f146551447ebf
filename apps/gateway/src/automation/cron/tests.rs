//! Jobs from their adding to the end of their runs, over a real ledger and a real state file.

mod book;
mod due;
mod ends;
mod zones;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Job, Kept, Run, RunState, Wish};
use argus_protocol::argus::deliver::Deliver;
use argus_schedule::{DateTime, Tz, Utc};
use argus_session::{ChatRef, Origin, Outcome, Settlement, Submission, Target, Usage};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;
use crate::automation::ports::Workers;
use crate::automation::{AutomationParts, Pulse};
use crate::clock::new_submission_id;
use crate::config::{AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When};
use crate::delivery::{Reach, rows_for};
use crate::store::ledger::{Body, Ledger, NewSubmission, TextBody};
use crate::store::state_file::StateFile;
use crate::workspace::{Workspace, Workspaces};

/// Sessions that note what is begun.
#[derive(Default)]
struct Noted {
    begun: Mutex<Vec<Submission>>,
    asked: Mutex<Vec<(String, Value)>>,
    /// What the agent answers; in words where it does not.
    answer: Mutex<Option<String>>,
    unknown: Mutex<BTreeSet<SessionId>>,
}

#[async_trait]
impl Workers for Noted {
    async fn begin(&self, submission: Submission) {
        self.begun.lock().unwrap().push(submission);
    }

    async fn knows(&self, session: &SessionId) -> bool {
        !self.unknown.lock().unwrap().contains(session)
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        Ok(vec![s("s")])
    }

    async fn stored_default(&self) -> Option<SessionId> {
        Some(s("s"))
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        Ok(s("s"))
    }

    async fn ask_agent(&self, _: &SessionId, method: &str, params: Value) -> Result<Value, String> {
        self.asked.lock().unwrap().push((method.to_owned(), params));
        match self.answer.lock().unwrap().clone() {
            None => Ok(json!({})),
            Some(words) => Err(words),
        }
    }
}

/// A gateway's automation in a folder, at a time that is set.
struct Desk {
    dir: tempfile::TempDir,
    clock: Arc<AtomicU64>,
    workers: Arc<Noted>,
    config: AutomationConfig,
}

fn s(id: &str) -> SessionId {
    id.parse().unwrap()
}

fn ms(time: &str) -> u64 {
    u64::try_from(time.parse::<DateTime<Utc>>().unwrap().timestamp_millis()).unwrap()
}

fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() }
}

impl Desk {
    /// One whose clock shows this time.
    fn at(time: &str) -> Self {
        let clock = Arc::new(AtomicU64::new(ms(time)));
        Self { dir: tempfile::tempdir().unwrap(), clock, workers: Arc::default(), config: config() }
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn set(&self, time: &str) {
        self.clock.store(ms(time), Ordering::SeqCst);
    }

    /// A gateway that starts here.
    async fn start(&self) -> Automation {
        let clock = self.clock.clone();
        let clock: crate::store::clock::Clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let file = self.dir.path().join("ledger.db");
        let ledger = Ledger::open_with_clock(&file, rows_for, clock.clone()).await.unwrap();
        Automation::new(AutomationParts {
            ledger,
            state: Arc::new(StateFile::load(&self.dir.path().join("state.json")).unwrap()),
            workers: self.workers.clone(),
            pulse: Pulse::default(),
            config: self.config.clone(),
            bots: vec!["1".to_owned()],
            workspaces: Workspaces::Shared(Workspace::Open(self.dir.path().to_owned())),
            clock,
        })
    }

    /// Looks at the time of the clock.
    async fn look(&self, automation: &Automation) -> Option<u64> {
        automation.run_due_jobs(self.now()).await
    }

    /// What was begun since this was asked last: job text and run.
    fn begun(&self) -> Vec<(String, String)> {
        let begun = std::mem::take(&mut *self.workers.begun.lock().unwrap());
        begun
            .into_iter()
            .map(|submission| {
                let Origin::Cron { run, .. } = submission.origin else { panic!("a scheduled run") };
                (submission.text, run)
            })
            .collect()
    }

    /// The same, where each is done at once.
    async fn ending(&self, automation: &Automation) -> Vec<(String, String)> {
        let begun = self.workers.begun.lock().unwrap().clone();
        for submission in begun {
            let turn = Some("turn".parse().unwrap());
            let settlement =
                Settlement { turn, ..ended(&submission, Outcome::Completed { text: String::new() }) };
            automation.0.ledger.settle(&settlement).await.unwrap();
        }
        self.begun()
    }

    /// The last submission that was begun.
    fn last_begun(&self) -> Submission {
        self.workers.begun.lock().unwrap().last().cloned().unwrap()
    }
}

fn config() -> AutomationConfig {
    AutomationConfig {
        heartbeat: HeartbeatConfig {
            every: None,
            hours: Hours::ALL,
            when: When::Always,
            thread: BeatThread::Main,
            target: Deliver::Home,
        },
        zone: Tz::UTC,
        budget: Budget { turns: 0, tokens: 0 },
        context: ContextMode::Every,
    }
}

async fn add(automation: &Automation, wish: Value) -> Kept {
    let wish: Wish = serde_json::from_value(wish).unwrap();
    automation.add_job(&s("s"), &wish, Reach::Everywhere).await.unwrap()
}

async fn history(automation: &Automation, job: &str) -> Vec<Run> {
    automation.job_history(&s("s"), job, None).await.unwrap().runs
}

/// The states of a job's runs, the newest first.
async fn states(automation: &Automation, job: &str) -> Vec<RunState> {
    history(automation, job).await.into_iter().map(|run| run.state).collect()
}

fn ended(submission: &Submission, outcome: Outcome) -> Settlement {
    Settlement {
        submissions: vec![submission.id.clone()],
        origin: submission.origin.clone(),
        thread: Some("t".parse().unwrap()),
        turn: None,
        outcome,
        usage: Some(Usage { input: 100, cached: 50, output: 7 }),
    }
}

/// What waits for the chats, as plain texts; it is taken.
async fn told(automation: &Automation) -> Vec<String> {
    let mut told = Vec::new();
    // Of each chat the oldest alone is offered.
    while let Some(row) = automation.0.ledger.waiting_rows("telegram", "1", 1).await.unwrap().pop() {
        let Body::Text(TextBody { plain, .. }) = row.body else { panic!("a text") };
        told.push(plain);
        automation.0.ledger.mark_sent(row.id, "").await.unwrap();
    }
    told
}
