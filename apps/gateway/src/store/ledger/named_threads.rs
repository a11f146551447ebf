//! Threads of a session that automation works in, by their names.

use argus_protocol::{SessionId, ThreadId};
use sqlx::SqliteExecutor;

use super::codec::{parse_some, to_sql};
use super::{Ledger, LedgerError};

impl Ledger {
    /// Binds a name to a thread; a former binding is replaced.
    pub async fn bind_name(
        &self,
        session: &SessionId,
        name: &str,
        thread: &ThreadId,
    ) -> Result<(), LedgerError> {
        let (session, name, thread) = (session.clone(), name.to_owned(), thread.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "INSERT INTO named_threads (session, name, thread, at_ms) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (session, name) DO UPDATE SET thread = excluded.thread, at_ms = excluded.at_ms",
                )
                .bind(session.as_str())
                .bind(&name)
                .bind(thread.as_str())
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The thread of that name, where one is bound.
    pub async fn named_thread(
        &self,
        session: &SessionId,
        name: &str,
    ) -> Result<Option<ThreadId>, LedgerError> {
        of_name(self.reads(), session, name).await
    }
}

pub(super) async fn of_name(
    db: impl SqliteExecutor<'_>,
    session: &SessionId,
    name: &str,
) -> Result<Option<ThreadId>, LedgerError> {
    let thread: Option<String> =
        sqlx::query_scalar("SELECT thread FROM named_threads WHERE session = $1 AND name = $2")
            .bind(session.as_str())
            .bind(name)
            .fetch_optional(db)
            .await?;
    parse_some("a thread id", thread)
}
