//! The outbox: everything a person is to read, until their channel has taken it.

use argus_session::ChatRef;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse, to_sql};
use super::{Body, Ledger, LedgerError, Tx};

/// One message to be put out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// Names this very message: a second one with the same key is not stored.
    pub dedupe_key: String,
    /// Where it goes.
    pub chat: ChatRef,
    /// What it says.
    pub body: Body,
}

/// One message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number; a chat's messages go out in this order.
    pub id: i64,
    /// Where it goes.
    pub chat: ChatRef,
    /// What it says.
    pub body: Body,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// Not to be tried before, unix milliseconds.
    pub next_attempt_ms: u64,
    /// When it was put out, unix milliseconds.
    pub created_ms: u64,
}

impl Ledger {
    /// The oldest waiting message of each chat of that bot, those due first.
    pub async fn waiting_rows(&self, channel: &str, bot: &str, limit: u32) -> Result<Vec<Row>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, channel, bot, chat_key, kind, payload, attempts, next_attempt_ms, created_ms FROM outbox \
             WHERE id IN (SELECT min(id) FROM outbox WHERE state = 'pending' AND channel = $1 AND bot = $2 \
             GROUP BY chat_key) ORDER BY next_attempt_ms, id LIMIT $3",
        )
        .bind(channel)
        .bind(bot)
        .bind(limit)
        .fetch_all(self.reads())
        .await?;
        rows.iter().map(read).collect()
    }

    /// When the oldest waiting message of that bot was put out, unix milliseconds.
    pub async fn oldest_waiting_ms(&self, channel: &str, bot: &str) -> Result<Option<u64>, LedgerError> {
        let oldest: Option<i64> = sqlx::query_scalar(
            "SELECT min(created_ms) FROM outbox WHERE state = 'pending' AND channel = $1 AND bot = $2",
        )
        .bind(channel)
        .bind(bot)
        .fetch_one(self.reads())
        .await?;
        Ok(oldest.map(from_sql))
    }

    /// Notes that the channel has taken a message; one without an id where the id is empty.
    pub async fn mark_sent(&self, id: i64, message_id: &str) -> Result<(), LedgerError> {
        let message_id = Some(message_id.to_owned()).filter(|id| !id.is_empty());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "UPDATE outbox SET state = 'sent', message_id = $2, done_ms = $3, attempts = attempts + 1 \
                     WHERE id = $1 AND state = 'pending'",
                )
                .bind(id)
                .bind(message_id)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes an attempt in vain and when to try again.
    pub async fn postpone(&self, id: i64, next_attempt_ms: u64, error: &str) -> Result<(), LedgerError> {
        let error = error.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE outbox SET attempts = attempts + 1, next_attempt_ms = $2, last_error = $3 \
                     WHERE id = $1 AND state = 'pending'",
                )
                .bind(id)
                .bind(to_sql(next_attempt_ms))
                .bind(error)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives one message up.
    pub async fn mark_failed(&self, id: i64, error: &str) -> Result<(), LedgerError> {
        let error = error.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "UPDATE outbox SET state = 'failed', last_error = $2, done_ms = $3, attempts = attempts + 1 \
                     WHERE id = $1 AND state = 'pending'",
                )
                .bind(id)
                .bind(error)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives everything up that waits for other bots of that channel than these; answers how many messages that were.
    pub async fn fail_other_bots(
        &self,
        channel: &str,
        bots: &[String],
        error: &str,
    ) -> Result<u64, LedgerError> {
        let (channel, bots, error) = (channel.to_owned(), bots.to_vec(), error.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                let waiting: Vec<String> = sqlx::query_scalar(
                    "SELECT DISTINCT bot FROM outbox WHERE state = 'pending' AND channel = $1",
                )
                .bind(&channel)
                .fetch_all(&mut tx.connection)
                .await?;
                let mut failed = 0;
                for former in waiting.iter().filter(|bot| !bots.contains(bot)) {
                    let done = sqlx::query(
                        "UPDATE outbox SET state = 'failed', last_error = $3, done_ms = $4 \
                         WHERE state = 'pending' AND channel = $1 AND bot = $2",
                    )
                    .bind(&channel)
                    .bind(former)
                    .bind(&error)
                    .bind(now)
                    .execute(&mut tx.connection)
                    .await?;
                    failed += done.rows_affected();
                }
                Ok(failed)
            })
        })
        .await
    }

    /// Gives everything up that waits for a chat which is gone; answers how many messages that were.
    pub async fn fail_chat(&self, chat: &ChatRef, error: &str) -> Result<u64, LedgerError> {
        let (chat, error) = (chat.clone(), error.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                let done = sqlx::query(
                    "UPDATE outbox SET state = 'failed', last_error = $4, done_ms = $5 \
                     WHERE state = 'pending' AND channel = $1 AND bot = $2 AND chat_key = $3",
                )
                .bind(&chat.channel)
                .bind(&chat.bot)
                .bind(chat.chat.as_str())
                .bind(error)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }
}

impl Tx {
    /// Puts a message out; delivery is woken after the commit.
    pub async fn put_out(&mut self, row: NewRow) -> Result<(), LedgerError> {
        let now = to_sql(self.now_ms());
        let done = sqlx::query(
            "INSERT INTO outbox (dedupe_key, channel, bot, chat_key, kind, payload, state, next_attempt_ms, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7) ON CONFLICT (dedupe_key) DO NOTHING",
        )
        .bind(row.dedupe_key)
        .bind(&row.chat.channel)
        .bind(&row.chat.bot)
        .bind(row.chat.chat.as_str())
        .bind(row.body.kind())
        .bind(row.body.payload())
        .bind(now)
        .execute(&mut self.connection)
        .await?;
        self.outbox_grew |= done.rows_affected() > 0;
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<Row, LedgerError> {
    Ok(Row {
        id: row.try_get("id")?,
        chat: ChatRef {
            channel: row.try_get("channel")?,
            bot: row.try_get("bot")?,
            chat: parse("a chat key", row.try_get("chat_key")?)?,
        },
        body: Body::read(row.try_get("kind")?, row.try_get("payload")?)?,
        attempts: row.try_get("attempts")?,
        next_attempt_ms: from_sql(row.try_get("next_attempt_ms")?),
        created_ms: from_sql(row.try_get("created_ms")?),
    })
}
