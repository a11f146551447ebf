//! What a session did unasked: how many turns that were, and what they took.

use argus_protocol::SessionId;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, to_sql};
use super::{Ledger, LedgerError, Tx};

/// What turns took that nobody asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unasked {
    /// Turns that the agent took, and those that it is to take.
    pub turns: u64,
    /// Tokens that it read and wrote for them, by its own reports.
    pub tokens: u64,
}

/// What a session may do unasked between two unix times in milliseconds. Zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// From this time …
    pub from_ms: u64,
    /// … and before that one.
    pub until_ms: u64,
    /// Turns.
    pub turns: u64,
    /// Tokens.
    pub tokens: u64,
}

impl Allowance {
    /// How many more turns may begin, after these.
    pub fn leaves(&self, used: Unasked) -> u64 {
        match (self.turns, self.tokens) {
            (_, tokens) if tokens > 0 && used.tokens >= tokens => 0,
            (0, _) => u64::MAX,
            (turns, _) => turns.saturating_sub(used.turns),
        }
    }
}

/// What ended after the time is over was noted before the clock was set back.
const USED: &str = "SELECT count(*) AS turns, coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0) AS tokens \
     FROM submissions WHERE session = $1 AND unasked IS NOT NULL \
     AND (settled_ms IS NULL OR (settled_ms >= $2 AND settled_ms < $3 AND turn IS NOT NULL))";

impl Ledger {
    /// What a session did unasked that ended between these unix times in milliseconds, or has not ended yet.
    pub async fn unasked_between(
        &self,
        session: &SessionId,
        from_ms: u64,
        until_ms: u64,
    ) -> Result<Unasked, LedgerError> {
        let used = sqlx::query(USED).bind(session.as_str()).bind(to_sql(from_ms)).bind(to_sql(until_ms));
        read(&used.fetch_one(self.reads()).await?)
    }
}

impl Ledger {
    /// How many turns a session has begun unasked, or is to begin, that have not ended.
    pub async fn open_unasked(&self, session: &SessionId) -> Result<u64, LedgerError> {
        let open = sqlx::query_scalar(
            "SELECT count(*) FROM submissions WHERE session = $1 AND state <> 'settled' AND unasked IS NOT NULL",
        );
        Ok(from_sql(open.bind(session.as_str()).fetch_one(self.reads()).await?))
    }
}

impl Tx {
    /// How many more turns a session may begin unasked.
    pub(super) async fn turns_left(
        &mut self,
        session: &SessionId,
        allowance: Allowance,
    ) -> Result<u64, LedgerError> {
        let (from, until) = (to_sql(allowance.from_ms), to_sql(allowance.until_ms));
        let used = sqlx::query(USED).bind(session.as_str()).bind(from).bind(until);
        Ok(allowance.leaves(read(&used.fetch_one(&mut self.connection).await?)?))
    }
}

fn read(row: &SqliteRow) -> Result<Unasked, LedgerError> {
    Ok(Unasked { turns: from_sql(row.try_get("turns")?), tokens: from_sql(row.try_get("tokens")?) })
}
