//! Makes the runs of a job: stored with their submissions before anything else.

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Job, JobThread};
use argus_session::{ChatRef, Origin, Submission, Target};

use super::timing::{Plan, Schedule, plan};
use super::{Looked, RETRY_MS, Then};
use crate::automation::Automation;
use crate::clock::new_submission_id;
use crate::store::ledger::{Allowance, AskedRun, Comes, LedgerError, LeftOut, NewRun};

/// How many threads are kept of a job whose runs have their own, where it does not say.
const KEPT_THREADS: u32 = 10;

/// Turns that a session has begun unasked, or is about to, when a job in a thread of its own waits for one of them to end.
const SIDE_BY_SIDE: u64 = 8;

/// Why a run is left out.
const LEFT_OUT: LeftOut = LeftOut {
    behind: "the run before it had not ended",
    used_up: "what may be done unasked in a day was used up",
};
const MISSED: &str = "its time had passed when the gateway looked, and the job leaves such times out";

impl Automation {
    /// Looks at a job whose time has come, or is not known.
    pub(super) async fn look_at_job(&self, session: SessionId, job: Job, now: u64) -> Looked {
        let parts = &self.0;
        let looked = |job, begins, then| Looked { session: session.clone(), job, begins, then };
        let schedule = match self.timetable().schedule(&job, parts.config.zone) {
            Ok(schedule) => schedule,
            Err(trouble) => return looked(job, Vec::new(), Then::Stops(trouble)),
        };
        let plan = plan(&schedule, &job, now);
        if plan.runs.is_empty() && plan.missed.is_none() && plan.next == job.next_run_at_ms {
            return looked(job, Vec::new(), Then::Stays);
        }
        if !parts.workers.knows(&session).await {
            if self.timetable().is_news(&session) {
                tracing::warn!(session.id = %session, "a session that does not exist has scheduled jobs; they wait for it");
            }
            return looked(job, Vec::new(), Then::Stays);
        }
        match self.has_room(&session, &job).await {
            Ok(true) => {}
            Ok(false) => return looked(job, Vec::new(), Then::Again(now.saturating_add(RETRY_MS))),
            Err(error) => {
                tracing::error!(session.id = %session, job.id = job.job_id, %error, "a job cannot be looked at; it is tried again");
                return looked(job, Vec::new(), Then::Again(now.saturating_add(RETRY_MS)));
            }
        }
        let moves = Then::Moves { last: plan.runs.last().copied().or(plan.missed), next: plan.next };
        match self.make_runs(&session, &job, &schedule, &plan, now).await {
            Ok(begins) => looked(job, begins, moves),
            Err(error) => {
                tracing::error!(session.id = %session, job.id = job.job_id, %error, "a scheduled run could not be stored; it is tried again");
                looked(job, Vec::new(), Then::Again(now.saturating_add(RETRY_MS)))
            }
        }
    }

    /// Whether a job that would run beside others may begin now.
    async fn has_room(&self, session: &SessionId, job: &Job) -> Result<bool, LedgerError> {
        match job.thread {
            JobThread::Main => Ok(true),
            JobThread::Own => Ok(self.0.ledger.open_unasked(session).await? < SIDE_BY_SIDE),
        }
    }

    /// Stores the runs of a plan; what is to be begun.
    async fn make_runs(
        &self,
        session: &SessionId,
        job: &Job,
        schedule: &Schedule,
        plan: &Plan,
        now: u64,
    ) -> Result<Vec<Submission>, LedgerError> {
        let ledger = &self.0.ledger;
        let comes = if matches!(schedule, Schedule::At(_)) { Comes::Once } else { Comes::Again };
        let of = |due: u64| new_run(session, job, format!("{}@{due}", job.job_id), due, comes);
        if let Some(missed) = plan.missed {
            ledger.skip_run(of(missed), MISSED).await?;
        }
        if plan.runs.is_empty() {
            return Ok(Vec::new());
        }
        let chat = self.place(session, &job.deliver).await?;
        let runs = plan.runs.iter().map(|due| {
            let run = of(*due);
            let submission = submission(session, job, &run.run, chat.clone());
            (run, submission)
        });
        let asked = self.store_runs(session, job, runs.collect(), self.allowance(now)).await?;
        if asked.contains(&AskedRun::NoRoom) {
            // Says that it is used up, once.
            self.within_budget(session, now, chat.as_ref()).await?;
        }
        Ok(begins(asked))
    }

    /// Stores a run that somebody asks for now; nothing where the run before it has not ended.
    pub(super) async fn make_run_now(
        &self,
        session: &SessionId,
        job: &Job,
        run: String,
        now: u64,
    ) -> Result<Option<Submission>, LedgerError> {
        if self.0.ledger.has_open_run(session, &job.job_id).await? {
            return Ok(None);
        }
        let chat = self.place(session, &job.deliver).await?;
        let submission = submission(session, job, &run, chat);
        let run = new_run(session, job, run, now, Comes::Once);
        Ok(begins(self.store_runs(session, job, vec![(run, submission)], None).await?).pop())
    }

    async fn store_runs(
        &self,
        session: &SessionId,
        job: &Job,
        runs: Vec<(NewRun, Submission)>,
        allowance: Option<Allowance>,
    ) -> Result<Vec<AskedRun>, LedgerError> {
        let asked = self.0.ledger.ask_for_runs(runs, LEFT_OUT, allowance).await?;
        let begins = asked.iter().any(|asked| matches!(asked, AskedRun::Open(_)));
        if begins && job.thread == JobThread::Own {
            self.timetable().note_thread(session, &job.job_id);
        }
        Ok(asked)
    }
}

fn begins(asked: Vec<AskedRun>) -> Vec<Submission> {
    let begins = asked.into_iter().filter_map(|asked| match asked {
        AskedRun::Open(submission) => Some(submission),
        AskedRun::Behind | AskedRun::NoRoom | AskedRun::Known => None,
    });
    begins.collect()
}

fn new_run(session: &SessionId, job: &Job, run: String, due_ms: u64, comes: Comes) -> NewRun {
    NewRun {
        session: session.clone(),
        run,
        job: job.job_id.clone(),
        name: job.name.clone().unwrap_or_else(|| job.job_id.clone()),
        comes,
        due_ms,
        keep: (job.thread == JobThread::Own).then(|| job.keep.unwrap_or(KEPT_THREADS)),
    }
}

fn submission(session: &SessionId, job: &Job, run: &str, chat: Option<ChatRef>) -> Submission {
    Submission {
        id: new_submission_id(),
        session: session.clone(),
        target: match job.thread {
            JobThread::Main => Target::Main,
            JobThread::Own => Target::Named { name: format!("cron:{run}") },
        },
        thread: None,
        origin: Origin::Cron { job: job.job_id.clone(), run: run.to_owned(), chat },
        text: job.text.clone(),
        attachments: Vec::new(),
    }
}
