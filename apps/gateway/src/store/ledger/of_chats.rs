//! What chats asked before: by its message, the last of it, its outcomes, its threads.

use argus_protocol::argus::chat::Attachment;
use argus_protocol::{SessionId, SubmissionId, ThreadId};
use argus_session::{ChatRef, Origin, Outcome, Settlement, Submission, Target};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_json, parse, to_json};
use super::submissions::{phase, read_submission};
use super::{Body, Language, Ledger, LedgerError, NewRow, Phase, Tx};

pub(super) const COLUMNS: &str =
    "id, session, target, thread, origin, text, attachments, state, turn, outcome";

/// What was asked last, as a whole where several messages made one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAsked {
    /// How far it is.
    pub phase: Phase,
    /// What was said.
    pub text: String,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
}

/// A thread that a chat has, or had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierThread {
    /// The chat's first era in it.
    pub era: u32,
    /// The thread.
    pub thread: ThreadId,
    /// What was said first in it, as far as that is kept.
    pub words: Option<String>,
}

impl Ledger {
    /// A submission, and how far it is.
    pub async fn submission(&self, id: &SubmissionId) -> Result<Option<(Submission, Phase)>, LedgerError> {
        let row = sqlx::query(&format!("SELECT {COLUMNS} FROM submissions WHERE id = $1"))
            .bind(id.as_str())
            .fetch_optional(self.reads())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// What a message of a chat became, and how far it is.
    pub async fn submission_of_message(
        &self,
        origin: &Origin,
    ) -> Result<Option<(Submission, Phase)>, LedgerError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM submissions WHERE origin = $1 ORDER BY seq DESC LIMIT 1"
        ))
        .bind(to_json(origin))
        .fetch_optional(self.reads())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Where something of a chat is open in a session, what came last first; also under the key that it had first. Of a
    /// thread that is not the chat's own, only where nobody else's work would be meant.
    pub async fn open_targets(
        &self,
        session: &SessionId,
        chat: &ChatRef,
    ) -> Result<Vec<Target>, LedgerError> {
        let first = self.first_key(chat).await?;
        let is_it = |one: &ChatRef| {
            (&one.channel, &one.bot) == (&chat.channel, &chat.bot)
                && (one.chat == chat.chat || first.as_ref() == Some(&one.chat))
        };
        let rows = sqlx::query(
            "SELECT target, origin, state FROM submissions WHERE session = $1 AND state <> 'settled' ORDER BY seq DESC",
        )
        .bind(session.as_str())
        .fetch_all(self.reads())
        .await?;
        let (mut here, mut of_others) = (Vec::new(), Vec::new());
        for row in &rows {
            let target: Target = from_json("a target", row.try_get("target")?)?;
            let origin: Origin = from_json("an origin", row.try_get("origin")?)?;
            let its_own = matches!(&target, Target::Chat { chat, .. } if is_it(chat));
            if its_own || (origin.chat().is_some_and(is_it) && !matches!(target, Target::Chat { .. })) {
                if !here.contains(&target) {
                    here.push(target);
                }
            } else if phase(row.try_get("state")?)? != Phase::Queued {
                of_others.push(target);
            }
        }
        here.retain(|target| !of_others.contains(target));
        Ok(here)
    }

    /// What was asked last there.
    pub async fn last_asked(
        &self,
        session: &SessionId,
        target: &Target,
    ) -> Result<Option<LastAsked>, LedgerError> {
        let newest = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM submissions WHERE session = $1 AND target = $2 ORDER BY seq DESC LIMIT 1"
        ))
        .bind(session.as_str())
        .bind(to_json(target))
        .fetch_optional(self.reads())
        .await?;
        let Some(newest) = newest else { return Ok(None) };
        let phase = phase(newest.try_get("state")?)?;
        let rows = match newest.try_get::<Option<String>, _>("turn")? {
            None => vec![newest],
            Some(turn) => {
                sqlx::query(&format!(
                    "SELECT {COLUMNS} FROM submissions WHERE session = $1 AND target = $2 AND turn = $3 ORDER BY seq"
                ))
                .bind(session.as_str())
                .bind(to_json(target))
                .bind(turn)
                .fetch_all(self.reads())
                .await?
            }
        };
        Ok(Some(whole(phase, &rows)?))
    }

    /// The threads of a chat, the newest first.
    pub async fn threads_of(
        &self,
        session: &SessionId,
        chat: &ChatRef,
        most: u32,
    ) -> Result<Vec<EarlierThread>, LedgerError> {
        let rows = sqlx::query(
            "SELECT thread, min(era) AS first, max(era) AS newest FROM chat_bindings WHERE session = $1 \
             AND channel = $2 AND bot = $3 AND chat_key = $4 AND thread IS NOT NULL \
             GROUP BY thread ORDER BY newest DESC LIMIT $5",
        )
        .bind(session.as_str())
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(most)
        .fetch_all(self.reads())
        .await?;
        let mut threads = Vec::with_capacity(rows.len());
        for row in rows {
            let era: u32 = row.try_get("first")?;
            let target = Target::Chat { chat: chat.clone(), era };
            let words = sqlx::query_scalar(
                "SELECT substr(text, 1, 200) FROM submissions WHERE session = $1 AND target = $2 ORDER BY seq LIMIT 1",
            )
            .bind(session.as_str())
            .bind(to_json(&target))
            .fetch_optional(self.reads())
            .await?;
            threads.push(EarlierThread { era, thread: parse("a thread id", row.try_get("thread")?)?, words });
        }
        Ok(threads)
    }

    /// Which chats speak with which session.
    pub async fn chats_of_sessions(&self, most: u32) -> Result<Vec<(SessionId, String)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT session, chat_key, max(at_ms) AS newest FROM chat_bindings \
             GROUP BY session, channel, bot, chat_key ORDER BY newest DESC LIMIT $1",
        )
        .bind(most)
        .fetch_all(self.reads())
        .await?;
        let read =
            |row: &SqliteRow| Ok((parse("a session id", row.try_get("session")?)?, row.try_get("chat_key")?));
        rows.iter().map(read).collect()
    }
}

