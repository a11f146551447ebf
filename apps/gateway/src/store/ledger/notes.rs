//! Notes that a message waits: put out while it does, and taken back when its turn begins or it ended without one.

use argus_protocol::SubmissionId;
use argus_session::ChatRef;
use sqlx::Row as _;

use super::codec::parse;
use super::{Body, LedgerError, NewRow, TakeBackBody, TextBody, Tx};

/// Most notes on their way to one chat: an answer stands behind them.
const MOST: i64 = 3;

/// The outbox's name for the note that a submission waits.
pub fn note_key(id: &SubmissionId) -> String {
    format!("queued:{id}")
}

impl Tx {
    /// Puts out the note that a submission waits, unless it does not any more, or enough of them are on their way there.
    pub async fn note_waiting(
        &mut self,
        id: &SubmissionId,
        chat: ChatRef,
        body: TextBody,
    ) -> Result<(), LedgerError> {
        let waits: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM submissions WHERE id = $1 AND state = 'queued'")
                .bind(id.as_str())
                .fetch_optional(&mut self.connection)
                .await?;
        let notes: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE state = 'pending' AND channel = $1 AND bot = $2 AND chat_key = $3 \
             AND dedupe_key > 'queued:' AND dedupe_key < 'queued;'",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .fetch_one(&mut self.connection)
        .await?;
        if waits.is_none() || notes >= MOST {
            return Ok(());
        }
        self.put_out(NewRow { dedupe_key: note_key(id), chat, body: Body::Text(body) }).await
    }

    /// Takes the notes of these back, all at once. One that says already what came of its buttons stays.
    pub(super) async fn take_back_notes(&mut self, ids: &[SubmissionId]) -> Result<(), LedgerError> {
        let (mut to, mut of) = (None, Vec::new());
        for id in ids {
            let key = note_key(id);
            let note = sqlx::query(
                "SELECT channel, bot, chat_key FROM outbox WHERE dedupe_key = $1 AND NOT EXISTS \
                 (SELECT 1 FROM outbox WHERE dedupe_key > $2 AND dedupe_key < $3)",
            )
            .bind(&key)
            .bind(format!("{key}:"))
            .bind(format!("{key};"))
            .fetch_optional(&mut self.connection)
            .await?;
            let Some(note) = note else { continue };
            to = Some(ChatRef {
                channel: note.try_get("channel")?,
                bot: note.try_get("bot")?,
                chat: parse("a chat key", note.try_get("chat_key")?)?,
            });
            of.push(key);
        }
        let (Some(chat), Some(first)) = (to, of.first()) else { return Ok(()) };
        let dedupe_key = format!("over:{first}");
        self.put_out(NewRow { dedupe_key, chat, body: Body::TakeBack(TakeBackBody { of }) }).await
    }
}
