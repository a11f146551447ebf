//! Runs of scheduled jobs: each is made once, ends once, and stays as the job's history.

use argus_protocol::argus::cron::{Run, RunState};
use argus_protocol::{SessionId, SubmissionId, ThreadId};
use argus_session::{Origin, Outcome, Settlement, Submission};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse_some, to_sql};
use super::{Allowance, Ledger, LedgerError, NewSubmission, Submitted, Tx};

/// A run that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// The session.
    pub session: SessionId,
    /// Names the run for ever.
    pub run: String,
    /// The job.
    pub job: String,
    /// What people call the job.
    pub name: String,
    /// Whether another one follows by itself.
    pub comes: Comes,
    /// When it should have been, unix milliseconds.
    pub due_ms: u64,
    /// How many threads of the job's runs are kept, where each has its own.
    pub keep: Option<u32>,
}

/// Whether a run is followed by another one by itself. People are told of every failure of what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comes {
    /// It is not: it was due once, or somebody asked for it.
    Once,
    /// It is.
    Again,
}

/// What became of a [`NewRun`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum AskedRun {
    /// It is stored, with its submission.
    Open(Submission),
    /// An earlier run of the job has not ended; this one is stored as left out.
    Behind,
    /// What may be done unasked is used up; this one is stored as left out.
    NoRoom,
    /// It was made before; nothing changed.
    Known,
}

/// How runs that are left out say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// An earlier run of the job has not ended.
    pub behind: &'static str,
    /// What may be done unasked is used up.
    pub used_up: &'static str,
}

/// Most runs in a row that are noted as left out.
const MOST_SKIPPED: u32 = 100;

const COLUMNS: &str = "run, due_ms, state, thread, reason, asked_ms, began_ms, ended_ms, tokens";

impl Ledger {
    /// The newest runs of a job, the newest first.
    pub async fn runs_of(&self, session: &SessionId, job: &str, most: u32) -> Result<Vec<Run>, LedgerError> {
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM cron_runs WHERE session = $1 AND job = $2 ORDER BY asked_ms DESC, due_ms DESC, run LIMIT $3"
        ))
        .bind(session.as_str())
        .bind(job)
        .bind(most)
        .fetch_all(self.reads())
        .await?;
        rows.iter().map(read).collect()
    }

    /// Whether a job has a run that has not ended.
    pub async fn has_open_run(&self, session: &SessionId, job: &str) -> Result<bool, LedgerError> {
        let open: i64 =
            sqlx::query_scalar(OPEN).bind(session.as_str()).bind(job).fetch_one(self.reads()).await?;
        Ok(open > 0)
    }

    /// Stores runs of one job with their submissions, all together. Where an earlier run has not ended, and those that the
    /// allowance has no room for, they are stored as left out. A run that is known already makes nothing.
    ///
    /// What is used up is counted here, where nothing else begins meanwhile.
    pub async fn ask_for_runs(
        &self,
        runs: Vec<(NewRun, Submission)>,
        left_out: LeftOut,
        allowance: Option<Allowance>,
    ) -> Result<Vec<AskedRun>, LedgerError> {
        self.write(move |tx| {
            Box::pin(async move {
                let mut asked = Vec::with_capacity(runs.len());
                let Some((first, _)) = runs.first() else { return Ok(asked) };
                let busy = tx.has_open_run(&first.session, &first.job).await?;
                let mut room = match allowance {
                    Some(allowance) => tx.turns_left(&first.session, allowance).await?,
                    None => u64::MAX,
                };
                for (run, submission) in runs {
                    let one = if busy {
                        tx.leave_out(run, left_out.behind, AskedRun::Behind).await?
                    } else if room == 0 {
                        tx.leave_out(run, left_out.used_up, AskedRun::NoRoom).await?
                    } else {
                        tx.ask_for_run(run, submission).await?
                    };
                    room -= u64::from(matches!(one, AskedRun::Open(_)));
                    asked.push(one);
                }
                Ok(asked)
            })
        })
        .await
    }

    /// Stores a run that is left out, once; where very many before it were too, it is not noted any more.
    pub async fn skip_run(&self, run: NewRun, reason: &str) -> Result<(), LedgerError> {
        let reason = reason.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                if tx.knows_run(&run).await? { Ok(()) } else { tx.note_skipped(&run, &reason).await }
            })
        })
        .await
    }
}

