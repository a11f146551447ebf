//! One-time codes with which machines become nodes, by their SHA-256; and what follows when one is used.

use argus_protocol::SessionId;
use sqlx::{Row as _, SqliteConnection};

use super::codec::{from_json, to_json, to_sql};
use super::{Ledger, LedgerError, NodeRow};

/// What a code is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCode {
    /// Hex SHA-256 of the code.
    pub sha256: String,
    /// The id that its node gets, where one was chosen.
    pub node_id: Option<String>,
    /// What the operator calls the node.
    pub display_name: Option<String>,
    /// Sessions that may use the node; none: all.
    pub sessions: Option<Vec<SessionId>>,
    /// Unix milliseconds from which it is worth nothing.
    pub expires_ms: u64,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// Its node is enrolled.
    Enrolled,
    /// The code is used or too old.
    NoCode,
    /// The id is enrolled already; the code stays.
    Taken,
}

impl Ledger {
    /// Notes a code, unless so many are open; those that are too old go. Whether it was noted.
    pub async fn add_node_code(&self, code: NodeCode, most: u32) -> Result<bool, LedgerError> {
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query("DELETE FROM node_codes WHERE expires_ms <= $1")
                    .bind(now)
                    .execute(&mut tx.connection)
                    .await?;
                let open: i64 = sqlx::query_scalar("SELECT count(*) FROM node_codes")
                    .fetch_one(&mut tx.connection)
                    .await?;
                if open >= i64::from(most) {
                    return Ok(false);
                }
                sqlx::query(
                    "INSERT INTO node_codes (sha256, node_id, display_name, sessions, created_ms, expires_ms) \
                     VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(code.sha256)
                .bind(code.node_id)
                .bind(code.display_name)
                .bind(code.sessions.as_ref().map(to_json))
                .bind(now)
                .bind(to_sql(code.expires_ms))
                .execute(&mut tx.connection)
                .await?;
                Ok(true)
            })
        })
        .await
    }

    /// A code that is still worth something.
    pub async fn node_code(&self, sha256: &str, now_ms: u64) -> Result<Option<NodeCode>, LedgerError> {
        let row = sqlx::query(
            "SELECT sha256, node_id, display_name, sessions, expires_ms FROM node_codes \
             WHERE sha256 = $1 AND expires_ms > $2",
        )
        .bind(sha256)
        .bind(to_sql(now_ms))
        .fetch_optional(self.reads())
        .await?;
        row.map(|row| {
            let sessions: Option<String> = row.try_get("sessions")?;
            Ok(NodeCode {
                sha256: row.try_get("sha256")?,
                node_id: row.try_get("node_id")?,
                display_name: row.try_get("display_name")?,
                sessions: sessions.map(|text| from_json("a code's sessions", &text)).transpose()?,
                expires_ms: super::codec::from_sql(row.try_get("expires_ms")?),
            })
        })
        .transpose()
    }

    /// Uses a code up and enrols its node, both or neither.
    pub async fn redeem_node_code(&self, sha256: &str, node: NodeRow) -> Result<Redeemed, LedgerError> {
        let sha256 = sha256.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                if is_enrolled(&mut tx.connection, &node.id).await? {
                    return Ok(Redeemed::Taken);
                }
                let used = sqlx::query("DELETE FROM node_codes WHERE sha256 = $1 AND expires_ms > $2")
                    .bind(sha256)
                    .bind(to_sql(tx.now_ms()))
                    .execute(&mut tx.connection)
                    .await?;
                if used.rows_affected() == 0 {
                    return Ok(Redeemed::NoCode);
                }
                tx.add_node(&node).await?;
                Ok(Redeemed::Enrolled)
            })
        })
        .await
    }
}

async fn is_enrolled(connection: &mut SqliteConnection, id: &str) -> Result<bool, LedgerError> {
    let number: i64 = sqlx::query_scalar("SELECT count(*) FROM nodes WHERE id = $1 AND revoked_ms IS NULL")
        .bind(id)
        .fetch_one(connection)
        .await?;
    Ok(number > 0)
}
