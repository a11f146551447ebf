//! Lets go of what has ended long ago.

use super::codec::to_sql;
use super::{Ledger, LedgerError};

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Settled submissions.
    pub submissions: u64,
    /// Names of received messages.
    pub received: u64,
    /// Messages that were sent or given up.
    pub outbox: u64,
    /// People we do not know.
    pub strangers: u64,
    /// Tokens that expired or were revoked.
    pub tokens: u64,
    /// Questions that were answered or fell away.
    pub questions: u64,
    /// Runs of scheduled jobs that ended or were left out.
    pub runs: u64,
    /// Notes of messages that showed turns while they ran.
    pub live: u64,
    /// System events that turns took.
    pub events: u64,
}

/// Rows of one transaction at most, so that nobody waits long behind it.
const AT_ONCE: i64 = 500;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const SUBMISSIONS: &str = "DELETE FROM submissions WHERE seq IN (SELECT seq FROM submissions \
     WHERE state = 'settled' AND settled_ms < $1 ORDER BY settled_ms LIMIT $2)";
const RECEIVED: &str = "DELETE FROM received WHERE (channel, bot, idempotency_key) IN \
     (SELECT channel, bot, idempotency_key FROM received WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)";
const OUTBOX: &str = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox \
     WHERE state <> 'pending' AND done_ms < $1 ORDER BY done_ms LIMIT $2)";
const STRANGERS: &str = "DELETE FROM strangers WHERE (channel, bot, user_id) IN \
     (SELECT channel, bot, user_id FROM strangers WHERE told_ms < $1 ORDER BY told_ms LIMIT $2)";
const TOKENS: &str = "DELETE FROM tokens WHERE id IN \
     (SELECT id FROM tokens WHERE revoked_ms < $1 OR expires_ms < $1 LIMIT $2)";
const RUNS: &str = "DELETE FROM cron_runs WHERE (session, run) IN (SELECT session, run FROM cron_runs \
     WHERE state <> 'open' AND asked_ms < $1 AND (keep IS NULL OR thread IS NULL OR archived_ms IS NOT NULL) ORDER BY asked_ms LIMIT $2)";
const LIVE: &str = "DELETE FROM live_messages WHERE submission IN \
     (SELECT submission FROM live_messages WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)";

const QUESTIONS: &str = "DELETE FROM questions WHERE id IN (SELECT id FROM questions \
     WHERE (state <> 'open' AND done_ms < $1) OR (state = 'open' AND expires_ms < $1) LIMIT $2)";
const EVENTS: &str = "DELETE FROM events WHERE seq IN (SELECT seq FROM events \
     WHERE state = 'taken' AND taken_ms < $1 ORDER BY taken_ms LIMIT $2)";

impl Ledger {
    /// Removes what ended more than `days` before `now_ms` (unix milliseconds). What is open or waits stays. At least
    /// two days are kept: channels offer a message again for one.
    pub async fn prune(&self, now_ms: u64, days: u32) -> Result<Pruned, LedgerError> {
        let before = to_sql(now_ms.saturating_sub(u64::from(days.max(2)) * DAY_MS));
        Ok(Pruned {
            submissions: self.sweep(SUBMISSIONS, before).await?,
            received: self.sweep(RECEIVED, before).await?,
            outbox: self.sweep(OUTBOX, before).await?,
            strangers: self.sweep(STRANGERS, before).await?,
            tokens: self.sweep(TOKENS, before).await?,
            questions: self.sweep(QUESTIONS, before).await?,
            runs: self.sweep(RUNS, before).await?,
            live: self.sweep(LIVE, before).await?,
            events: self.sweep(EVENTS, before).await?,
        })
    }

    async fn sweep(&self, statement: &'static str, before: i64) -> Result<u64, LedgerError> {
        let mut gone = 0;
        loop {
            let removed = self
                .write(move |tx| {
                    Box::pin(async move {
                        let done = sqlx::query(statement)
                            .bind(before)
                            .bind(AT_ONCE)
                            .execute(&mut tx.connection)
                            .await?;
                        Ok(done.rows_affected())
                    })
                })
                .await?;
            gone += removed;
            if removed < AT_ONCE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
