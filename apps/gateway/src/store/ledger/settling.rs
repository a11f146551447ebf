//! The end of submissions: stored once, together with what people are told of it.

use argus_protocol::{SessionId, ThreadId, TurnId};
use argus_session::{ChatRef, OpenState, Origin, Outcome, Settlement};

use sqlx::Row as _;

use super::codec::{from_sql, parse, to_json, to_sql};
use super::submissions::{OPEN, read_open};
use super::{Ledger, LedgerError, Tx, people};

/// What a settlement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The submissions ended now, and what is to be told of it is in the outbox.
    Now,
    /// They had ended before; nothing changed.
    Before,
}

/// What the turns of one session took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The session.
    pub session: SessionId,
    /// Turns that told what they took.
    pub turns: u64,
    /// Tokens read by the model, with those from its cache.
    pub input: u64,
    /// Of these from its cache.
    pub cached: u64,
    /// Tokens written by it.
    pub output: u64,
}

impl Ledger {
    /// What turns took that ended at this unix time in milliseconds or later, by session.
    pub async fn usage_since(&self, at_ms: u64) -> Result<Vec<Used>, LedgerError> {
        let rows = sqlx::query(
            "SELECT session, count(*) AS turns, sum(input_tokens) AS input, sum(cached_tokens) AS cached, \
             sum(output_tokens) AS output FROM submissions \
             WHERE state = 'settled' AND settled_ms >= $1 AND input_tokens IS NOT NULL GROUP BY session ORDER BY session",
        )
        .bind(to_sql(at_ms))
        .fetch_all(self.reads())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Used {
                    session: parse("a session id", row.try_get("session")?)?,
                    turns: from_sql(row.try_get("turns")?),
                    input: from_sql(row.try_get("input")?),
                    cached: from_sql(row.try_get("cached")?),
                    output: from_sql(row.try_get("output")?),
                })
            })
            .collect()
    }

    /// Stores how a turn ended, together with what people are told of it. Events that it carried are taken where the
    /// agent named the turn, and wait again where it did not.
    pub async fn settle(&self, settlement: &Settlement) -> Result<Settled, LedgerError> {
        let settlement = settlement.clone();
        self.write(move |tx| Box::pin(async move { tx.settle(&settlement).await })).await
    }

    /// Forgets a session that was deleted: its open submissions fail, their chats are told, its bindings and
    /// link state go, and its tokens end. Answers what it settled.
    pub async fn forget_session(&self, session: &SessionId) -> Result<Vec<Settlement>, LedgerError> {
        let session = session.clone();
        self.write(move |tx| Box::pin(async move { tx.forget_session(&session).await })).await
    }
}

impl Tx {
    /// As [`Ledger::settle`].
    pub async fn settle(&mut self, settlement: &Settlement) -> Result<Settled, LedgerError> {
        let mut ended = 0;
        for id in &settlement.submissions {
            // Counted once: with the newest.
            let usage = settlement.usage.filter(|_| settlement.submissions.last() == Some(id));
            let done = sqlx::query(
                "UPDATE submissions SET state = 'settled', outcome = $2, thread = coalesce($3, thread), \
                 turn = coalesce($4, turn), settled_ms = $5, input_tokens = $6, cached_tokens = $7, output_tokens = $8 \
                 WHERE id = $1 AND state <> 'settled'",
            )
            .bind(id.as_str())
            .bind(to_json(&settlement.outcome))
            .bind(settlement.thread.as_ref().map(ThreadId::as_str))
            .bind(settlement.turn.as_ref().map(TurnId::as_str))
            .bind(to_sql(self.now_ms()))
            .bind(usage.map(|usage| to_sql(usage.input)))
            .bind(usage.map(|usage| to_sql(usage.cached)))
            .bind(usage.map(|usage| to_sql(usage.output)))
            .execute(&mut self.connection)
            .await?;
            ended += done.rows_affected();
        }
        if ended == 0 {
            return Ok(Settled::Before);
        }
        let language = match settlement.origin.chat() {
            Some(chat) => {
                people::language(&mut self.connection, chat, reader(&settlement.origin, chat)).await?
            }
            None => people::Language::English,
        };
        if let Some(told) = self.end_run(settlement).await? {
            for row in (self.answers)(&told, language) {
                self.put_out(row).await?;
            }
        }
        self.take_back_notes(&settlement.submissions).await?;
        match settlement.turn {
            Some(_) => self.take_events(&settlement.submissions).await?,
            None => self.release_events(&settlement.submissions).await?,
        }
        Ok(Settled::Now)
    }

    async fn forget_session(&mut self, session: &SessionId) -> Result<Vec<Settlement>, LedgerError> {
        let rows = sqlx::query(OPEN).bind(session.as_str()).fetch_all(&mut self.connection).await?;
        let mut settled = Vec::with_capacity(rows.len());
        for row in &rows {
            let open = read_open(row)?;
            let turn = match open.state {
                OpenState::Starting { turn, .. } => turn,
                OpenState::Queued => None,
            };
            let settlement = Settlement {
                submissions: vec![open.submission.id],
                origin: super::without_alert(open.submission.origin),
                thread: open.submission.thread,
                turn,
                outcome: Outcome::Failed {
                    reason: "the session was deleted; send the message again".to_owned(),
                    text: String::new(),
                },
                usage: None,
            };
            self.settle(&settlement).await?;
            settled.push(settlement);
        }
        for statement in [
            "DELETE FROM chat_bindings WHERE session = $1",
            "DELETE FROM named_threads WHERE session = $1",
            "DELETE FROM events WHERE session = $1",
            "DELETE FROM cron_runs WHERE session = $1",
            "DELETE FROM heartbeats WHERE session = $1",
            "DELETE FROM agent_handshakes WHERE session = $1",
            "DELETE FROM checkpoints WHERE session = $1",
        ] {
            sqlx::query(statement).bind(session.as_str()).execute(&mut self.connection).await?;
        }
        sqlx::query(
            "UPDATE questions SET state = 'over', done_ms = $2 WHERE session = $1 AND state = 'open'",
        )
        .bind(session.as_str())
        .bind(to_sql(self.now_ms()))
        .execute(&mut self.connection)
        .await?;
        self.revoke_tokens_of(session).await?;
        Ok(settled)
    }
}

/// Who reads the answer: the person who asked, or in a private chat the one it belongs to.
fn reader<'a>(origin: &'a Origin, chat: &'a ChatRef) -> &'a str {
    match origin {
        Origin::Chat { user, .. } => user,
        Origin::Client { .. } | Origin::Cron { .. } | Origin::Heartbeat { .. } => chat.chat.as_str(),
    }
}
