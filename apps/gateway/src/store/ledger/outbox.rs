//! The outbox: everything a person is to read, until their channel has taken it.

use argus_protocol::SubmissionId;
use argus_protocol::argus::message::SendKind;
use argus_session::ChatRef;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_json, from_sql, parse, to_json, to_sql};
use super::{Ledger, LedgerError, Tx};

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

/// What a message says. The kind is a column of its own, and says how the rest is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(TextBody),
    /// A message that was put out before changes.
    Edit(EditBody),
    /// A long text as a file.
    Document(DocumentBody),
    /// Files; several are an album.
    Files(FilesBody),
}

/// A text, within the channel's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TextBody {
    /// With the channel's mark-up.
    pub html: String,
    /// Without any, should the channel refuse the mark-up.
    pub plain: String,
    /// Rows of buttons below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
    /// The submission whose live message it takes the place of, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<SubmissionId>,
    /// The channel's id of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// A change of a message that was put out before, in the same chat. Nothing where that one was never sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EditBody {
    /// The dedupe key of the one to change.
    pub of: String,
    /// What it says from now on, with the channel's mark-up.
    pub html: String,
    /// The same without any.
    pub plain: String,
    /// Rows of buttons below it from now on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
}

/// A long text as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentBody {
    /// The file's name.
    pub name: String,
    /// All of it.
    pub text: String,
    /// What stands below it, with the channel's mark-up …
    pub html: String,
    /// … and without.
    pub plain: String,
    /// The submission whose live message goes when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<SubmissionId>,
}

/// Files that are kept until they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilesBody {
    /// One, or several of kinds that go together.
    pub files: Vec<KeptFile>,
}

/// A file that is kept until it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptFile {
    /// Its name among the kept ones.
    pub kept: String,
    /// The name it is sent with.
    pub name: String,
    /// As what it is sent.
    pub kind: SendKind,
    /// What stands below it, with the channel's mark-up …
    #[serde(default)]
    pub html: String,
    /// … and without.
    #[serde(default)]
    pub plain: String,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// What it shows.
    pub text: String,
    /// What comes back when it is pressed; at most 64 bytes.
    pub data: String,
}

impl TextBody {
    /// A text without anything else.
    pub fn of(html: impl Into<String>, plain: impl Into<String>) -> Self {
        Self { html: html.into(), plain: plain.into(), ..Self::default() }
    }
}

impl Body {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Edit(_) => "edit",
            Self::Document(_) => "document",
            Self::Files(_) => "files",
        }
    }

    fn payload(&self) -> String {
        match self {
            Self::Text(body) => to_json(body),
            Self::Edit(body) => to_json(body),
            Self::Document(body) => to_json(body),
            Self::Files(body) => to_json(body),
        }
    }

    fn read(kind: &str, payload: &str) -> Result<Self, LedgerError> {
        Ok(match kind {
            "text" => Self::Text(from_json("a message", payload)?),
            "edit" => Self::Edit(from_json("a change of a message", payload)?),
            "document" => Self::Document(from_json("a text as a file", payload)?),
            "files" => Self::Files(from_json("files to send", payload)?),
            other => return Err(LedgerError::unreadable("a message's kind", other)),
        })
    }
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
            let of = ChatRef {
                channel: row.try_get("channel")?,
                bot: row.try_get("bot")?,
                chat: parse("a chat key", row.try_get("chat_key")?)?,
            };
            if chat.is_none_or(|chat| *chat == of) {
                let body: FilesBody = from_json("files to send", row.try_get("payload")?)?;
                names.extend(body.files.into_iter().map(|file| file.kept));
            }
        }
        Ok(names)
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
