//! Which thread a chat speaks in: one for each of its eras.

use argus_protocol::{SessionId, ThreadId};
use argus_session::ChatRef;
use sqlx::SqliteExecutor;

use super::codec::{parse_some, to_sql};
use super::{Ledger, LedgerError, Tx};

impl Ledger {
    /// Binds a chat's era to a thread; a former binding of that era is replaced.
    pub async fn bind_chat(
        &self,
        session: &SessionId,
        chat: &ChatRef,
        era: u32,
        thread: &ThreadId,
    ) -> Result<(), LedgerError> {
        let (session, chat, thread) = (session.clone(), chat.clone(), thread.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "INSERT INTO chat_bindings (session, channel, bot, chat_key, era, thread, at_ms) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (session, channel, bot, chat_key, era) \
                     DO UPDATE SET thread = excluded.thread, at_ms = excluded.at_ms",
                )
                .bind(session.as_str())
                .bind(&chat.channel)
                .bind(&chat.bot)
                .bind(chat.chat.as_str())
                .bind(era)
                .bind(thread.as_str())
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The thread of a chat's era, where one is bound.
    pub async fn chat_thread(
        &self,
        session: &SessionId,
        chat: &ChatRef,
        era: u32,
    ) -> Result<Option<ThreadId>, LedgerError> {
        of_chat(self.reads(), session, chat, era).await
    }

    /// The era that a chat's new messages belong to.
    pub async fn chat_era(&self, session: &SessionId, chat: &ChatRef) -> Result<u32, LedgerError> {
        newest_era(self.reads(), session, chat).await
    }
}

impl Tx {
    /// As [`Ledger::chat_era`].
    pub async fn chat_era(&mut self, session: &SessionId, chat: &ChatRef) -> Result<u32, LedgerError> {
        newest_era(&mut self.connection, session, chat).await
    }

    /// As [`Ledger::chat_thread`].
    pub async fn chat_thread(
        &mut self,
        session: &SessionId,
        chat: &ChatRef,
        era: u32,
    ) -> Result<Option<ThreadId>, LedgerError> {
        of_chat(&mut self.connection, session, chat, era).await
    }

    /// Begins the chat's next era in a thread that it had before.
    pub async fn begin_era_in(
        &mut self,
        session: &SessionId,
        chat: &ChatRef,
        thread: &ThreadId,
    ) -> Result<u32, LedgerError> {
        let era = self.begin_era(session, chat).await?;
        sqlx::query(
            "UPDATE chat_bindings SET thread = $6 \
             WHERE session = $1 AND channel = $2 AND bot = $3 AND chat_key = $4 AND era = $5",
        )
        .bind(session.as_str())
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(era)
        .bind(thread.as_str())
        .execute(&mut self.connection)
        .await?;
        Ok(era)
    }

    /// Begins the chat's next era and answers its number. It has no thread yet.
    pub async fn begin_era(&mut self, session: &SessionId, chat: &ChatRef) -> Result<u32, LedgerError> {
        let era = self.chat_era(session, chat).await?.saturating_add(1);
        sqlx::query(
            "INSERT INTO chat_bindings (session, channel, bot, chat_key, era, at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(session.as_str())
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(era)
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(era)
    }
}

pub(super) async fn of_chat(
    db: impl SqliteExecutor<'_>,
    session: &SessionId,
    chat: &ChatRef,
    era: u32,
) -> Result<Option<ThreadId>, LedgerError> {
    let thread: Option<Option<String>> = sqlx::query_scalar(
        "SELECT thread FROM chat_bindings \
         WHERE session = $1 AND channel = $2 AND bot = $3 AND chat_key = $4 AND era = $5",
    )
    .bind(session.as_str())
    .bind(&chat.channel)
    .bind(&chat.bot)
    .bind(chat.chat.as_str())
    .bind(era)
    .fetch_optional(db)
    .await?;
    parse_some("a thread id", thread.flatten())
}

async fn newest_era(
    db: impl SqliteExecutor<'_>,
    session: &SessionId,
    chat: &ChatRef,
) -> Result<u32, LedgerError> {
    let era: Option<u32> = sqlx::query_scalar(
        "SELECT max(era) FROM chat_bindings \
         WHERE session = $1 AND channel = $2 AND bot = $3 AND chat_key = $4",
    )
    .bind(session.as_str())
    .bind(&chat.channel)
    .bind(&chat.bot)
    .bind(chat.chat.as_str())
    .fetch_one(db)
    .await?;
    Ok(era.unwrap_or(0))
}
