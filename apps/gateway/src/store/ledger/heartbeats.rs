//! When each session looks by itself again, and how that went.

use argus_protocol::SessionId;
use argus_session::{Beat, Origin, Outcome, Settlement, says_thread_is_gone};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, to_sql};
use super::{Ledger, LedgerError, NewSubmission, Settled, Submitted, Tx};

/// After so many failures in a row events are for the main thread whose own thread cannot be opened.
const TRIES: u64 = 3;

/// How long nothing begins by itself after somebody stopped it, in milliseconds.
const STOPPED_MS: u64 = 60_000;

const COLUMNS: &str =
    "SELECT due_ms, last_ms, failures, retry_ms, seen, outcome FROM heartbeats WHERE session = $1";

/// What is known of a session's heartbeats. Times are unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// When the next one is due; `None` where no first time was set yet.
    pub due_ms: Option<u64>,
    /// When the last one was begun.
    pub last_ms: Option<u64>,
    /// Failures in a row.
    pub failures: u64,
    /// Not before, after failures.
    pub retry_ms: u64,
    /// What there was to see for the last one that looked at everything; `None` where it had something to tell.
    pub seen: Option<String>,
    /// How the last one ended; `None` while it runs.
    pub outcome: Option<BeatOutcome>,
}

/// How a heartbeat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatOutcome {
    /// There was nothing to tell.
    Quiet,
    /// There was something to tell.
    Told,
    /// Somebody stopped it.
    Stopped,
    /// It failed.
    Failed,
}

impl BeatOutcome {
    /// Its name on wires and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Told => "told",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    fn read(text: &str) -> Result<Self, LedgerError> {
        let all = [Self::Quiet, Self::Told, Self::Stopped, Self::Failed];
        let found = all.into_iter().find(|outcome| outcome.as_str() == text);
        found.ok_or_else(|| LedgerError::unreadable("the end of a heartbeat", text))
    }
}

/// A heartbeat that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHeartbeat {
    /// Its submission.
    pub new: NewSubmission,
    /// When the next one is due from now on, where this changes it.
    pub due_ms: Option<u64>,
    /// What there is to see, where it looks at everything.
    pub sees: Option<String>,
}

/// The end of a heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct HeartbeatEnd {
    /// How it ended.
    pub outcome: BeatOutcome,
    /// How long its session rests after so many failures in a row, in milliseconds.
    pub pause: fn(u64) -> u64,
}

impl Ledger {
    /// What is known of a session's heartbeats.
    pub async fn heartbeat(&self, session: &SessionId) -> Result<Option<Heartbeat>, LedgerError> {
        let row = sqlx::query(COLUMNS).bind(session.as_str()).fetch_optional(self.reads()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Sets when the next one is due.
    pub async fn set_heartbeat_due(&self, session: &SessionId, due_ms: u64) -> Result<(), LedgerError> {
        let session = session.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let known = tx.heartbeat(&session).await?.unwrap_or_default();
                tx.put_heartbeat(&session, &Heartbeat { due_ms: Some(due_ms), ..known }).await
            })
        })
        .await
    }

    /// Stores a heartbeat that is to begin, together with when the next one is due.
    pub async fn begin_heartbeat(&self, beat: NewHeartbeat) -> Result<Submitted, LedgerError> {
        self.write(|tx| Box::pin(async move { tx.begin_heartbeat(beat).await })).await
    }

    /// [`Ledger::settle`] for a heartbeat. Of failures in a row only the first is told.
    pub async fn settle_heartbeat(
        &self,
        session: &SessionId,
        settlement: &Settlement,
        end: HeartbeatEnd,
    ) -> Result<Settled, LedgerError> {
        let (session, settlement) = (session.clone(), settlement.clone());
        self.write(move |tx| Box::pin(async move { tx.settle_heartbeat(&session, settlement, end).await }))
            .await
    }

    /// Changes whenever somebody, or something but a heartbeat, began a turn of that session.
    pub async fn last_doing(&self, session: &SessionId) -> Result<i64, LedgerError> {
        let newest = sqlx::query_scalar(
            "SELECT coalesce(max(seq), 0) FROM submissions WHERE session = $1 AND (unasked IS NULL OR unasked <> 'heartbeat')",
        );
        Ok(newest.bind(session.as_str()).fetch_one(self.reads()).await?)
    }
}

impl Tx {
    async fn heartbeat(&mut self, session: &SessionId) -> Result<Option<Heartbeat>, LedgerError> {
        let row = sqlx::query(COLUMNS).bind(session.as_str()).fetch_optional(&mut self.connection).await?;
        row.as_ref().map(read).transpose()
    }

