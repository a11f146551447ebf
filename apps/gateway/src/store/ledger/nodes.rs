//! Machines that are enrolled: whose credential is whose, who may use them, and what was told of them.

use argus_protocol::{SessionId, TokenId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_json, from_sql, parse, to_json, to_sql};
use super::{Ledger, LedgerError, Tx};

/// An enrolled node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Its id.
    pub id: String,
    /// The token that is its credential.
    pub token: TokenId,
    /// What it calls itself.
    pub display_name: Option<String>,
    /// What the operator calls it, which wins.
    pub given_name: Option<String>,
    /// Its operating system.
    pub platform: Option<String>,
    /// The version of its program.
    pub version: Option<String>,
    /// Sessions that may use it; none: all.
    pub sessions: Option<Vec<SessionId>>,
    /// Whether it was told last that it is there.
    pub told: bool,
    /// Unix milliseconds.
    pub created_ms: u64,
    /// Unix milliseconds.
    pub last_seen_ms: Option<u64>,
}

/// What a node says of itself when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSaid {
    /// What it calls itself.
    pub display_name: Option<String>,
    /// Its operating system.
    pub platform: Option<String>,
    /// The version of its program.
    pub version: Option<String>,
}

impl Ledger {
    /// Every node that is enrolled.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, token, display_name, given_name, platform, version, sessions, told, created_ms, last_seen_ms \
             FROM nodes WHERE revoked_ms IS NULL ORDER BY id",
        )
        .fetch_all(self.reads())
        .await?;
        rows.iter().map(read).collect()
    }

    /// A node is enrolled no more, and its token is worth nothing any more; both or neither.
    pub async fn revoke_node(&self, id: &str) -> Result<(), LedgerError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let now = to_sql(tx.now_ms());
                sqlx::query(
                    "UPDATE tokens SET revoked_ms = $2 WHERE revoked_ms IS NULL AND id IN (SELECT token FROM nodes \
                     WHERE id = $1)",
                )
                .bind(&id)
                .bind(now)
                .execute(&mut tx.connection)
                .await?;
                sqlx::query("UPDATE nodes SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL")
                    .bind(&id)
                    .bind(now)
                    .execute(&mut tx.connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives a node another name; whether there is one.
    pub async fn rename_node(&self, id: &str, name: &str) -> Result<bool, LedgerError> {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let done =
                    sqlx::query("UPDATE nodes SET given_name = $2 WHERE id = $1 AND revoked_ms IS NULL")
                        .bind(id)
                        .bind(name)
                        .execute(&mut tx.connection)
                        .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Notes that a node was heard just now.
    pub async fn node_heard(&self, id: &str) -> Result<(), LedgerError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE nodes SET last_seen_ms = $2 WHERE id = $1")
                    .bind(id)
                    .bind(to_sql(tx.now_ms()))
                    .execute(&mut tx.connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes what was told of a node last.
    pub async fn node_told(&self, id: &str, is_there: bool) -> Result<(), LedgerError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE nodes SET told = $2 WHERE id = $1")
                    .bind(id)
                    .bind(is_there)
                    .execute(&mut tx.connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes what a node says of itself, and that it was heard.
    pub async fn node_came(&self, id: &str, said: NodeSaid) -> Result<(), LedgerError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE nodes SET display_name = $2, platform = $3, version = $4, last_seen_ms = $5 WHERE id = $1",
                )
                .bind(id)
                .bind(said.display_name)
                .bind(said.platform)
                .bind(said.version)
                .bind(to_sql(tx.now_ms()))
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

impl Tx {
    /// Enrols a node; not where its id is enrolled already.
    pub(super) async fn add_node(&mut self, row: &NodeRow) -> Result<bool, LedgerError> {
        let done = sqlx::query(
            "INSERT INTO nodes (id, token, display_name, given_name, platform, version, sessions, told, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET token = excluded.token, \
             display_name = excluded.display_name, given_name = excluded.given_name, platform = excluded.platform, \
             version = excluded.version, sessions = excluded.sessions, told = excluded.told, \
             created_ms = excluded.created_ms, last_seen_ms = NULL, revoked_ms = NULL \
             WHERE nodes.revoked_ms IS NOT NULL",
        )
        .bind(&row.id)
        .bind(row.token.as_str())
        .bind(&row.display_name)
        .bind(&row.given_name)
        .bind(&row.platform)
        .bind(&row.version)
        .bind(row.sessions.as_ref().map(to_json))
        .bind(row.told)
        .bind(to_sql(row.created_ms))
        .execute(&mut self.connection)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn read(row: &SqliteRow) -> Result<NodeRow, LedgerError> {
    let sessions: Option<String> = row.try_get("sessions")?;
    Ok(NodeRow {
        id: row.try_get("id")?,
        token: parse("a token id", row.try_get("token")?)?,
        display_name: row.try_get("display_name")?,
        given_name: row.try_get("given_name")?,
        platform: row.try_get("platform")?,
        version: row.try_get("version")?,
        sessions: sessions.map(|text| from_json("a node's sessions", &text)).transpose()?,
        told: row.try_get("told")?,
        created_ms: from_sql(row.try_get("created_ms")?),
        last_seen_ms: row.try_get::<Option<i64>, _>("last_seen_ms")?.map(from_sql),
    })
}
