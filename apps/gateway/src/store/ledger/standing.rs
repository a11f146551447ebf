//! How everything stands that is to become turns: lanes, events that wait, heartbeats that come.

use argus_protocol::{SessionId, ThreadId};
use argus_session::Target;
use sqlx::Row as _;

use super::codec::{from_json, from_sql, parse, parse_some};
use super::{Ledger, LedgerError};

/// Open submissions of one target of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLane {
    /// The session.
    pub session: SessionId,
    /// Where they go.
    pub target: Target,
    /// Its thread, where it is known to them.
    pub thread: Option<ThreadId>,
    /// How many make the turn that starts or runs.
    pub running: u64,
    /// How many wait.
    pub waiting: u64,
}

impl Ledger {
    /// Every target that has open submissions.
    pub async fn open_lanes(&self) -> Result<Vec<OpenLane>, LedgerError> {
        let rows = sqlx::query(
            "SELECT session, target, thread, count(*) AS open, count(CASE WHEN state = 'queued' THEN 1 END) AS waiting \
             FROM submissions WHERE state <> 'settled' GROUP BY session, target, thread ORDER BY session, target, thread",
        )
        .fetch_all(self.reads())
        .await?;
        let lane = |row: &sqlx::sqlite::SqliteRow| {
            let (open, waiting) = (from_sql(row.try_get("open")?), from_sql(row.try_get("waiting")?));
            Ok(OpenLane {
                session: parse("a session id", row.try_get("session")?)?,
                target: from_json("a target", row.try_get("target")?)?,
                thread: parse_some("a thread id", row.try_get("thread")?)?,
                running: open.saturating_sub(waiting),
                waiting,
            })
        };
        rows.iter().map(lane).collect()
    }

    /// How many events wait in each session, also those that a turn carries which has not begun.
    pub async fn waiting_events(&self) -> Result<Vec<(SessionId, u64)>, LedgerError> {
        self.numbers(
            "SELECT session, count(*) AS number FROM events WHERE state = 'waiting' GROUP BY session",
        )
        .await
    }

    /// When each session has its next heartbeat, unix milliseconds; none of those that only had one on request.
    pub async fn heartbeats_due(&self) -> Result<Vec<(SessionId, u64)>, LedgerError> {
        self.numbers("SELECT session, due_ms AS number FROM heartbeats WHERE due_ms > 0").await
    }

    async fn numbers(&self, query: &'static str) -> Result<Vec<(SessionId, u64)>, LedgerError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(self.reads()).await?;
        rows.into_iter()
            .map(|(session, number)| Ok((parse("a session id", &session)?, from_sql(number))))
            .collect()
    }
}
