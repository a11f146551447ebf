//! Submissions: stored before they count, open until they are settled, settled once.

use argus_protocol::{SessionId, SubmissionId, ThreadId, TurnId};
use argus_session::{OpenState, OpenSubmission, Origin, Submission, Target};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_json, from_sql, parse, parse_some, to_json, to_sql};
use super::{Ledger, LedgerError, Tx, named_threads, threads};

/// What is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubmission {
    /// The submission. Where its thread is not set and its target names or binds one, that one is filled in.
    pub submission: Submission,
    /// Names this very request within its session; the same key again stores nothing.
    pub idempotency_key: Option<String>,
}

/// What became of a [`NewSubmission`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum Submitted {
    /// It is stored, and queued.
    New(Submission),
    /// Its idempotency key was seen before; this is what it made then.
    Repeated(Known),
}

/// A submission as far as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: SubmissionId,
    /// How far it is.
    pub phase: Phase,
    /// Its thread, once known.
    pub thread: Option<ThreadId>,
    /// Its turn, once known.
    pub turn: Option<TurnId>,
}

/// How far a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It waits.
    Queued,
    /// Its turn has been asked for.
    Starting,
    /// Its turn runs.
    Running,
    /// It ended.
    Settled,
}

impl Ledger {
    /// Stores a submission.
    pub async fn submit(&self, new: NewSubmission) -> Result<Submitted, LedgerError> {
        self.write(|tx| Box::pin(async move { tx.submit(new).await })).await
    }

    /// The open submissions of a session, oldest first.
    pub async fn open_submissions(&self, session: &SessionId) -> Result<Vec<OpenSubmission>, LedgerError> {
        let rows = sqlx::query(OPEN).bind(session.as_str()).fetch_all(self.reads()).await?;
        rows.iter().map(read_open).collect()
    }

    /// The sessions that have any, and those that have only questions which are open.
    pub async fn sessions_with_open_submissions(&self) -> Result<Vec<SessionId>, LedgerError> {
        let sessions: Vec<String> = sqlx::query_scalar(
            "SELECT session FROM (SELECT session, min(seq) AS place FROM submissions WHERE state <> 'settled' GROUP BY session \
             UNION ALL SELECT session, max(created_ms) FROM questions WHERE state = 'open' GROUP BY session) AS open \
             GROUP BY session ORDER BY min(place)",
        )
        .fetch_all(self.reads())
        .await?;
        sessions.iter().map(|text| parse("a session id", text)).collect()
    }

    /// The keys of a session's questions that chats were asked and that have neither an answer nor another end.
    pub async fn open_questions(&self, session: &SessionId) -> Result<Vec<String>, LedgerError> {
        let keys = sqlx::query_scalar("SELECT key FROM questions WHERE session = $1 AND state = 'open'");
        Ok(keys.bind(session.as_str()).fetch_all(self.reads()).await?)
    }

    /// Changes the text of a submission that waits; whether it still did.
    pub async fn amend(&self, id: &SubmissionId, text: &str) -> Result<bool, LedgerError> {
        let (id, text) = (id.clone(), text.to_owned());
        self.write(move |tx| Box::pin(async move { tx.amend(&id, &text).await })).await
    }

