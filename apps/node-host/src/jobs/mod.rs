//! Commands that run as jobs: on disk from their first byte, kept by processes of their own, told of until they are heard.

mod answers;
mod config;
mod control;
mod ids;
mod index;
mod list;
mod logs;
mod meta;
mod page;
mod params;
pub mod plan;
mod run;
mod start;
mod store;
mod telling;
mod watching;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::call::{Answer, Call, Command};
pub use config::{JobsConfig, Limits};
use index::{Expired, Index, Phase};
use meta::{Fate, Meta};
pub use plan::RunPlan;
use store::Store;

/// How often it is looked whether results were delivered.
const LOOK: Duration = Duration::from_secs(1);

/// All jobs of this node; its copies are the same.
#[derive(Clone, Debug)]
pub struct Jobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: JobsConfig,
    store: Store,
    index: Mutex<Index>,
    ended: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Jobs {
    /// Opens the jobs of a folder: those that run are looked after, those whose keeper is gone are orphaned, and what is
    /// more than may be kept is removed. Fails where another program has them, and must be called within a runtime.
    pub fn open(config: JobsConfig) -> io::Result<Self> {
        let store = Store::open(&config.folder)?;
        let (mut index, mut running) = (Index::default(), Vec::new());
        for mut meta in store.scan()? {
            if meta.running {
                let exit = match store.fate(&meta.job_id) {
                    Fate::Running => {
                        running.push(meta.job_id.clone());
                        None
                    }
                    Fate::Ended(exit) => Some(Some(exit)),
                    Fate::Orphaned => Some(None),
                };
                if let Some(exit) = exit {
                    let written = store.written(&meta.job_id);
                    let now_ms = crate::keeper::words::now_ms();
                    meta.end(exit.clone(), now_ms, written);
                    if let Err(error) = store.change(&meta.job_id, |meta| meta.end(exit, now_ms, written)) {
                        tracing::error!(%error, job = meta.job_id, "a job's end cannot be noted");
                    }
                }
            }
            let (out, err) = store.written(&meta.job_id);
            index.take_in(&meta, out + err);
        }
        let jobs = Self(Arc::new(Inner {
            config,
            store,
            index: Mutex::new(index),
            ended: watch::Sender::new(0),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        jobs.prune();
        for id in running {
            jobs.0.tasks.spawn(jobs.clone().look_after(id, None));
        }
        jobs.0.tasks.spawn(jobs.clone().look_for_deliveries());
        Ok(jobs)
    }

    /// How many run.
    pub fn at_work(&self) -> usize {
        self.index().live().count()
    }

    /// Looks after no job any more; all that run go on, and whoever opens the folder next looks after them. Calls that
    /// wait here are left without an answer.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    /// Has whoever tells of ends look.
    fn something_ended(&self) {
        self.0.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn look_for_deliveries(self) {
        while self.0.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            if self.index().expire(Instant::now()) == Expired::Some {
                self.something_ended();
            }
        }
    }

    /// Removes what is more than may be kept.
    fn prune(&self) {
        let surplus = self.index().prune(&self.0.config.limits);
        for (id, told) in surplus {
            if !told {
                tracing::warn!(
                    job = id,
                    "a job's end is forgotten before anybody was told: too many are kept"
                );
            }
            self.store().remove(&id);
        }
    }

    /// Refuses what is about another session's job, as if there were none: the owner said yes to one session, and its
    /// output is nobody else's.
    fn is_the_callers(&self, call: &Call) -> Result<(), Fault> {
        let named = call.params.get("jobId").and_then(serde_json::Value::as_str);
        match named {
            Some(id) if !self.index().is_seen_by(id, call.asker.session_id.as_deref()) => Err(no_job(id)),
            _ => Ok(()),
        }
    }

    /// How far a job is.
    fn phase(&self, id: &str) -> Result<watch::Receiver<Phase>, Fault> {
        let known = if ids::is_one(id) { self.index().phase(id) } else { None };
        known.ok_or_else(|| no_job(id))
    }

    /// All that is known of a job now.
    fn meta(&self, id: &str) -> Result<Meta, Fault> {
        let phase = self.phase(id)?.borrow().clone();
        let mut meta = self.store().read(id).map_err(|error| {
            Fault::new(code::FAILED, format!("what is known of job `{id}` cannot be read: {error}"))
        })?;
        match phase {
            Phase::Running(Some((pid, started_at_ms))) => {
                (meta.pid, meta.started_at_ms) = (Some(pid), Some(started_at_ms));
            }
            // Its end could not be put on disk; it is in its keeper's words still.
            Phase::Ended if meta.running => {
                let exit = if let Fate::Ended(exit) = self.store().fate(id) { Some(exit) } else { None };
                meta.end(exit, crate::keeper::words::now_ms(), self.store().written(id));
            }
            _ => {}
        }
        if meta.running {
            (meta.stdout_bytes, meta.stderr_bytes) = self.store().written(id);
        }
        Ok(meta)
    }

    /// Does something with disks where it keeps nobody waiting.
    async fn aside<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let jobs = self.clone();
        let done = tokio::task::spawn_blocking(move || deed(&jobs)).await;
        done.map_err(|error| Fault::new(code::FAILED, format!("it was broken off: {error}")))
    }
}

fn no_job(id: &str) -> Fault {
    Fault::new(code::NOT_FOUND, format!("there is no job `{id}`; `process.list` tells those there are"))
}

#[async_trait]
impl Command for Jobs {
    fn names(&self) -> Vec<&'static str> {
        vec![
            "system.run",
            "process.list",
            "process.get",
            "process.logs",
            "process.kill",
            "process.write",
            "process.resize",
            "process.signal",
        ]
    }

    async fn call(&self, call: Call) -> Answer {
        self.is_the_callers(&call)?;
        match call.command.as_str() {
            "process.list" => self.list(&call).await,
            "process.get" => self.get(&call),
            "process.logs" => self.logs(&call).await,
            "process.kill" => self.kill(&call).await,
            "process.write" => self.write(&call).await,
            "process.resize" => self.resize(&call).await,
            "process.signal" => self.signal(&call).await,
            // `system.run` is not done without a plan: see `Jobs::run`.
            other => Err(Fault::new(code::UNSUPPORTED, format!("`{other}` is no command of jobs"))),
        }
    }
}
