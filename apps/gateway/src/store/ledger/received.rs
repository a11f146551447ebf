//! Which messages of channels have had their effect.

use sqlx::SqliteExecutor;

use super::codec::to_sql;
use super::{Ledger, LedgerError, Tx};

/// Whether a message is seen for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is noted now.
    First,
    /// It was noted before.
    Again,
}

impl Ledger {
    /// Whether a message has had its effect.
    pub async fn seen(&self, channel: &str, bot: &str, key: &str) -> Result<bool, LedgerError> {
        seen(self.reads(), channel, bot, key).await
    }
}

impl Tx {
    /// As [`Ledger::seen`].
    pub async fn seen(&mut self, channel: &str, bot: &str, key: &str) -> Result<bool, LedgerError> {
        seen(&mut self.connection, channel, bot, key).await
    }

    /// Notes that a message has its effect with this transaction.
    pub async fn note_received(&mut self, channel: &str, bot: &str, key: &str) -> Result<Seen, LedgerError> {
        let done = sqlx::query(
            "INSERT INTO received (channel, bot, idempotency_key, at_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(channel)
        .bind(bot)
        .bind(key)
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(if done.rows_affected() == 0 { Seen::Again } else { Seen::First })
    }
}

async fn seen(db: impl SqliteExecutor<'_>, channel: &str, bot: &str, key: &str) -> Result<bool, LedgerError> {
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM received WHERE channel = $1 AND bot = $2 AND idempotency_key = $3",
    )
    .bind(channel)
    .bind(bot)
    .bind(key)
    .fetch_one(db)
    .await?;
    Ok(rows > 0)
}