    /// Notes that one frame asks for the turn of these submissions. To be called before the frame goes out.
    ///
    /// Here and below: when one of them is not open, that is an error and none is changed.
    pub async fn mark_starting(
        &self,
        ids: &[SubmissionId],
        thread: &ThreadId,
        boot: &str,
        down_seq: u64,
        request_id: u64,
        after_seq: u64,
    ) -> Result<(), LedgerError> {
        let (ids, thread, boot) = (ids.to_vec(), thread.clone(), boot.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                for id in &ids {
                    let done = sqlx::query(
                        "UPDATE submissions SET state = 'starting', thread = $2, boot = $3, down_seq = $4, \
                         request_id = $5, after_seq = $6, turn = NULL, started_ms = $7 WHERE id = $1 AND state <> 'settled'",
                    )
                    .bind(id.as_str())
                    .bind(thread.as_str())
                    .bind(&boot)
                    .bind(down_seq.cast_signed())
                    .bind(request_id.cast_signed())
                    .bind(after_seq.cast_signed())
                    .bind(now)
                    .execute(&mut tx.connection)
                    .await?;
                    was_open(id, done.rows_affected())?;
                }
                tx.take_back_notes(&ids).await
            })
        })
        .await
    }

    /// Notes that one frame tells the agent this submission within a turn that runs. To be called before the frame goes out.
    #[expect(clippy::too_many_arguments, reason = "they are the columns of one row")]
    pub async fn mark_steering(
        &self,
        id: &SubmissionId,
        thread: &ThreadId,
        boot: &str,
        down_seq: u64,
        request_id: u64,
        after_seq: u64,
        turn: &TurnId,
    ) -> Result<(), LedgerError> {
        let (id, thread, boot, turn) = (id.clone(), thread.clone(), boot.to_owned(), turn.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE submissions SET state = 'starting', thread = $2, boot = $3, down_seq = $4, \
                     request_id = $5, after_seq = $6, turn = $7, started_ms = $8 WHERE id = $1 AND state <> 'settled'",
                )
                .bind(id.as_str())
                .bind(thread.as_str())
                .bind(&boot)
                .bind(down_seq.cast_signed())
                .bind(request_id.cast_signed())
                .bind(after_seq.cast_signed())
                .bind(turn.as_str())
                .bind(to_sql(tx.now_ms()))
                .execute(&mut tx.connection)
                .await?;
                was_open(&id, done.rows_affected())?;
                tx.release_events(&[id]).await
            })
        })
        .await
    }

    /// Notes that their turn was not started after all, and that they wait again, as the events they carried do.
    pub async fn mark_queued(&self, ids: &[SubmissionId]) -> Result<(), LedgerError> {
        let ids = ids.to_vec();
        self.write(move |tx| {
            Box::pin(async move {
                for id in &ids {
                    let done = sqlx::query(
                        "UPDATE submissions SET state = 'queued', boot = NULL, down_seq = NULL, \
                         request_id = NULL, after_seq = NULL, turn = NULL, started_ms = NULL WHERE id = $1 AND state <> 'settled'",
                    )
                    .bind(id.as_str())
                    .execute(&mut tx.connection)
                    .await?;
                    was_open(id, done.rows_affected())?;
                }
                tx.release_events(&ids).await
            })
        })
        .await
    }

    /// Notes which turn runs for them, and with it that the agent took the events they carry. They are starting, or
    /// running already.
    pub async fn mark_running(&self, ids: &[SubmissionId], turn: &TurnId) -> Result<(), LedgerError> {
        let (ids, turn) = (ids.to_vec(), turn.clone());
        self.write(move |tx| {
            Box::pin(async move {
                for id in &ids {
                    let done = sqlx::query(
                        "UPDATE submissions SET state = 'running', turn = $2 \
                         WHERE id = $1 AND state IN ('starting', 'running')",
                    )
                    .bind(id.as_str())
                    .bind(turn.as_str())
                    .execute(&mut tx.connection)
                    .await?;
                    was_open(id, done.rows_affected())?;
                }
                tx.take_events(&ids).await
            })
        })
        .await
    }
}

/// What nobody asked for, in a word.
fn unasked(origin: &Origin) -> Option<&'static str> {
    match origin {
        Origin::Chat { .. } | Origin::Client { .. } => None,
        Origin::Cron { .. } => Some("cron"),
        Origin::Heartbeat { .. } => Some("heartbeat"),
    }
}

/// The open submissions of a session, oldest first.
pub(super) const OPEN: &str = "SELECT id, session, target, thread, origin, text, attachments, state, boot, down_seq, request_id, after_seq, turn \
     FROM submissions WHERE session = $1 AND state <> 'settled' ORDER BY seq";

