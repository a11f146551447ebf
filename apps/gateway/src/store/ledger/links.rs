//! What a session must know of its runtime after a restart: boot numbers, the agent's handshake, how far was read.

use argus_protocol::SessionId;
use sqlx::Row as _;

use super::codec::{from_sql, to_sql};
use super::{Ledger, LedgerError};

/// How far a session has read one life of its runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last frame that needs no reading again.
    pub seq: u64,
    /// What the session remembers of what it read (its own JSON).
    pub body: String,
}

impl Ledger {
    /// The number of this start of the gateway: 1, 2, … and stored before anybody uses it.
    pub async fn next_boot(&self) -> Result<u32, LedgerError> {
        self.write(|tx| {
            Box::pin(async move {
                let boot: i64 = sqlx::query_scalar(
                    "INSERT INTO counters (name, value) VALUES ('boot', 1) \
                     ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
                )
                .fetch_one(&mut tx.connection)
                .await?;
                u32::try_from(boot).map_err(|error| LedgerError::unreadable("the boot counter", &error))
            })
        })
        .await
    }

    /// Keeps what the agent of this epoch answered to `initialize`; that of an older epoch goes.
    pub async fn save_handshake(
        &self,
        session: &SessionId,
        epoch: u64,
        result: &str,
    ) -> Result<(), LedgerError> {
        let (session, epoch, result) = (session.clone(), to_sql(epoch), result.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "INSERT INTO agent_handshakes (session, epoch, result, at_ms) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (session) DO UPDATE \
                     SET epoch = excluded.epoch, result = excluded.result, at_ms = excluded.at_ms",
                )
                .bind(session.as_str())
                .bind(epoch)
                .bind(result)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// What the newest agent answered to `initialize` (JSON), with its epoch, where it is kept.
    pub async fn newest_handshake(&self, session: &SessionId) -> Result<Option<(u64, String)>, LedgerError> {
        let row = sqlx::query("SELECT epoch, result FROM agent_handshakes WHERE session = $1")
            .bind(session.as_str())
            .fetch_optional(self.reads())
            .await?;
        row.map(|row| Ok((from_sql(row.try_get("epoch")?), row.try_get("result")?))).transpose()
    }

    /// Keeps how far this life of the runtime was read; that of an earlier life goes.
    pub async fn save_checkpoint(
        &self,
        session: &SessionId,
        boot: &str,
        seq: u64,
        body: &str,
    ) -> Result<(), LedgerError> {
        let (session, boot, body) = (session.clone(), boot.to_owned(), body.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "INSERT INTO checkpoints (session, boot, seq, body, at_ms) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (session) DO UPDATE SET boot = excluded.boot, seq = excluded.seq, \
                     body = excluded.body, at_ms = excluded.at_ms",
                )
                .bind(session.as_str())
                .bind(boot)
                .bind(to_sql(seq))
                .bind(body)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// How far this life of the runtime was read, where anything of it is kept.
    pub async fn checkpoint(
        &self,
        session: &SessionId,
        boot: &str,
    ) -> Result<Option<Checkpoint>, LedgerError> {
        let row = sqlx::query("SELECT seq, body FROM checkpoints WHERE session = $1 AND boot = $2")
            .bind(session.as_str())
            .bind(boot)
            .fetch_optional(self.reads())
            .await?;
        row.map(|row| Ok(Checkpoint { seq: from_sql(row.try_get("seq")?), body: row.try_get("body")? }))
            .transpose()
    }
}