/// A run whose submission ended is over, whatever its row says.
const OPEN: &str = "SELECT count(*) FROM cron_runs r JOIN submissions s ON s.id = r.submission \
     WHERE r.session = $1 AND r.job = $2 AND r.state = 'open' AND s.state <> 'settled'";

impl Tx {
    async fn has_open_run(&mut self, session: &SessionId, job: &str) -> Result<bool, LedgerError> {
        let open: i64 =
            sqlx::query_scalar(OPEN).bind(session.as_str()).bind(job).fetch_one(&mut self.connection).await?;
        Ok(open > 0)
    }

    async fn knows_run(&mut self, run: &NewRun) -> Result<bool, LedgerError> {
        let known: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM cron_runs WHERE session = $1 AND run = $2")
                .bind(run.session.as_str())
                .bind(&run.run)
                .fetch_optional(&mut self.connection)
                .await?;
        Ok(known.is_some())
    }

    async fn leave_out(
        &mut self,
        run: NewRun,
        why: &str,
        as_what: AskedRun,
    ) -> Result<AskedRun, LedgerError> {
        if self.knows_run(&run).await? {
            return Ok(AskedRun::Known);
        }
        self.note_skipped(&run, why).await?;
        Ok(as_what)
    }

    async fn ask_for_run(&mut self, run: NewRun, submission: Submission) -> Result<AskedRun, LedgerError> {
        if self.knows_run(&run).await? {
            return Ok(AskedRun::Known);
        }
        let key = Some(format!("cron:{}", run.run));
        match self.submit(NewSubmission { submission, idempotency_key: key }).await? {
            Submitted::Repeated(_) => Ok(AskedRun::Known),
            Submitted::New(submission) => {
                self.insert_run(&run, "open", Some(&submission.id), None).await?;
                Ok(AskedRun::Open(submission))
            }
        }
    }

    /// So many in a row are noted and no more: a job may be due each second.
    async fn note_skipped(&mut self, run: &NewRun, reason: &str) -> Result<(), LedgerError> {
        let newest: Vec<String> = sqlx::query_scalar(
            "SELECT state FROM cron_runs WHERE session = $1 AND job = $2 ORDER BY asked_ms DESC LIMIT $3",
        )
        .bind(run.session.as_str())
        .bind(&run.job)
        .bind(MOST_SKIPPED)
        .fetch_all(&mut self.connection)
        .await?;
        if newest.len() == MOST_SKIPPED as usize && newest.iter().all(|state| state == "skipped") {
            return Ok(());
        }
        self.insert_run(run, "skipped", None, Some(reason)).await
    }

