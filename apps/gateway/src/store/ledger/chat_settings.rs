//! How chats want their turns, where that is not as the deployment has it.

use argus_session::ChatRef;
use sqlx::{Row as _, SqliteExecutor};

use super::{Ledger, LedgerError, Tx};

/// The wishes of a chat; what is absent is as the deployment has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatSettings {
    /// When the agent asks, in its own words.
    pub approval: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// How hard it thinks, in the agent's own words.
    pub effort: Option<String>,
    /// What a message does while a turn runs.
    pub while_running: Option<String>,
    /// Whether everybody there may talk to us.
    pub open_to_all: bool,
}

impl Ledger {
    /// The wishes of a chat.
    pub async fn chat_settings(&self, chat: &ChatRef) -> Result<ChatSettings, LedgerError> {
        of_chat(self.reads(), chat).await
    }

    /// Whether everybody in that chat may talk to us.
    pub async fn is_open(&self, chat: &ChatRef) -> Result<bool, LedgerError> {
        Ok(self.chat_settings(chat).await?.open_to_all)
    }

    /// Every chat in which everybody may talk to us.
    pub async fn open_chats(&self) -> Result<Vec<ChatRef>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, chat_key FROM chat_settings WHERE open_to_all <> 0 ORDER BY channel, bot, chat_key",
        )
        .fetch_all(self.reads())
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let chat = super::codec::parse("a chat key", row.try_get("chat_key")?)?;
            Ok(ChatRef { channel: row.try_get("channel")?, bot: row.try_get("bot")?, chat })
        };
        rows.iter().map(read).collect()
    }
}

impl Tx {
    /// As [`Ledger::chat_settings`].
    pub async fn chat_settings(&mut self, chat: &ChatRef) -> Result<ChatSettings, LedgerError> {
        of_chat(&mut self.connection, chat).await
    }

    /// The chat has these wishes from now on.
    pub async fn set_chat_settings(
        &mut self,
        chat: &ChatRef,
        settings: &ChatSettings,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO chat_settings (channel, bot, chat_key, approval, model, effort, while_running, open_to_all) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, bot, chat_key) DO UPDATE \
             SET approval = excluded.approval, model = excluded.model, effort = excluded.effort, \
             while_running = excluded.while_running, open_to_all = excluded.open_to_all",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(&settings.approval)
        .bind(&settings.model)
        .bind(&settings.effort)
        .bind(&settings.while_running)
        .bind(i64::from(settings.open_to_all))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }
}

async fn of_chat(db: impl SqliteExecutor<'_>, chat: &ChatRef) -> Result<ChatSettings, LedgerError> {
    let row = sqlx::query(
        "SELECT approval, model, effort, while_running, open_to_all FROM chat_settings \
         WHERE channel = $1 AND bot = $2 AND chat_key = $3",
    )
    .bind(&chat.channel)
    .bind(&chat.bot)
    .bind(chat.chat.as_str())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(ChatSettings::default()) };
    Ok(ChatSettings {
        approval: row.try_get("approval")?,
        model: row.try_get("model")?,
        effort: row.try_get("effort")?,
        while_running: row.try_get("while_running")?,
        open_to_all: row.try_get::<i64, _>("open_to_all")? != 0,
    })
}
