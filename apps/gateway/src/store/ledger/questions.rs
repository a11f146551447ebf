//! Questions of agents that chats are asked: open until they are answered or over, answered once.

use argus_protocol::{ChatKey, SessionId};
use argus_session::ChatRef;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

use super::codec::{from_sql, parse, to_sql};
use super::{Language, Ledger, LedgerError, Seen, Tx, people};

/// A question to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQuestion {
    /// Stands in buttons; nobody can guess it.
    pub id: String,
    /// The session that asks …
    pub session: SessionId,
    /// … and its name for the question.
    pub key: String,
    /// The chat that is asked.
    pub chat: ChatRef,
    /// The person who asked for the turn.
    pub asker: String,
    /// The method of the agent's request.
    pub method: String,
    /// Its parameters, JSON text.
    pub params: String,
    /// The item that it is about, JSON text.
    pub item: Option<String>,
    /// When it is declined, unix milliseconds.
    pub expires_ms: u64,
}

/// A question as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What was asked.
    pub asked: NewQuestion,
    /// Whether it waits.
    pub state: QuestionState,
    /// What has been answered of several, as chats keep it.
    pub draft: Option<String>,
    /// The result for the agent, JSON text.
    pub answer: Option<String>,
    /// What the chat was told of its end.
    pub outcome: Option<String>,
}

/// Whether a question waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionState {
    /// It does.
    Open,
    /// The chat has answered it.
    Answered,
    /// It needs no answer of the chat any more.
    Over,
}

impl QuestionState {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Over => "over",
        }
    }
}

const COLUMNS: &str = "q.id, q.session, q.key, q.channel, q.bot, q.chat_key, q.asker, q.method, q.params, q.item, q.state, \
     q.draft, q.answer, q.outcome, q.expires_ms";

impl Ledger {
    /// A question by the id that stands in its buttons.
    pub async fn question(&self, id: &str) -> Result<Option<Question>, LedgerError> {
        by_id(self.reads(), id).await
    }

    /// The open question that a message of ours puts.
    pub async fn question_of_message(
        &self,
        chat: &ChatRef,
        message: &str,
    ) -> Result<Option<Question>, LedgerError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM questions q JOIN outbox o ON o.dedupe_key = 'ask:' || q.id \
             WHERE q.channel = $1 AND q.bot = $2 AND q.chat_key = $3 AND q.state = 'open' AND o.message_id = $4"
        ))
        .bind(&chat.channel)
        .bind(&chat.bot)
        .bind(chat.chat.as_str())
        .bind(message)
        .fetch_optional(self.reads())
        .await?;
        row.as_ref().map(read).transpose()
    }
}

impl Tx {
    /// Stores a question, unless its session asked it before.
    pub async fn put_question(&mut self, new: &NewQuestion) -> Result<Seen, LedgerError> {
        let done = sqlx::query(
            "INSERT INTO questions (id, session, key, channel, bot, chat_key, asker, method, params, item, state, \
             created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&new.id)
        .bind(new.session.as_str())
        .bind(&new.key)
        .bind(&new.chat.channel)
        .bind(&new.chat.bot)
        .bind(new.chat.chat.as_str())
        .bind(&new.asker)
        .bind(&new.method)
        .bind(&new.params)
        .bind(&new.item)
        .bind(to_sql(self.now_ms()))
        .bind(to_sql(new.expires_ms))
        .execute(&mut self.connection)
        .await?;
        Ok(if done.rows_affected() == 0 { Seen::Again } else { Seen::First })
    }

    /// As [`Ledger::question`].
    pub async fn question(&mut self, id: &str) -> Result<Option<Question>, LedgerError> {
        by_id(&mut self.connection, id).await
    }

    /// A question by its session's name for it.
    pub async fn question_of(
        &mut self,
        session: &SessionId,
        key: &str,
    ) -> Result<Option<Question>, LedgerError> {
        let row =
            sqlx::query(&format!("SELECT {COLUMNS} FROM questions q WHERE q.session = $1 AND q.key = $2"))
                .bind(session.as_str())
                .bind(key)
                .fetch_optional(&mut self.connection)
                .await?;
        row.as_ref().map(read).transpose()
    }

    /// Keeps what has been answered of several.
    pub async fn draft_question(&mut self, id: &str, draft: &str) -> Result<(), LedgerError> {
        sqlx::query("UPDATE questions SET draft = $2 WHERE id = $1 AND state = 'open'")
            .bind(id)
            .bind(draft)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Ends an open question with the chat's answer; or any without one. `outcome` is what the chat is told of it.
    pub async fn end_question(
        &mut self,
        id: &str,
        answer: Option<&str>,
        outcome: &str,
    ) -> Result<(), LedgerError> {
        let state = if answer.is_some() { QuestionState::Answered } else { QuestionState::Over };
        sqlx::query(
            "UPDATE questions SET state = $2, answer = $3, outcome = $4, done_ms = $5 \
             WHERE id = $1 AND (state = 'open' OR (state = 'answered' AND $3 IS NULL))",
        )
        .bind(id)
        .bind(state.word())
        .bind(answer)
        .bind(outcome)
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Forgets what an ended question said and what was answered, secrets among it: nobody asks for that any more.
    pub async fn shed_question(&mut self, id: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE questions SET params = '', item = NULL, draft = NULL, answer = NULL \
             WHERE id = $1 AND state <> 'open'",
        )
        .bind(id)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// The language that somebody reads in that chat.
    pub async fn language(&mut self, chat: &ChatRef, user: &str) -> Result<Language, LedgerError> {
        people::language(&mut self.connection, chat, user).await
    }
}

async fn by_id(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<Question>, LedgerError> {
    let row = sqlx::query(&format!("SELECT {COLUMNS} FROM questions q WHERE q.id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<Question, LedgerError> {
    let chat: ChatKey = parse("a chat key", row.try_get("chat_key")?)?;
    let state = match row.try_get("state")? {
        "open" => QuestionState::Open,
        "answered" => QuestionState::Answered,
        "over" => QuestionState::Over,
        other => return Err(LedgerError::unreadable("a question's state", other)),
    };
    Ok(Question {
        asked: NewQuestion {
            id: row.try_get("id")?,
            session: parse("a session id", row.try_get("session")?)?,
            key: row.try_get("key")?,
            chat: ChatRef { channel: row.try_get("channel")?, bot: row.try_get("bot")?, chat },
            asker: row.try_get("asker")?,
            method: row.try_get("method")?,
            params: row.try_get("params")?,
            item: row.try_get("item")?,
            expires_ms: from_sql(row.try_get("expires_ms")?),
        },
        state,
        draft: row.try_get("draft")?,
        answer: row.try_get("answer")?,
        outcome: row.try_get("outcome")?,
    })
}
