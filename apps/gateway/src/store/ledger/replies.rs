//! Where a reply goes on: in the thread of what nobody had asked for, when it answers that.

use argus_protocol::{SessionId, SubmissionId};
use argus_session::{ChatRef, Origin, Target};
use sqlx::Row as _;

use super::codec::{from_json, to_json};
use super::of_chats::{COLUMNS, whole};
use super::submissions::{phase, read_submission};
use super::{LastAsked, Ledger, LedgerError, Tx};

/// Names messages that were sent instead of another one, with its number.
const INSTEAD: &str = "instead:";

impl Tx {
    /// The thread of a scheduled run or a heartbeat that a message of ours told of, or of an answer to one.
    pub async fn goes_on_in(
        &mut self,
        session: &SessionId,
        chat: &ChatRef,
        message: &str,
    ) -> Result<Option<Target>, LedgerError> {
        let Some(told) = self.told_by(chat, message).await? else { return Ok(None) };
        let row = sqlx::query("SELECT target, origin FROM submissions WHERE id = $1 AND session = $2")
            .bind(told.as_str())
            .bind(session.as_str())
            .fetch_optional(&mut self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let target = from_json("a target", row.try_get("target")?)?;
        Ok(match (from_json("an origin", row.try_get("origin")?)?, target) {
            (Origin::Client { .. }, _) | (_, Target::Chat { .. }) => None,
            (Origin::Chat { .. } | Origin::Cron { .. } | Origin::Heartbeat { .. }, target) => Some(target),
        })
    }

    /// The submission whose outcome a message of ours tells.
    async fn told_by(&mut self, chat: &ChatRef, message: &str) -> Result<Option<SubmissionId>, LedgerError> {
        let mut key: Option<String> = sqlx::query_scalar(
            "SELECT dedupe_key FROM outbox WHERE channel = $1 AND bot = $2 AND chat_key = $3 AND message_id = $4 \
             ORDER BY id DESC LIMIT 1",
        )
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(message)
        .fetch_optional(&mut self.connection)
        .await?;
        let instead = key.as_deref().and_then(|key| key.strip_prefix(INSTEAD)?.split_once(':'));
        if let Some(number) = instead.and_then(|(number, _)| number.parse::<i64>().ok()) {
            key = sqlx::query_scalar("SELECT dedupe_key FROM outbox WHERE id = $1")
                .bind(number)
                .fetch_optional(&mut self.connection)
                .await?;
        }
        let told = key.as_deref().and_then(|key| key.rsplit_once(':'));
        Ok(told.and_then(|(submission, _)| submission.parse().ok()))
    }
}

impl Ledger {
    /// What a chat asked last and where, where that was none of its own threads: it answered what nobody had asked for.
    pub async fn last_aside(
        &self,
        session: &SessionId,
        chat: &ChatRef,
    ) -> Result<Option<(Target, LastAsked)>, LedgerError> {
        // How every origin of that chat begins, whoever wrote.
        let begins = format!(r#"{{"kind":"chat","chat":{},"#, to_json(chat));
        let newest = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM submissions WHERE session = $1 AND substr(origin, 1, length($2)) = $2 \
             ORDER BY seq DESC LIMIT 1"
        ))
        .bind(session.as_str())
        .bind(&begins)
        .fetch_optional(self.reads())
        .await?;
        let Some(newest) = newest else { return Ok(None) };
        let target = read_submission(&newest)?.target;
        if matches!(target, Target::Chat { .. }) {
            return Ok(None);
        }
        let phase = phase(newest.try_get("state")?)?;
        let rows = match newest.try_get::<Option<String>, _>("turn")? {
            None => vec![newest],
            Some(turn) => sqlx::query(&format!(
                "SELECT {COLUMNS} FROM submissions WHERE session = $1 AND substr(origin, 1, length($2)) = $2 \
                     AND target = $3 AND turn = $4 ORDER BY seq"
            ))
            .bind(session.as_str())
            .bind(&begins)
            .bind(to_json(&target))
            .bind(turn)
            .fetch_all(self.reads())
            .await?,
        };
        Ok(Some((target, whole(phase, &rows)?)))
    }
}