    async fn put_heartbeat(&mut self, session: &SessionId, known: &Heartbeat) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO heartbeats (session, due_ms, last_ms, failures, retry_ms, seen, outcome) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (session) DO UPDATE SET due_ms = excluded.due_ms, \
             last_ms = excluded.last_ms, failures = excluded.failures, retry_ms = excluded.retry_ms, \
             seen = excluded.seen, outcome = excluded.outcome",
        )
        .bind(session.as_str())
        .bind(to_sql(known.due_ms.unwrap_or(0)))
        .bind(known.last_ms.map(to_sql))
        .bind(to_sql(known.failures))
        .bind(to_sql(known.retry_ms))
        .bind(&known.seen)
        .bind(known.outcome.map(BeatOutcome::as_str))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    async fn begin_heartbeat(&mut self, beat: NewHeartbeat) -> Result<Submitted, LedgerError> {
        let NewHeartbeat { new, due_ms, sees } = beat;
        let session = new.submission.session.clone();
        let known = self.heartbeat(&session).await?.unwrap_or_default();
        let submitted = self.submit(new).await?;
        let known = match &submitted {
            Submitted::New(_) => Heartbeat {
                due_ms: due_ms.or(known.due_ms),
                last_ms: Some(self.now_ms()),
                seen: sees.or(known.seen),
                outcome: None,
                ..known
            },
            Submitted::Repeated(_) => Heartbeat { due_ms: due_ms.or(known.due_ms), ..known },
        };
        self.put_heartbeat(&session, &known).await?;
        Ok(submitted)
    }

    async fn settle_heartbeat(
        &mut self,
        session: &SessionId,
        mut settlement: Settlement,
        end: HeartbeatEnd,
    ) -> Result<Settled, LedgerError> {
        let Origin::Heartbeat { why, .. } = settlement.origin else { return self.settle(&settlement).await };
        let open = self.is_open(&settlement).await?;
        let is_gone =
            matches!(&settlement.outcome, Outcome::Failed { reason, .. } if says_thread_is_gone(reason));
        if open
            && is_gone
            && why == Beat::Events
            && self.hear_in_main(session, &settlement.submissions).await?
        {
            // No failure: the main thread hears of them now.
            settlement.origin = without_alert(settlement.origin);
        } else if open && let Some(known) = self.heartbeat(session).await? {
            let never_began = why == Beat::Due && settlement.turn.is_none();
            let ended = ended(known, end, self.now_ms(), never_began);
            self.put_heartbeat(session, &ended).await?;
            // An agent may have other words for it.
            if why == Beat::Events && settlement.turn.is_none() && ended.failures >= TRIES {
                self.hear_in_main(session, &settlement.submissions).await?;
            }
            if end.outcome == BeatOutcome::Failed && ended.failures > 1 {
                settlement.origin = without_alert(settlement.origin);
            }
        }
        self.settle(&settlement).await
    }

    async fn is_open(&mut self, settlement: &Settlement) -> Result<bool, LedgerError> {
        let Some(id) = settlement.submissions.first() else { return Ok(false) };
        let open: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM submissions WHERE id = $1 AND state <> 'settled'")
                .bind(id.as_str())
                .fetch_optional(&mut self.connection)
                .await?;
        Ok(open.is_some())
    }
}

/// The same, where nobody is to hear how a heartbeat ended: its session is no more.
pub fn without_alert(origin: Origin) -> Origin {
    match origin {
        Origin::Heartbeat { why, .. } => Origin::Heartbeat { why, chat: None },
        others => others,
    }
}

/// What is known after one ended so. One that the agent never took is due again after its session's rest.
fn ended(known: Heartbeat, end: HeartbeatEnd, now_ms: u64, never_began: bool) -> Heartbeat {
    let known = Heartbeat { outcome: Some(end.outcome), ..known };
    match end.outcome {
        BeatOutcome::Quiet => Heartbeat { failures: 0, retry_ms: 0, ..known },
        BeatOutcome::Told => Heartbeat { failures: 0, retry_ms: 0, seen: None, ..known },
        BeatOutcome::Stopped => {
            Heartbeat { retry_ms: now_ms.saturating_add(STOPPED_MS), seen: None, ..known }
        }
        BeatOutcome::Failed => {
            let failures = known.failures + 1;
            let retry_ms = now_ms.saturating_add((end.pause)(failures));
            let due_ms = known.due_ms.map(|due| if never_began { due.min(retry_ms) } else { due });
            Heartbeat { failures, retry_ms, due_ms, seen: None, ..known }
        }
    }
}

fn read(row: &SqliteRow) -> Result<Heartbeat, LedgerError> {
    Ok(Heartbeat {
        due_ms: Some(from_sql(row.try_get("due_ms")?)).filter(|due| *due > 0),
        last_ms: row.try_get::<Option<i64>, _>("last_ms")?.map(from_sql),
        failures: from_sql(row.try_get("failures")?),
        retry_ms: from_sql(row.try_get("retry_ms")?),
        seen: row.try_get("seen")?,
        outcome: row.try_get::<Option<&str>, _>("outcome")?.map(BeatOutcome::read).transpose()?,
    })
}
