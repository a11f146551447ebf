//! A chat that its channel gave another key: what waits for it and where it speaks follow.

use argus_protocol::ChatKey;
use argus_session::ChatRef;

use super::codec::parse_some;
use super::{Ledger, LedgerError, Tx};

/// What to do for each session that the chat speaks with, unless the new key speaks with it already.
const SPEAKS_WITH: &str = "SELECT DISTINCT session FROM chat_bindings \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND session NOT IN \
     (SELECT session FROM chat_bindings WHERE channel = $1 AND bot = $2 AND chat_key = $4)";
const REBIND: &str = "UPDATE chat_bindings SET chat_key = $4 \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND session = $5";
const WAITING: &str = "UPDATE outbox SET chat_key = $4 \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND state = 'pending'";
const NOTE: &str = "INSERT INTO chat_moves (channel, bot, chat_key, first) VALUES ($1, $2, $4, coalesce( \
     (SELECT first FROM chat_moves WHERE channel = $1 AND bot = $2 AND chat_key = $3), $3)) ON CONFLICT DO NOTHING";
const ASKED: &str = "UPDATE questions SET chat_key = $4 \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND state = 'open'";
/// The buttons of a question stay behind: it is put again, with every change of it so far.
const PUT_AGAIN: &str = "UPDATE outbox SET chat_key = $4, state = 'pending', message_id = NULL, attempts = 0 \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND state = 'sent' AND EXISTS (SELECT 1 FROM questions q \
     WHERE q.channel = $1 AND q.bot = $2 AND q.chat_key = $3 AND q.state = 'open' \
     AND (dedupe_key = 'ask:' || q.id OR dedupe_key LIKE 'ask:' || q.id || ':%'))";
const SETTINGS: &str = "UPDATE chat_settings SET chat_key = $4 \
     WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND NOT EXISTS \
     (SELECT 1 FROM chat_settings WHERE channel = $1 AND bot = $2 AND chat_key = $4)";
const HOME: &str = "UPDATE home_chat SET chat_key = $4 WHERE channel = $1 AND bot = $2 AND chat_key = $3";

impl Ledger {
    /// The chat has that key from now on; answers how many messages went with it. The same move again changes nothing.
    pub async fn move_chat(&self, from: &ChatRef, to: &ChatKey) -> Result<u64, LedgerError> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |tx| Box::pin(async move { tx.move_chat(&from, &to).await })).await
    }

    /// The key that a chat had first, where it has another one now.
    pub async fn first_key(&self, chat: &ChatRef) -> Result<Option<ChatKey>, LedgerError> {
        let first = sqlx::query_scalar(
            "SELECT first FROM chat_moves WHERE channel = $1 AND bot = $2 AND chat_key = $3",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .fetch_optional(self.reads())
        .await?;
        parse_some("a chat key", first)
    }
}

impl Tx {
    async fn move_chat(&mut self, from: &ChatRef, to: &ChatKey) -> Result<u64, LedgerError> {
        let sessions: Vec<String> = sqlx::query_scalar(SPEAKS_WITH)
            .bind(&from.channel)
            .bind(&from.bot)
            .bind(from.chat.as_str())
            .bind(to.as_str())
            .fetch_all(&mut self.connection)
            .await?;
        for session in sessions {
            self.rename(REBIND, from, to, Some(&session)).await?;
        }
        self.rename(NOTE, from, to, None).await?;
        self.rename(HOME, from, to, None).await?;
        let asked = self.rename(PUT_AGAIN, from, to, None).await?;
        self.rename(ASKED, from, to, None).await?;
        self.rename(SETTINGS, from, to, None).await?;
        let moved = self.rename(WAITING, from, to, None).await?;
        self.outbox_grew |= moved + asked > 0;
        Ok(moved)
    }

    async fn rename(
        &mut self,
        statement: &'static str,
        from: &ChatRef,
        to: &ChatKey,
        session: Option<&str>,
    ) -> Result<u64, LedgerError> {
        let named = sqlx::query(statement)
            .bind(&from.channel)
            .bind(&from.bot)
            .bind(from.chat.as_str())
            .bind(to.as_str());
        let all = match session {
            Some(session) => named.bind(session),
            None => named,
        };
        Ok(all.execute(&mut self.connection).await?.rows_affected())
    }
}
