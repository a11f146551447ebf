//! The messages that show turns while they run, so that what is shown goes on, and gives way, after a restart.

use argus_protocol::SubmissionId;

use super::codec::to_sql;
use super::{Ledger, LedgerError};

impl Ledger {
    /// The channel's id of the message that shows the turn of that submission.
    pub async fn live_message(&self, submission: &SubmissionId) -> Result<Option<String>, LedgerError> {
        Ok(sqlx::query_scalar("SELECT message_id FROM live_messages WHERE submission = $1")
            .bind(submission.as_str())
            .fetch_optional(self.reads())
            .await?)
    }

    /// Notes it. The newest counts.
    pub async fn note_live_message(
        &self,
        submission: &SubmissionId,
        message_id: &str,
    ) -> Result<(), LedgerError> {
        let (submission, message_id) = (submission.clone(), message_id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "INSERT INTO live_messages (submission, message_id, at_ms) VALUES ($1, $2, $3) \
                     ON CONFLICT (submission) DO UPDATE SET message_id = excluded.message_id, at_ms = excluded.at_ms",
                )
                .bind(submission.as_str())
                .bind(message_id)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
