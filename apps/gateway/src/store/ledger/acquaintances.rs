//! Everybody we know and everybody who waits to be, for who decides on that.

use argus_protocol::ChatKey;
use argus_protocol::argus::chat::User;
use argus_session::ChatRef;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse_some, to_sql};
use super::people::{role, via};
use super::{Ledger, LedgerError, Person, Tx};

/// Somebody we know, of some bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquaintance {
    /// The channel.
    pub channel: String,
    /// Which bot of it.
    pub bot: String,
    /// The channel's id of the person.
    pub id: String,
    /// What we know of them.
    pub person: Person,
    /// Since when, unix milliseconds.
    pub since_ms: u64,
}

/// Somebody we do not know, who wrote to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The channel.
    pub channel: String,
    /// Which bot of it.
    pub bot: String,
    /// As the channel knows them.
    pub user: User,
    /// Where they wrote.
    pub chat: Option<ChatKey>,
    /// When we answered them last, unix milliseconds.
    pub at_ms: u64,
}

const WAITING: &str = "SELECT channel, bot, user_id, name, language, chat_key, told_ms FROM strangers";

impl Ledger {
    /// Everybody we know, whether or not that lasts.
    pub async fn people(&self) -> Result<Vec<Acquaintance>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, user_id, name, language, speaks, role, via, paired_ms FROM people \
             ORDER BY paired_ms, user_id",
        )
        .fetch_all(self.reads())
        .await?;
        let read = |row: &SqliteRow| {
            Ok(Acquaintance {
                channel: row.try_get("channel")?,
                bot: row.try_get("bot")?,
                id: row.try_get("user_id")?,
                person: Person {
                    role: role(row.try_get("role")?)?,
                    via: via(row.try_get("via")?)?,
                    name: row.try_get("name")?,
                    language: row.try_get("language")?,
                    speaks: row.try_get("speaks")?,
                },
                since_ms: from_sql(row.try_get("paired_ms")?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Who wrote to us and is not known, the newest first.
    pub async fn waiting_people(&self, most: u32) -> Result<Vec<Waiting>, LedgerError> {
        let rows = sqlx::query(&format!("{WAITING} ORDER BY told_ms DESC LIMIT $1"))
            .bind(most)
            .fetch_all(self.reads())
            .await?;
        rows.iter().map(read_waiting).collect()
    }
}

impl Tx {
    /// Somebody who wrote to us and is not known.
    pub async fn waiting(
        &mut self,
        channel: &str,
        bot: &str,
        user: &str,
    ) -> Result<Option<Waiting>, LedgerError> {
        let row = sqlx::query(&format!("{WAITING} WHERE channel = $1 AND bot = $2 AND user_id = $3"))
            .bind(channel)
            .bind(bot)
            .bind(user)
            .fetch_optional(&mut self.connection)
            .await?;
        row.as_ref().map(read_waiting).transpose()
    }

    /// The ids of operators beside that person, and whether each lasts without a list.
    pub async fn other_operators(
        &mut self,
        channel: &str,
        bot: &str,
        user: &str,
    ) -> Result<Vec<(String, bool)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT user_id, via FROM people WHERE role = 'operator' \
             AND NOT (channel = $1 AND bot = $2 AND user_id = $3)",
        )
        .bind(channel)
        .bind(bot)
        .bind(user)
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("user_id")?, row.try_get::<&str, _>("via")? != "list")))
            .collect()
    }

    /// Knows a person no more; where their chat was the home, that of another operator of the bot is from now on.
    pub async fn forget(&mut self, channel: &str, bot: &str, user: &str) -> Result<(), LedgerError> {
        for statement in [
            "DELETE FROM people WHERE channel = $1 AND bot = $2 AND user_id = $3",
            "DELETE FROM home_chat WHERE channel = $1 AND bot = $2 AND (chat_key = $3 OR chat_key LIKE $3 || ':%')",
        ] {
            sqlx::query(statement).bind(channel).bind(bot).bind(user).execute(&mut self.connection).await?;
        }
        // A private chat has the id of its person. Whom only a list names may be named no more.
        sqlx::query(
            "INSERT INTO home_chat (id, channel, bot, chat_key, at_ms) SELECT 1, channel, bot, user_id, $3 FROM people \
             WHERE channel = $1 AND bot = $2 AND role = 'operator' AND via <> 'list' ORDER BY paired_ms, user_id LIMIT 1 \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(channel)
        .bind(bot)
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// The language that a person chose; `None`: as their app says.
    pub async fn set_language(
        &mut self,
        chat: &ChatRef,
        user: &str,
        speaks: Option<&str>,
    ) -> Result<(), LedgerError> {
        sqlx::query("UPDATE people SET speaks = $4 WHERE channel = $1 AND bot = $2 AND user_id = $3")
            .bind(&chat.channel)
            .bind(&chat.bot)
            .bind(user)
            .bind(speaks)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

fn read_waiting(row: &SqliteRow) -> Result<Waiting, LedgerError> {
    Ok(Waiting {
        channel: row.try_get("channel")?,
        bot: row.try_get("bot")?,
        user: User {
            id: row.try_get("user_id")?,
            name: row.try_get("name")?,
            language: row.try_get("language")?,
        },
        chat: parse_some("a chat key", row.try_get("chat_key")?)?,
        at_ms: from_sql(row.try_get("told_ms")?),
    })
}
