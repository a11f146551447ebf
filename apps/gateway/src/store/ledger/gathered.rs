//! What is not a message by itself yet: parts of albums, and what others said in a group.

use argus_protocol::argus::chat::Receive;
use argus_session::ChatRef;
use sqlx::Row as _;

use super::codec::{from_json, to_json, to_sql};
use super::{Ledger, LedgerError, Tx};

/// Most that is kept of what others said, over all groups.
const MOST_OVERHEARD: i64 = 10_000;
/// After how long it is forgotten.
const FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1000;
/// Most parts of an album that are looked at.
const MOST_PARTS: i64 = 50;

/// An album that parts came of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Album {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// Its name there.
    pub album: String,
    /// When its newest part came, unix milliseconds.
    pub at_ms: u64,
}

/// What somebody said in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// Who.
    pub name: String,
    /// What.
    pub text: String,
}

impl Ledger {
    /// The albums whose parts are kept, the oldest first.
    pub async fn albums(&self) -> Result<Vec<Album>, LedgerError> {
        let rows = sqlx::query(
            "SELECT channel, bot, album, max(at_ms) AS newest FROM album_parts GROUP BY channel, bot, album \
             ORDER BY newest LIMIT 100",
        )
        .fetch_all(self.reads())
        .await?;
        let album = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Album {
                channel: row.try_get("channel")?,
                bot: row.try_get("bot")?,
                album: row.try_get("album")?,
                at_ms: u64::try_from(row.try_get::<i64, _>("newest")?).unwrap_or(0),
            })
        };
        rows.iter().map(album).collect()
    }
}

impl Ledger {
    /// The albums of which parts came from who wrote this message, in the same chat.
    pub async fn albums_before(&self, message: &Receive) -> Result<Vec<Album>, LedgerError> {
        let mut albums = self.albums().await?;
        albums.retain(|album| (&album.channel, &album.bot) == (&message.channel, &message.bot));
        let mut theirs = Vec::new();
        for album in albums {
            let parts: Vec<String> = sqlx::query_scalar(
                "SELECT message FROM album_parts WHERE channel = $1 AND bot = $2 AND album = $3 LIMIT 1",
            )
            .bind(&album.channel)
            .bind(&album.bot)
            .bind(&album.album)
            .fetch_all(self.reads())
            .await?;
            for part in &parts {
                let part: Receive = from_json("a part of an album", part)?;
                if part.chat_key == message.chat_key && part.user.id == message.user.id {
                    theirs.push(album.clone());
                }
            }
        }
        Ok(theirs)
    }
}

impl Tx {
    /// Keeps a part of an album; the same one again changes nothing.
    pub async fn keep_part(&mut self, album: &str, part: &Receive) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO album_parts (channel, bot, album, idempotency_key, message, at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(&part.channel)
        .bind(&part.bot)
        .bind(album)
        .bind(&part.idempotency_key)
        .bind(to_json(part))
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// The parts of an album, as they came.
    pub async fn parts(&mut self, album: &Album) -> Result<Vec<Receive>, LedgerError> {
        let parts: Vec<String> = sqlx::query_scalar(
            "SELECT message FROM album_parts WHERE channel = $1 AND bot = $2 AND album = $3 \
             ORDER BY at_ms, idempotency_key LIMIT $4",
        )
        .bind(&album.channel)
        .bind(&album.bot)
        .bind(&album.album)
        .bind(MOST_PARTS)
        .fetch_all(&mut self.connection)
        .await?;
        parts.iter().map(|part| from_json("a part of an album", part)).collect()
    }

    /// Lets go of a part: it has its effect.
    pub async fn drop_part(&mut self, album: &str, part: &Receive) -> Result<(), LedgerError> {
        sqlx::query(
            "DELETE FROM album_parts WHERE channel = $1 AND bot = $2 AND album = $3 AND idempotency_key = $4",
        )
        .bind(&part.channel)
        .bind(&part.bot)
        .bind(album)
        .bind(&part.idempotency_key)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Keeps what somebody said in a group, and of that group only the newest `most`.
    pub async fn overhear(&mut self, chat: &ChatRef, said: &Overheard, most: u32) -> Result<(), LedgerError> {
        let now = self.now_ms();
        sqlx::query("DELETE FROM overheard WHERE at_ms < $1 OR id <= (SELECT max(id) FROM overheard) - $2")
            .bind(to_sql(now.saturating_sub(FORGOTTEN_MS)))
            .bind(MOST_OVERHEARD)
            .execute(&mut self.connection)
            .await?;
        sqlx::query(
            "INSERT INTO overheard (channel, bot, chat_key, name, text, at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(&said.name)
        .bind(&said.text)
        .bind(to_sql(now))
        .execute(&mut self.connection)
        .await?;
        sqlx::query(
            "DELETE FROM overheard WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND id NOT IN \
             (SELECT id FROM overheard WHERE channel = $1 AND bot = $2 AND chat_key = $3 ORDER BY id DESC LIMIT $4)",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(i64::from(most))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Takes what was kept of a group, in the order in which it was said.
    pub async fn take_overheard(&mut self, chat: &ChatRef) -> Result<Vec<Overheard>, LedgerError> {
        let rows = sqlx::query(
            "DELETE FROM overheard WHERE channel = $1 AND bot = $2 AND chat_key = $3 RETURNING id, name, text",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .fetch_all(&mut self.connection)
        .await?;
        let said = |row: &sqlx::sqlite::SqliteRow| -> Result<_, LedgerError> {
            let said = Overheard { name: row.try_get("name")?, text: row.try_get("text")? };
            Ok((row.try_get::<i64, _>("id")?, said))
        };
        let mut all = rows.iter().map(said).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|(id, _)| *id);
        Ok(all.into_iter().map(|(_, said)| said).collect())
    }
}
