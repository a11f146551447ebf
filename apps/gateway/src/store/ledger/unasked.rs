//! What a session did unasked: how many turns that were, and what they took.

use argus_protocol::SessionId;
use sqlx::Row as _;

use super::codec::{from_sql, to_sql};
use super::{Ledger, LedgerError};

/// What turns took that nobody asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unasked {
    /// Turns that the agent took, and those that it is to take.
    pub turns: u64,
    /// Tokens that it read and wrote for them, by its own reports.
    pub tokens: u64,
}

impl Ledger {
    /// What a session did unasked that ended at this unix time in milliseconds or later, or has not ended yet.
    pub async fn unasked_since(&self, session: &SessionId, at_ms: u64) -> Result<Unasked, LedgerError> {
        let row = sqlx::query(
            "SELECT count(*) AS turns, coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0) AS tokens \
             FROM submissions WHERE session = $1 AND unasked IS NOT NULL \
             AND (settled_ms IS NULL OR (settled_ms >= $2 AND turn IS NOT NULL))",
        )
        .bind(session.as_str())
        .bind(to_sql(at_ms))
        .fetch_one(self.reads())
        .await?;
        Ok(Unasked { turns: from_sql(row.try_get("turns")?), tokens: from_sql(row.try_get("tokens")?) })
    }
}
