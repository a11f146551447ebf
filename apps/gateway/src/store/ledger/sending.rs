//! What delivery looks up: what was sent, which files wait, and where a session speaks.

use argus_protocol::{SessionId, ThreadId};
use argus_session::ChatRef;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::body::FilesBody;
use super::codec::{from_json, from_sql, parse};
use super::{Language, Ledger, LedgerError, Tx, people};

impl Ledger {
    /// The channel's id of a message that was sent, by its dedupe key.
    pub async fn sent_message(&self, dedupe_key: &str) -> Result<Option<String>, LedgerError> {
        let id: Option<Option<String>> =
            sqlx::query_scalar("SELECT message_id FROM outbox WHERE dedupe_key = $1 AND state = 'sent'")
                .bind(dedupe_key)
                .fetch_optional(self.reads())
                .await?;
        Ok(id.flatten())
    }

    /// The names of the kept files that wait to be sent; of that chat alone where one is named.
    pub async fn files_waiting(&self, chat: Option<&ChatRef>) -> Result<Vec<String>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, chat_key, payload FROM outbox WHERE state = 'pending' AND kind = 'files'",
        )
        .fetch_all(self.reads())
        .await?;
        let mut names = Vec::new();
        for row in &rows {
            let of = self::chat(row)?;
            if chat.is_none_or(|chat| *chat == of) {
                let body: FilesBody = from_json("files to send", row.try_get("payload")?)?;
                names.extend(body.files.into_iter().map(|file| file.kept));
            }
        }
        Ok(names)
    }

    /// How many messages wait for that chat.
    pub async fn waiting_for(&self, chat: &ChatRef) -> Result<u64, LedgerError> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE state = 'pending' AND channel = $1 AND bot = $2 AND chat_key = $3",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .fetch_one(self.reads())
        .await?;
        Ok(from_sql(waiting))
    }

    /// The chats that a session speaks with, at most so many, those it was bound to last first; not the private ones of
    /// people whom we know no more.
    pub async fn chats_of(&self, session: &SessionId, limit: u32) -> Result<Vec<ChatRef>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, chat_key, max(at_ms) AS at_ms FROM chat_bindings b WHERE session = $1 \
             AND (chat_key LIKE '-%' OR EXISTS (SELECT 1 FROM people p WHERE p.channel = b.channel AND p.bot = b.bot \
             AND (p.user_id = b.chat_key OR b.chat_key LIKE p.user_id || ':%'))) GROUP BY channel, bot, chat_key ORDER BY at_ms DESC LIMIT $2",
        )
        .bind(session.as_str())
        .bind(limit)
        .fetch_all(self.reads())
        .await?;
        rows.iter().map(chat).collect()
    }

    /// The chat that speaks in a thread of a session, where one does; of several the one that came last.
    pub async fn chat_in(
        &self,
        session: &SessionId,
        thread: &ThreadId,
    ) -> Result<Option<ChatRef>, LedgerError> {
        let row = sqlx::query(
            "SELECT channel, bot, chat_key FROM chat_bindings WHERE session = $1 AND thread = $2 \
             ORDER BY at_ms DESC, era DESC LIMIT 1",
        )
        .bind(session.as_str())
        .bind(thread.as_str())
        .fetch_optional(self.reads())
        .await?;
        row.as_ref().map(chat).transpose()
    }

    /// Whether a message with that dedupe key was put out.
    pub async fn was_put_out(&self, dedupe_key: &str) -> Result<bool, LedgerError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT id FROM outbox WHERE dedupe_key = $1")
            .bind(dedupe_key)
            .fetch_optional(self.reads())
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// As [`Ledger::was_put_out`].
    pub async fn was_put_out(&mut self, dedupe_key: &str) -> Result<bool, LedgerError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT id FROM outbox WHERE dedupe_key = $1")
            .bind(dedupe_key)
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(found.is_some())
    }

    /// The language of the person that a private chat belongs to; English elsewhere.
    pub async fn language_in(&mut self, chat: &ChatRef) -> Result<Language, LedgerError> {
        people::language(&mut self.connection, chat, chat.chat.as_str()).await
    }
}

fn chat(row: &SqliteRow) -> Result<ChatRef, LedgerError> {
    Ok(ChatRef {
        channel: row.try_get("channel")?,
        bot: row.try_get("bot")?,
        chat: parse("a chat key", row.try_get("chat_key")?)?,
    })
}
