//! Whom we know, whom we do not, and where home is.

use argus_protocol::argus::chat::User;
use argus_session::ChatRef;
use sqlx::{Row as _, SqliteExecutor};

use super::codec::{from_sql, parse, to_sql};
use super::{Ledger, LedgerError, Tx};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Decides on approvals and settings.
    Operator,
    /// Talks with the agent.
    User,
}

/// How we came to know a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// They paired with a code; it lasts.
    Code,
    /// An allow-list names them, or a chat that is open to all their words: it lasts as long as that does.
    List,
    /// An operator let them in; it lasts.
    Approved,
}

/// A person we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What they may do.
    pub role: Role,
    /// How we came to know them.
    pub via: Via,
    /// How they called themselves last.
    pub name: String,
    /// Their language as an IETF tag, where the channel told.
    pub language: Option<String>,
    /// The language they chose over that, as an IETF tag.
    pub speaks: Option<String>,
}

/// A person we do not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stranger {
    /// When they were told so last, unix milliseconds; 0: never.
    pub told_ms: u64,
    /// How often they tried the present code in vain.
    pub tries: u32,
}

/// The languages our own texts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// For everybody else.
    English,
    /// For tags that begin with `zh`.
    Chinese,
}

impl Language {
    /// From an IETF tag.
    pub fn of_tag(tag: Option<&str>) -> Self {
        let primary = tag.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") { Self::Chinese } else { Self::English }
    }
}

impl Ledger {
    /// What we know of a person of that bot.
    pub async fn person(&self, channel: &str, bot: &str, user: &str) -> Result<Option<Person>, LedgerError> {
        person(self.reads(), channel, bot, user).await
    }

    /// Whether an operator is known on any channel.
    pub async fn has_operator(&self) -> Result<bool, LedgerError> {
        has_operator(self.reads()).await
    }

    /// How many people have paired.
    pub async fn paired(&self) -> Result<u64, LedgerError> {
        paired(self.reads()).await
    }

    /// Where automation speaks when nothing else is said.
    pub async fn home_chat(&self) -> Result<Option<ChatRef>, LedgerError> {
        let row =
            sqlx::query("SELECT channel, bot, chat_key FROM home_chat").fetch_optional(self.reads()).await?;
        row.map(|row| {
            let chat = parse("a chat key", row.try_get("chat_key")?)?;
            Ok(ChatRef { channel: row.try_get("channel")?, bot: row.try_get("bot")?, chat })
        })
        .transpose()
    }
}

impl Tx {
    /// As [`Ledger::person`].
    pub async fn person(
        &mut self,
        channel: &str,
        bot: &str,
        user: &str,
    ) -> Result<Option<Person>, LedgerError> {
        person(&mut self.connection, channel, bot, user).await
    }

    /// As [`Ledger::has_operator`].
    pub async fn has_operator(&mut self) -> Result<bool, LedgerError> {
        has_operator(&mut self.connection).await
    }

    /// Knows a person from now on, and by their present name and language.
    pub async fn know(
        &mut self,
        channel: &str,
        bot: &str,
        user: &User,
        role: Role,
        via: Via,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO people (channel, bot, user_id, name, language, role, via, paired_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, bot, user_id) DO UPDATE \
             SET name = excluded.name, language = excluded.language, role = excluded.role, via = excluded.via",
        )
        .bind(channel)
        .bind(bot)
        .bind(&user.id)
        .bind(&user.name)
        .bind(&user.language)
        .bind(match role {
            Role::Operator => "operator",
            Role::User => "user",
        })
        .bind(match via {
            Via::Code => "code",
            Via::List => "list",
            Via::Approved => "approved",
        })
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        // Whom only a list or a chat names may be a stranger again, and has their tries then.
        if via == Via::List {
            return Ok(());
        }
        sqlx::query("DELETE FROM strangers WHERE channel = $1 AND bot = $2 AND user_id = $3")
            .bind(channel)
            .bind(bot)
            .bind(&user.id)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// What we remember of somebody we do not know.
    pub async fn stranger(&mut self, channel: &str, bot: &str, user: &str) -> Result<Stranger, LedgerError> {
        let row = sqlx::query(
            "SELECT told_ms, tries FROM strangers WHERE channel = $1 AND bot = $2 AND user_id = $3",
        )
        .bind(channel)
        .bind(bot)
        .bind(user)
        .fetch_optional(&mut self.connection)
        .await?;
        let Some(row) = row else { return Ok(Stranger::default()) };
        Ok(Stranger { told_ms: from_sql(row.try_get("told_ms")?), tries: row.try_get("tries")? })
    }

