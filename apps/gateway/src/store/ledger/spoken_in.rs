//! The chats in which a session is spoken to: the first and the last of them, and never the private ones of people whom we
//! know no more.

use argus_protocol::SessionId;
use argus_session::{ChatRef, Origin};
use sqlx::Row as _;

use super::codec::{from_json, parse};
use super::{Ledger, LedgerError};

/// Messages that are looked through for the chats of the last ones.
const LAST: u32 = 50;
/// Chats that are told of at most.
const MOST: u32 = 1000;

impl Ledger {
    /// The chats that speak with a session, the first one first.
    pub async fn first_chats(&self, session: &SessionId) -> Result<Vec<ChatRef>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, chat_key, min(at_ms) AS at_ms FROM chat_bindings b WHERE session = $1 \
             AND (chat_key LIKE '-%' OR EXISTS (SELECT 1 FROM people p WHERE p.channel = b.channel AND p.bot = b.bot \
             AND (p.user_id = b.chat_key OR b.chat_key LIKE p.user_id || ':%'))) \
             GROUP BY channel, bot, chat_key ORDER BY at_ms, chat_key LIMIT $2",
        )
        .bind(session.as_str())
        .bind(MOST)
        .fetch_all(self.reads())
        .await?;
        rows.iter()
            .map(|row| {
                let chat = parse("a chat key", row.try_get("chat_key")?)?;
                Ok(ChatRef { channel: row.try_get("channel")?, bot: row.try_get("bot")?, chat })
            })
            .collect()
    }

    /// Whether any chat ever spoke with a session, also one that does no more.
    pub async fn has_chats(&self, session: &SessionId) -> Result<bool, LedgerError> {
        let one: Option<i64> = sqlx::query_scalar("SELECT 1 FROM chat_bindings WHERE session = $1 LIMIT 1")
            .bind(session.as_str())
            .fetch_optional(self.reads())
            .await?;
        Ok(one.is_some())
    }

    /// The chats in which somebody wrote to that session lately, the last one first.
    pub async fn last_chats(&self, session: &SessionId) -> Result<Vec<ChatRef>, LedgerError> {
        let origins: Vec<String> = sqlx::query_scalar(
            "SELECT origin FROM submissions WHERE session = $1 AND origin LIKE '{\"kind\":\"chat\"%' \
             ORDER BY seq DESC LIMIT $2",
        )
        .bind(session.as_str())
        .bind(LAST)
        .fetch_all(self.reads())
        .await?;
        let (mut seen, mut known) = (Vec::new(), Vec::new());
        for origin in &origins {
            let origin: Origin = from_json("an origin", origin)?;
            let Some(chat) = origin.chat().filter(|chat| !seen.contains(*chat)) else { continue };
            seen.push(chat.clone());
            let whose = chat.chat.as_str().split(':').next().unwrap_or_default();
            if whose.starts_with('-') || self.person(&chat.channel, &chat.bot, whose).await?.is_some() {
                known.push(chat.clone());
            }
        }
        Ok(known)
    }
}
