//! Questions of nodes to their owner: open until they are answered or over, answered once.

use argus_protocol::ChatKey;
use argus_session::ChatRef;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse, to_sql};
use super::{Ledger, LedgerError, Tx};

/// A question of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeQuestion {
    /// Stands in buttons; nobody can guess it.
    pub id: String,
    /// The node that asks …
    pub node_id: String,
    /// … and its name for the question.
    pub ask_id: String,
    /// The chat that is asked.
    pub chat: ChatRef,
    /// What is asked, as chats keep it.
    pub asked: String,
    /// How it stands.
    pub state: NodeQuestionState,
    /// When it is worth no answer any more, unix milliseconds.
    pub expires_ms: u64,
}

/// How a question of a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeQuestionState {
    /// It waits.
    Open,
    /// Somebody said yes; who, for the node's audit.
    Allowed(String),
    /// Somebody said no.
    Denied(String),
    /// It needs no answer any more.
    Over,
}

/// What became of a question that is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    New,
    /// It was put before.
    Known(NodeQuestionState),
    /// Too many are open, or were put lately.
    Full,
}

/// How many there may be:
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostAsked {
    /// Of one node …
    pub of_one: u32,
    /// … and of all.
    pub of_all: u32,
}

const COLUMNS: &str =
    "id, node_id, ask_id, channel, bot, chat, asked, state, answered_by, expires_ms FROM node_questions";
/// What counts as lately, in milliseconds.
const LATELY_MS: u64 = 60 * 60 * 1000;
/// How long a question is remembered that is over, in milliseconds.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;

impl Ledger {
    /// Open questions whose time is over.
    pub async fn overdue_node_questions(&self, now_ms: u64) -> Result<Vec<NodeQuestion>, LedgerError> {
        let rows =
            sqlx::query(&format!("SELECT {COLUMNS} WHERE state = 'open' AND expires_ms <= $1 LIMIT 64"))
                .bind(to_sql(now_ms))
                .fetch_all(self.reads())
                .await?;
        rows.iter().map(read).collect()
    }
}

impl Tx {
    /// Stores a question, unless its node asked it before, too many are `open`, or were put `lately`: in the last hour,
    /// answered or not.
    pub async fn put_node_question(
        &mut self,
        new: &NodeQuestion,
        open: MostAsked,
        lately: MostAsked,
    ) -> Result<Put, LedgerError> {
        if let Some(known) = self.node_question_of(&new.node_id, &new.ask_id).await? {
            return Ok(Put::Known(known.state));
        }
        let now = self.now_ms();
        sqlx::query("DELETE FROM node_questions WHERE expires_ms < $1 AND state <> 'open'")
            .bind(to_sql(now.saturating_sub(KEPT_MS)))
            .execute(&mut self.connection)
            .await?;
        let is_open = "state = 'open' AND expires_ms > $2";
        for (which, since, most) in
            [(is_open, now, open), ("created_ms > $2", now.saturating_sub(LATELY_MS), lately)]
        {
            let counted = sqlx::query(&format!(
                "SELECT count(*) AS of_all, coalesce(sum(node_id = $1), 0) AS of_one FROM node_questions WHERE {which}"
            ))
            .bind(&new.node_id)
            .bind(to_sql(since))
            .fetch_one(&mut self.connection)
            .await?;
            let (of_all, of_one): (i64, i64) = (counted.try_get("of_all")?, counted.try_get("of_one")?);
            if of_all >= i64::from(most.of_all) || of_one >= i64::from(most.of_one) {
                return Ok(Put::Full);
            }
        }
        sqlx::query(
            "INSERT INTO node_questions (id, node_id, ask_id, channel, bot, chat, asked, state, expires_ms, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
        )
        .bind(&new.id)
        .bind(&new.node_id)
        .bind(&new.ask_id)
        .bind(&new.chat.channel)
        .bind(&new.chat.bot)
        .bind(new.chat.chat.as_str())
        .bind(&new.asked)
        .bind(to_sql(new.expires_ms))
        .bind(to_sql(now))
        .execute(&mut self.connection)
        .await?;
        Ok(Put::New)
    }

    /// A question by the id that stands in its buttons.
    pub async fn node_question(&mut self, id: &str) -> Result<Option<NodeQuestion>, LedgerError> {
        let row = sqlx::query(&format!("SELECT {COLUMNS} WHERE id = $1"))
            .bind(id)
            .fetch_optional(&mut self.connection)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// A question by its node's name for it.
    pub async fn node_question_of(
        &mut self,
        node: &str,
        ask: &str,
    ) -> Result<Option<NodeQuestion>, LedgerError> {
        let row = sqlx::query(&format!("SELECT {COLUMNS} WHERE node_id = $1 AND ask_id = $2"))
            .bind(node)
            .bind(ask)
            .fetch_optional(&mut self.connection)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends an open question.
    pub async fn end_node_question(
        &mut self,
        id: &str,
        state: &NodeQuestionState,
    ) -> Result<(), LedgerError> {
        let (word, by) = match state {
            NodeQuestionState::Open => return Ok(()),
            NodeQuestionState::Allowed(by) => ("allowed", Some(by)),
            NodeQuestionState::Denied(by) => ("denied", Some(by)),
            NodeQuestionState::Over => ("over", None),
        };
        sqlx::query(
            "UPDATE node_questions SET state = $2, answered_by = $3 WHERE id = $1 AND state = 'open'",
        )
        .bind(id)
        .bind(word)
        .bind(by)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<NodeQuestion, LedgerError> {
    let by = || row.try_get::<Option<String>, _>("answered_by").map(Option::unwrap_or_default);
    let state = match row.try_get("state")? {
        "open" => NodeQuestionState::Open,
        "allowed" => NodeQuestionState::Allowed(by()?),
        "denied" => NodeQuestionState::Denied(by()?),
        "over" => NodeQuestionState::Over,
        other => return Err(LedgerError::unreadable("a node's question's state", other)),
    };
    let chat: ChatKey = parse("a chat key", row.try_get("chat")?)?;
    Ok(NodeQuestion {
        id: row.try_get("id")?,
        node_id: row.try_get("node_id")?,
        ask_id: row.try_get("ask_id")?,
        chat: ChatRef { channel: row.try_get("channel")?, bot: row.try_get("bot")?, chat },
        asked: row.try_get("asked")?,
        state,
        expires_ms: from_sql(row.try_get("expires_ms")?),
    })
}
