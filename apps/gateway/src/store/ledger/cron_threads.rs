//! Threads of their own that runs of scheduled jobs had: which are too many, and which were put away.

use argus_protocol::{SessionId, ThreadId};
use sqlx::Row as _;

use super::codec::{parse, to_sql};
use super::{Ledger, LedgerError};

impl Ledger {
    /// The runs of a job whose own threads are more than it keeps, the newest first. A thread in which a chat goes on, or
    /// something has not ended, is none of them.
    pub async fn threads_over(
        &self,
        session: &SessionId,
        job: &str,
        most: u32,
    ) -> Result<Vec<(String, ThreadId)>, LedgerError> {
        let kept: Option<i64> = sqlx::query_scalar(
            "SELECT keep FROM cron_runs WHERE session = $1 AND job = $2 AND keep IS NOT NULL ORDER BY asked_ms DESC, due_ms DESC LIMIT 1",
        )
        .bind(session.as_str())
        .bind(job)
        .fetch_optional(self.reads())
        .await?;
        let Some(kept) = kept else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "SELECT run, thread FROM cron_runs r WHERE session = $1 AND job = $2 \
             AND keep IS NOT NULL AND archived_ms IS NULL AND thread IS NOT NULL AND state <> 'open' \
             AND NOT EXISTS (SELECT 1 FROM chat_bindings b WHERE b.session = r.session AND b.thread = r.thread) \
             AND NOT EXISTS (SELECT 1 FROM submissions s WHERE s.session = r.session AND s.thread = r.thread \
             AND s.state <> 'settled') \
             ORDER BY asked_ms DESC, due_ms DESC LIMIT $4 OFFSET $3",
        )
        .bind(session.as_str())
        .bind(job)
        .bind(kept)
        .bind(most)
        .fetch_all(self.reads())
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("run")?, parse("a thread id", row.try_get("thread")?)?)))
            .collect()
    }

    /// Notes that the own thread of a run was put away.
    pub async fn thread_archived(&self, session: &SessionId, run: &str) -> Result<(), LedgerError> {
        let (session, run) = (session.clone(), run.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query("UPDATE cron_runs SET archived_ms = $3 WHERE session = $1 AND run = $2")
                    .bind(session.as_str())
                    .bind(&run)
                    .bind(now)
                    .execute(&mut tx.connection)
                    .await?;
                sqlx::query("DELETE FROM named_threads WHERE session = $1 AND name = $2")
                    .bind(session.as_str())
                    .bind(format!("cron:{run}"))
                    .execute(&mut tx.connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}