    async fn insert_run(
        &mut self,
        run: &NewRun,
        state: &str,
        submission: Option<&SubmissionId>,
        reason: Option<&str>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO cron_runs (session, run, job, name, comes, due_ms, state, submission, reason, asked_ms, keep) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(run.session.as_str())
        .bind(&run.run)
        .bind(&run.job)
        .bind(&run.name)
        .bind(if run.comes == Comes::Once { "once" } else { "again" })
        .bind(to_sql(run.due_ms))
        .bind(state)
        .bind(submission.map(SubmissionId::as_str))
        .bind(reason)
        .bind(to_sql(self.now_ms()))
        .bind(run.keep)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Notes how a run ended; the settlement as people are to be told of it, `None` where they are not. In it `job` is what
    /// people call the job, and `run` is blank where no other one follows.
    pub(super) async fn end_run(
        &mut self,
        settlement: &Settlement,
    ) -> Result<Option<Settlement>, LedgerError> {
        let (Origin::Cron { job, run, chat }, Some(submission)) =
            (&settlement.origin, settlement.submissions.first())
        else {
            return Ok(Some(settlement.clone()));
        };
        let row = sqlx::query(
            "SELECT r.session, r.name, r.comes, s.started_ms FROM submissions s JOIN cron_runs r \
             ON r.session = s.session AND r.run = $2 WHERE s.id = $1",
        )
        .bind(submission.as_str())
        .bind(run)
        .fetch_optional(&mut self.connection)
        .await?;
        // Forgotten with its session, or long ago.
        let Some(row) = row else { return Ok(Some(settlement.clone())) };
        let (session, name): (String, String) = (row.try_get("session")?, row.try_get("name")?);
        let again = row.try_get::<String, _>("comes")? == "again";
        let began: Option<i64> = row.try_get("started_ms")?;
        let (state, reason) = match &settlement.outcome {
            Outcome::Completed { .. } => ("done", None),
            Outcome::Interrupted { .. } => ("stopped", None),
            Outcome::Failed { reason, .. } => ("failed", Some(reason)),
        };
        let repeated = state == "failed" && again && self.failed_last(&session, job).await?;
        sqlx::query(
            "UPDATE cron_runs SET state = $3, reason = $4, thread = coalesce($5, thread), began_ms = $6, ended_ms = $7, \
             tokens = $8 WHERE session = $1 AND run = $2 AND state = 'open'",
        )
        .bind(&session)
        .bind(run)
        .bind(state)
        .bind(reason)
        .bind(settlement.thread.as_ref().map(ThreadId::as_str))
        .bind(began)
        .bind(to_sql(self.now_ms()))
        .bind(settlement.usage.map(|usage| to_sql(usage.input.saturating_add(usage.output))))
        .execute(&mut self.connection)
        .await?;
        let run = if again { run.clone() } else { String::new() };
        let origin = Origin::Cron { job: name, run, chat: chat.clone() };
        Ok((!repeated).then(|| Settlement { origin, ..settlement.clone() }))
    }

    /// Whether the run of the job that ended last failed.
    async fn failed_last(&mut self, session: &str, job: &str) -> Result<bool, LedgerError> {
        let last: Option<String> = sqlx::query_scalar(
            "SELECT state FROM cron_runs WHERE session = $1 AND job = $2 AND ended_ms IS NOT NULL \
             ORDER BY ended_ms DESC, asked_ms DESC LIMIT 1",
        )
        .bind(session)
        .bind(job)
        .fetch_optional(&mut self.connection)
        .await?;
        Ok(last.as_deref() == Some("failed"))
    }
}

fn read(row: &SqliteRow) -> Result<Run, LedgerError> {
    let time = |name: &str| -> Result<Option<u64>, LedgerError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(from_sql))
    };
    let (began_at_ms, ended_at_ms) = (time("began_ms")?, time("ended_ms")?);
    Ok(Run {
        run: row.try_get("run")?,
        due_at_ms: from_sql(row.try_get("due_ms")?),
        state: state(row.try_get("state")?)?,
        thread_id: parse_some("a thread id", row.try_get("thread")?)?,
        reason: row.try_get("reason")?,
        asked_at_ms: from_sql(row.try_get("asked_ms")?),
        began_at_ms,
        ended_at_ms,
        duration_ms: began_at_ms.zip(ended_at_ms).map(|(began, ended)| ended.saturating_sub(began)),
        tokens: time("tokens")?,
    })
}

fn state(text: &str) -> Result<RunState, LedgerError> {
    match text {
        "open" => Ok(RunState::Open),
        "done" => Ok(RunState::Done),
        "failed" => Ok(RunState::Failed),
        "stopped" => Ok(RunState::Stopped),
        "skipped" => Ok(RunState::Skipped),
        other => Err(LedgerError::unreadable("a run's state", other)),
    }
}
