//! The book of jobs: what people and programs may ask about them.

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Begun, History, Job, Jobs, Listed, Status};

use super::keeping::job_of;
use super::timing::Schedule;
use crate::automation::Automation;
use crate::clock::new_run_mark;
use crate::store::ledger::LedgerError;
use crate::store::state_file::StateError;

/// Runs that are told where nobody says how many, and at most.
const TOLD_RUNS: (u32, u32) = (20, 200);

/// Why something cannot be done about jobs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// A member is not there that must be.
    #[error("Missing '{0}'")]
    Missing(&'static str),
    /// A member is wrong.
    #[error("'{field}': {reason}")]
    Wrong {
        /// Which.
        field: &'static str,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// There is no such job.
    #[error("Job not found")]
    NoJob(String),
    /// The caller may not name that chat.
    #[error(
        "'deliver': session `{session}` does not speak with `{chat}`; use home, last, none or a chat of its own"
    )]
    NotItsChat {
        /// The session.
        session: SessionId,
        /// The chat.
        chat: String,
    },
    /// It did not work; in words.
    #[error("{0}")]
    Failed(String),
}

impl From<LedgerError> for CronError {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StateError> for CronError {
    fn from(error: StateError) -> Self {
        Self::Failed(error.to_string())
    }
}

fn failed(words: impl Into<String>) -> CronError {
    CronError::Failed(words.into())
}

impl Automation {
    /// How many jobs there are, and when the next one is due.
    pub async fn cron_status(&self, session: &SessionId) -> Status {
        let jobs = self.0.state.jobs(session).await;
        let enabled = || jobs.iter().filter(|job| job.enabled);
        Status {
            ok: true,
            session_id: session.clone(),
            default_session_id: self.0.workers.stored_default().await,
            jobs: jobs.len(),
            enabled_jobs: enabled().count(),
            next_due_at_ms: enabled().filter_map(|job| self.shown_next(job)).min(),
        }
    }

    /// Every job, or every one that is enabled.
    pub async fn list_jobs(&self, session: &SessionId, include_disabled: Option<bool>) -> Jobs {
        let mut jobs = self.0.state.jobs(session).await;
        jobs.retain(|job| job.enabled || include_disabled.unwrap_or(true));
        let listed = |mut job: Job| {
            let trouble = self.schedule_of(&job).err().map(|trouble| trouble.to_string());
            job.next_run_at_ms = self.shown_next(&job);
            Listed { job, trouble }
        };
        Jobs { ok: true, session_id: session.clone(), jobs: jobs.into_iter().map(listed).collect() }
    }

    /// Runs a job now, enabled or not. When it is due by itself stays as it is.
    pub async fn run_job(&self, session: &SessionId, id: &str) -> Result<Begun, CronError> {
        let job = self.job(session, id).await?;
        let now = (self.0.clock)();
        let run = format!("{}@now-{}", job.job_id, new_run_mark());
        let submission = self.make_run_now(session, &job, run.clone(), now).await?;
        let submission =
            submission.ok_or_else(|| failed("the run before it has not ended; wait for it or stop it"))?;
        argus_crash_point::here("cron.stored").await;
        let noted = self.0.state.change_jobs(session, |jobs| {
            job_of(jobs, id).map(|job| job.last_run_at_ms = job.last_run_at_ms.max(Some(now)))
        });
        if let Err(error) = noted.await {
            tracing::warn!(session.id = %session, job.id = id, %error, "that a job ran could not be noted");
        }
        let submission_id = submission.id.clone();
        self.0.workers.begin(submission).await;
        Ok(Begun {
            ok: true,
            session_id: session.clone(),
            job_id: id.to_owned(),
            enqueued: true,
            run,
            submission_id,
        })
    }

    /// The runs of a job, the newest first; also of one that was removed.
    pub async fn job_history(
        &self,
        session: &SessionId,
        id: &str,
        limit: Option<u32>,
    ) -> Result<History, CronError> {
        let most = limit.unwrap_or(TOLD_RUNS.0).clamp(1, TOLD_RUNS.1);
        let runs = self.0.ledger.runs_of(session, id, most).await?;
        if runs.is_empty() {
            self.job(session, id).await?;
        }
        Ok(History { ok: true, session_id: session.clone(), job_id: id.to_owned(), runs })
    }

    pub(super) async fn job(&self, session: &SessionId, id: &str) -> Result<Job, CronError> {
        let mut jobs = self.0.state.jobs(session).await.into_iter();
        jobs.find(|job| job.job_id == id).ok_or_else(|| CronError::NoJob(id.to_owned()))
    }

    pub(super) fn schedule_of(&self, job: &Job) -> Result<Schedule, CronError> {
        Ok(self.timetable().schedule(job, self.0.config.zone)?)
    }

    /// When it is due next, also where that has not been noted yet.
    fn shown_next(&self, job: &Job) -> Option<u64> {
        if !job.enabled || job.next_run_at_ms.is_some() {
            return job.next_run_at_ms;
        }
        let had = job.last_run_at_ms;
        self.schedule_of(job).ok()?.next_after((self.0.clock)(), had)
    }
}