impl Tx {
    /// As [`Ledger::submit`].
    pub async fn submit(&mut self, new: NewSubmission) -> Result<Submitted, LedgerError> {
        let NewSubmission { mut submission, idempotency_key } = new;
        if let Some(known) = self.known(&submission.session, idempotency_key.as_deref()).await? {
            return Ok(Submitted::Repeated(known));
        }
        if submission.thread.is_none() {
            submission.thread = match &submission.target {
                Target::Main => None,
                Target::Thread { id } => Some(id.clone()),
                Target::Chat { chat, era } => {
                    threads::of_chat(&mut self.connection, &submission.session, chat, *era).await?
                }
                Target::Named { name } => {
                    named_threads::of_name(&mut self.connection, &submission.session, name).await?
                }
            };
        }
        sqlx::query(
            "INSERT INTO submissions (id, session, target, thread, origin, text, attachments, idempotency_key, unasked, state, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10)",
        )
        .bind(submission.id.as_str())
        .bind(submission.session.as_str())
        .bind(to_json(&submission.target))
        .bind(submission.thread.as_ref().map(ThreadId::as_str))
        .bind(to_json(&submission.origin))
        .bind(&submission.text)
        .bind((!submission.attachments.is_empty()).then(|| to_json(&submission.attachments)))
        .bind(idempotency_key)
        .bind(unasked(&submission.origin))
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(Submitted::New(submission))
    }

    /// As [`Ledger::amend`].
    pub async fn amend(&mut self, id: &SubmissionId, text: &str) -> Result<bool, LedgerError> {
        let done = sqlx::query("UPDATE submissions SET text = $2 WHERE id = $1 AND state = 'queued'")
            .bind(id.as_str())
            .bind(text)
            .execute(&mut self.connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn known(&mut self, session: &SessionId, key: Option<&str>) -> Result<Option<Known>, LedgerError> {
        let Some(key) = key else { return Ok(None) };
        let row = sqlx::query(
            "SELECT id, state, thread, turn FROM submissions WHERE session = $1 AND idempotency_key = $2",
        )
        .bind(session.as_str())
        .bind(key)
        .fetch_optional(&mut self.connection)
        .await?;
        row.map(|row| {
            Ok(Known {
                id: parse("a submission id", row.try_get("id")?)?,
                phase: phase(row.try_get("state")?)?,
                thread: parse_some("a thread id", row.try_get("thread")?)?,
                turn: parse_some("a turn id", row.try_get("turn")?)?,
            })
        })
        .transpose()
    }
}

fn was_open(id: &SubmissionId, changed: u64) -> Result<(), LedgerError> {
    if changed == 0 { Err(LedgerError::NotOpen(id.clone())) } else { Ok(()) }
}

pub(super) fn phase(text: &str) -> Result<Phase, LedgerError> {
    match text {
        "queued" => Ok(Phase::Queued),
        "starting" => Ok(Phase::Starting),
        "running" => Ok(Phase::Running),
        "settled" => Ok(Phase::Settled),
        other => Err(LedgerError::unreadable("a submission's state", other)),
    }
}

pub(super) fn read_open(row: &SqliteRow) -> Result<OpenSubmission, LedgerError> {
    let state = match phase(row.try_get("state")?)? {
        Phase::Queued => OpenState::Queued,
        Phase::Starting | Phase::Running => OpenState::Starting {
            boot: row.try_get("boot")?,
            down_seq: from_sql(row.try_get("down_seq")?),
            request_id: row.try_get::<i64, _>("request_id")?.cast_unsigned(),
            after_seq: from_sql(row.try_get("after_seq")?),
            turn: parse_some("a turn id", row.try_get("turn")?)?,
        },
        Phase::Settled => {
            return Err(LedgerError::unreadable("a submission's state", "settled among the open"));
        }
    };
    Ok(OpenSubmission { submission: read_submission(row)?, state })
}

pub(super) fn read_submission(row: &SqliteRow) -> Result<Submission, LedgerError> {
    Ok(Submission {
        id: parse("a submission id", row.try_get("id")?)?,
        session: parse("a session id", row.try_get("session")?)?,
        target: from_json("a target", row.try_get("target")?)?,
        thread: parse_some("a thread id", row.try_get("thread")?)?,
        origin: from_json("an origin", row.try_get("origin")?)?,
        text: row.try_get("text")?,
        attachments: match row.try_get::<Option<&str>, _>("attachments")? {
            Some(text) => from_json("the files of a message", text)?,
            None => Vec::new(),
        },
    })
}