    /// Remembers somebody we do not know, and where they wrote.
    pub async fn note_stranger(
        &mut self,
        chat: &ChatRef,
        user: &User,
        stranger: Stranger,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO strangers (channel, bot, user_id, told_ms, tries, name, language, chat_key) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, bot, user_id) DO UPDATE \
             SET told_ms = excluded.told_ms, tries = excluded.tries, name = excluded.name, \
             language = excluded.language, chat_key = excluded.chat_key",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(&user.id)
        .bind(to_sql(stranger.told_ms))
        .bind(stranger.tries)
        .bind(&user.name)
        .bind(&user.language)
        .bind(chat.chat.as_str())
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Whether there is a home chat.
    pub async fn has_home_chat(&mut self) -> Result<bool, LedgerError> {
        let homes: i64 =
            sqlx::query_scalar("SELECT count(*) FROM home_chat").fetch_one(&mut self.connection).await?;
        Ok(homes > 0)
    }

    /// Whether somebody with that role makes their private chat the home chat: an operator where it is no operator's, anybody
    /// while there is neither a home chat nor an operator.
    pub async fn makes_a_home(&mut self, role: Role) -> Result<bool, LedgerError> {
        if role == Role::User {
            return Ok(!self.has_home_chat().await? && !self.has_operator().await?);
        }
        let homes: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM home_chat h JOIN people p ON p.channel = h.channel AND p.bot = h.bot \
             AND p.role = 'operator' AND (p.user_id = h.chat_key OR h.chat_key LIKE p.user_id || ':%')",
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(homes == 0)
    }

    /// Makes a chat the home chat.
    pub async fn set_home_chat(&mut self, chat: &ChatRef) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO home_chat (id, channel, bot, chat_key, at_ms) VALUES (1, $1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET channel = excluded.channel, bot = excluded.bot, \
             chat_key = excluded.chat_key, at_ms = excluded.at_ms",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }
}

async fn has_operator(db: impl SqliteExecutor<'_>) -> Result<bool, LedgerError> {
    let operators: i64 =
        sqlx::query_scalar("SELECT count(*) FROM people WHERE role = 'operator'").fetch_one(db).await?;
    Ok(operators > 0)
}

async fn person(
    db: impl SqliteExecutor<'_>,
    channel: &str,
    bot: &str,
    user: &str,
) -> Result<Option<Person>, LedgerError> {
    let row = sqlx::query(
        "SELECT role, via, name, language, speaks FROM people WHERE channel = $1 AND bot = $2 AND user_id = $3",
    )
    .bind(channel)
    .bind(bot)
    .bind(user)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Person {
        role: role(row.try_get("role")?)?,
        via: via(row.try_get("via")?)?,
        name: row.try_get("name")?,
        language: row.try_get("language")?,
        speaks: row.try_get("speaks")?,
    }))
}

pub(super) fn role(word: &str) -> Result<Role, LedgerError> {
    match word {
        "operator" => Ok(Role::Operator),
        "user" => Ok(Role::User),
        other => Err(LedgerError::unreadable("a role", other)),
    }
}

pub(super) fn via(word: &str) -> Result<Via, LedgerError> {
    match word {
        "code" => Ok(Via::Code),
        "list" => Ok(Via::List),
        "approved" => Ok(Via::Approved),
        other => Err(LedgerError::unreadable("a way of knowing somebody", other)),
    }
}

pub(super) async fn paired(db: impl SqliteExecutor<'_>) -> Result<u64, LedgerError> {
    let paired: i64 =
        sqlx::query_scalar("SELECT count(*) FROM people WHERE via <> 'list'").fetch_one(db).await?;
    Ok(from_sql(paired))
}

pub(super) async fn language(
    db: impl SqliteExecutor<'_>,
    chat: &ChatRef,
    user: &str,
) -> Result<Language, LedgerError> {
    let tag: Option<Option<String>> = sqlx::query_scalar(
        "SELECT coalesce(speaks, language) FROM people WHERE channel = $1 AND bot = $2 AND user_id = $3",
    )
    .bind(&chat.channel)
    .bind(&chat.bot)
    .bind(user)
    .fetch_optional(db)
    .await?;
    Ok(Language::of_tag(tag.flatten().as_deref()))
}