impl Tx {
    /// Tells a chat the last outcome of a target again; whether there is one. `name` names this very telling.
    pub async fn tell_again(
        &mut self,
        session: &SessionId,
        target: &Target,
        language: Language,
        name: &str,
    ) -> Result<bool, LedgerError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM submissions WHERE session = $1 AND target = $2 AND state = 'settled' \
             ORDER BY seq DESC LIMIT 1"
        ))
        .bind(session.as_str())
        .bind(to_json(target))
        .fetch_optional(&mut self.connection)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let submission = read_submission(&row)?;
        let outcome: Outcome = from_json("an outcome", row.try_get("outcome")?)?;
        let settlement = Settlement {
            submissions: vec![submission.id],
            origin: submission.origin,
            thread: submission.thread,
            turn: None,
            outcome,
            usage: None,
        };
        for (number, row) in (self.answers)(&settlement, language).into_iter().enumerate() {
            let body = match row.body {
                Body::Text(body) => Body::Text(super::TextBody { live: None, ..body }),
                Body::Document(body) => Body::Document(super::DocumentBody { live: None, ..body }),
                other => other,
            };
            let dedupe_key = format!("again:{name}:{number}");
            self.put_out(NewRow { dedupe_key, chat: row.chat, body }).await?;
        }
        Ok(true)
    }
}

/// What several messages asked together.
pub(super) fn whole(phase: Phase, rows: &[SqliteRow]) -> Result<LastAsked, LedgerError> {
    let all = rows.iter().map(read_submission).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<_> = all.iter().map(|one| one.text.as_str()).filter(|text| !text.is_empty()).collect();
    let text = texts.join("\n\n");
    Ok(LastAsked { phase, text, attachments: all.into_iter().flat_map(|one| one.attachments).collect() })
}

fn read(row: &SqliteRow) -> Result<(Submission, Phase), LedgerError> {
    Ok((read_submission(row)?, phase(row.try_get("state")?)?))
}
