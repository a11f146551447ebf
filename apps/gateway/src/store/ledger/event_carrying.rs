//! Which turn carries an event: it leaves its queue when the agent took that turn, and not before.

use argus_protocol::{SessionId, SubmissionId};
use argus_session::Target;
use sqlx::Row as _;

use super::codec::{from_json, to_json, to_sql};
use super::events::{columns, read_event};
use super::{Event, Ledger, LedgerError, Queue, Tx};

/// Events that one turn carries at most.
const AT_ONCE: i64 = 20;
/// Bytes of them, though one is always carried: an agent refuses a turn that is too long, and would refuse it again.
const AT_ONCE_BYTES: usize = 128 * 1024;

impl Ledger {
    /// Lets go of what these submissions carried, then has the first of them carry the oldest events of these queues
    /// that no other open submission carries; answers them, oldest first.
    ///
    /// They are taken when the agent takes the turn ([`Ledger::mark_running`], or [`Ledger::settle`] of a turn with a
    /// name), and wait again whenever it did not.
    pub async fn carry_events(
        &self,
        session: &SessionId,
        queues: &[Queue],
        submissions: &[SubmissionId],
    ) -> Result<Vec<Event>, LedgerError> {
        let (session, queues, submissions) = (session.clone(), queues.to_vec(), submissions.to_vec());
        self.write(move |tx| Box::pin(async move { tx.carry_events(&session, &queues, &submissions).await }))
            .await
    }

    /// Lets go of what these submissions carry: it waits again, in its place.
    pub async fn release_events(&self, submissions: &[SubmissionId]) -> Result<(), LedgerError> {
        let submissions = submissions.to_vec();
        self.write(move |tx| Box::pin(async move { tx.release_events(&submissions).await })).await
    }
}

/// How many of these one turn carries.
fn fitting(events: &[(i64, Event)]) -> usize {
    let mut bytes = 0;
    let fits = |(_, event): &&(i64, Event)| {
        bytes += event.text.len() + event.meta.as_ref().map_or(0, |meta| to_json(meta).len());
        bytes <= AT_ONCE_BYTES
    };
    let most = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    events.iter().take(most).take_while(fits).count().max(1)
}

impl Tx {
    async fn carry_events(
        &mut self,
        session: &SessionId,
        queues: &[Queue],
        submissions: &[SubmissionId],
    ) -> Result<Vec<Event>, LedgerError> {
        self.release_events(submissions).await?;
        let Some(carrier) = submissions.first() else { return Ok(Vec::new()) };
        let mut found: Vec<(i64, Event)> = Vec::new();
        for queue in queues {
            let rows = sqlx::query(concat!(
                "SELECT seq, ",
                columns!(),
                " FROM events WHERE session = $1 AND queue = $2 AND state = 'waiting' \
                 AND (submission IS NULL OR NOT EXISTS (SELECT 1 FROM submissions \
                 WHERE submissions.id = events.submission AND submissions.state <> 'settled')) \
                 ORDER BY seq LIMIT $3",
            ))
            .bind(session.as_str())
            .bind(queue.as_column())
            .bind(AT_ONCE)
            .fetch_all(&mut self.connection)
            .await?;
            for row in &rows {
                found.push((row.try_get("seq")?, read_event(row)?));
            }
        }
        found.sort_by_key(|(seq, _)| *seq);
        found.dedup_by_key(|(seq, _)| *seq);
        found.truncate(fitting(&found));
        for (seq, _) in &found {
            sqlx::query("UPDATE events SET submission = $2 WHERE seq = $1")
                .bind(seq)
                .bind(carrier.as_str())
                .execute(&mut self.connection)
                .await?;
        }
        Ok(found.into_iter().map(|(_, event)| event).collect())
    }

    /// As [`Ledger::release_events`].
    pub(super) async fn release_events(&mut self, submissions: &[SubmissionId]) -> Result<(), LedgerError> {
        for id in submissions {
            sqlx::query("UPDATE events SET submission = NULL WHERE submission = $1 AND state = 'waiting'")
                .bind(id.as_str())
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    /// What waits for the threads in which these were to run waits for the main thread from now on: the agent does not open
    /// them. Whether anything does.
    pub(super) async fn hear_in_main(
        &mut self,
        session: &SessionId,
        submissions: &[SubmissionId],
    ) -> Result<bool, LedgerError> {
        let mut moved = 0;
        for id in submissions {
            let target: Option<String> = sqlx::query_scalar("SELECT target FROM submissions WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&mut self.connection)
                .await?;
            let target = target.map(|target| from_json("a target", &target)).transpose()?;
            let Some(Target::Thread { id: thread }) = target else { continue };
            let done = sqlx::query(
                "UPDATE events SET queue = '' WHERE session = $1 AND queue = $2 AND state = 'waiting'",
            )
            .bind(session.as_str())
            .bind(thread.as_str())
            .execute(&mut self.connection)
            .await?;
            moved += done.rows_affected();
        }
        Ok(moved > 0)
    }

    /// The agent took the turn of these submissions, and with it what they carry.
    pub(super) async fn take_events(&mut self, submissions: &[SubmissionId]) -> Result<(), LedgerError> {
        let now = to_sql(self.now_ms());
        for id in submissions {
            sqlx::query(
                "UPDATE events SET state = 'taken', taken_ms = $2 WHERE submission = $1 AND state = 'waiting'",
            )
            .bind(id.as_str())
            .bind(now)
            .execute(&mut self.connection)
            .await?;
        }
        Ok(())
    }
}
