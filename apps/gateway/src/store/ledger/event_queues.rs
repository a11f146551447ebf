//! What waits in the queues of events, for who begins turns and for who looks.

use argus_protocol::{SessionId, SubmissionId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse, parse_some, to_sql};
use super::events::{columns, read_event};
use super::{Event, Ledger, LedgerError, Queue};

/// How long an event of kind `node` waits before it wakes its session: a node that flaps is told of once.
const SETTLE_MS: u64 = 30_000;

/// A queue with events that no open submission carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueWaiting {
    /// The session.
    pub session: SessionId,
    /// Which thread of it.
    pub queue: Queue,
    /// How many events.
    pub count: u64,
    /// Since when the oldest waits, unix milliseconds.
    pub oldest_ms: u64,
    /// When they are worth a turn of their own, unix milliseconds; may be past.
    pub wakes_at_ms: u64,
}

/// An event and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The event.
    pub event: Event,
    /// How far it is.
    pub standing: Standing,
}

/// How far an event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a turn.
    Waiting,
    /// A turn that was asked for carries it.
    Carried(SubmissionId),
    /// A turn took it.
    Taken {
        /// When, unix milliseconds.
        at_ms: u64,
        /// Who asked for that turn.
        by: Option<SubmissionId>,
    },
}

impl Ledger {
    /// The queues that have events which no open submission carries.
    pub async fn queues_waiting(&self) -> Result<Vec<QueueWaiting>, LedgerError> {
        let rows = sqlx::query(
            "SELECT session, queue, count(*) AS waiting, min(since_ms) AS oldest_ms, \
             min(CASE WHEN kind = 'node' THEN since_ms + $1 ELSE since_ms END) AS wakes_at_ms FROM events \
             WHERE state = 'waiting' AND (submission IS NULL OR NOT EXISTS (SELECT 1 FROM submissions \
             WHERE submissions.id = events.submission AND submissions.state <> 'settled')) \
             GROUP BY session, queue ORDER BY session, queue",
        )
        .bind(to_sql(SETTLE_MS))
        .fetch_all(self.reads())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(QueueWaiting {
                    session: parse("a session id", row.try_get("session")?)?,
                    queue: Queue::from_column(row.try_get("queue")?)?,
                    count: from_sql(row.try_get("waiting")?),
                    oldest_ms: from_sql(row.try_get("oldest_ms")?),
                    wakes_at_ms: from_sql(row.try_get("wakes_at_ms")?),
                })
            })
            .collect()
    }

    /// What waits for a session, oldest first; then, as far as the limit goes, what was taken, newest first.
    pub async fn recent_events(&self, session: &SessionId, limit: u32) -> Result<Vec<Listed>, LedgerError> {
        let rows = sqlx::query(concat!(
            "SELECT submission, taken_ms, ",
            columns!(),
            " FROM (SELECT * FROM (SELECT *, 0 AS part, seq AS place FROM events \
               WHERE session = $1 AND state = 'waiting' ORDER BY seq LIMIT $2) AS waiting \
             UNION ALL SELECT * FROM (SELECT *, 1 AS part, -taken_ms AS place FROM events \
               WHERE session = $1 AND state = 'taken' ORDER BY taken_ms DESC, seq DESC LIMIT $2) AS taken) AS listed \
             ORDER BY part, place, -seq LIMIT $2"
        ))
        .bind(session.as_str())
        .bind(limit)
        .fetch_all(self.reads())
        .await?;
        rows.iter().map(read_listed).collect()
    }
}

fn read_listed(row: &SqliteRow) -> Result<Listed, LedgerError> {
    let by = parse_some("a submission id", row.try_get("submission")?)?;
    let standing = match (row.try_get::<Option<i64>, _>("taken_ms")?, by) {
        (Some(at_ms), by) => Standing::Taken { at_ms: from_sql(at_ms), by },
        (None, Some(by)) => Standing::Carried(by),
        (None, None) => Standing::Waiting,
    };
    Ok(Listed { event: read_event(row)?, standing })
}
