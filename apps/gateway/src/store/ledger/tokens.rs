//! Tokens that were given out: what they are for and how long, never the tokens themselves.

use argus_protocol::token::scope::Scope;
use argus_protocol::{SessionId, TokenId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_sql, parse, to_sql};
use super::{Ledger, LedgerError, Tx};

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub scope: Scope,
    /// The generation of the key that signed it.
    pub kid: u32,
    /// The operator's words for it.
    pub label: Option<String>,
    /// Limits that were set for it alone.
    pub limits: TokenLimits,
    /// Unix milliseconds.
    pub created_ms: u64,
    /// Unix milliseconds.
    pub expires_ms: Option<u64>,
    /// Unix milliseconds.
    pub revoked_ms: Option<u64>,
}

/// What one token may take, where that differs from the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenLimits {
    /// Connections at once.
    pub connections: Option<u32>,
    /// Longest frame in bytes.
    pub frame_bytes: Option<u64>,
    /// Requests in a second.
    pub per_second: Option<u32>,
}

const GENERATION: &str = "SELECT value FROM counters WHERE name = 'token_generation'";
const NEXT_GENERATION: &str = "INSERT INTO counters (name, value) VALUES ('token_generation', 2) \
     ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value";
/// How often a session of that id was deleted, by this and the id.
const DELETED: &str = "deleted:";
const COLUMNS: &str = "SELECT id, scope, kid, label, connections, frame_bytes, per_second, created_ms, expires_ms, \
     revoked_ms FROM tokens";

impl Ledger {
    /// The generation of the key that signs tokens now; the first is 1.
    pub async fn token_generation(&self) -> Result<u32, LedgerError> {
        generation(sqlx::query_scalar(GENERATION).fetch_optional(self.reads()).await?)
    }

    /// The tokens that were given out: first those that may be worth something, then the others, the newest first.
    pub async fn tokens(&self, now_ms: u64, most: u32) -> Result<Vec<TokenRow>, LedgerError> {
        let statement = format!(
            "{COLUMNS} ORDER BY revoked_ms IS NOT NULL OR COALESCE(expires_ms, $1 + 1) <= $1, created_ms DESC, id \
             LIMIT $2"
        );
        let rows = sqlx::query(&statement).bind(to_sql(now_ms)).bind(most).fetch_all(self.reads()).await?;
        rows.iter().map(read).collect()
    }

    /// Those among them that are worth something.
    pub async fn valid_tokens(&self, now_ms: u64) -> Result<Vec<TokenRow>, LedgerError> {
        let statement =
            format!("{COLUMNS} WHERE revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > $1)");
        let rows = sqlx::query(&statement).bind(to_sql(now_ms)).fetch_all(self.reads()).await?;
        rows.iter().map(read).collect()
    }

    /// Notes a token before it is given out.
    pub async fn add_token(&self, row: TokenRow) -> Result<(), LedgerError> {
        self.write(move |tx| Box::pin(async move { tx.add_token(&row).await })).await
    }

    /// Ends a token; whether it was there and not ended yet.
    pub async fn revoke_token(&self, id: &TokenId) -> Result<bool, LedgerError> {
        let id = id.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let done =
                    sqlx::query("UPDATE tokens SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL")
                        .bind(id.as_str())
                        .bind(to_sql(tx.now_ms()))
                        .execute(&mut tx.connection)
                        .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// How often each session was deleted, of those that ever were.
    pub async fn deleted_sessions(&self) -> Result<Vec<(SessionId, u32)>, LedgerError> {
        let rows = sqlx::query("SELECT name, value FROM counters WHERE substr(name, 1, length($1)) = $1")
            .bind(DELETED)
            .fetch_all(self.reads())
            .await?;
        rows.iter()
            .map(|row| {
                let (name, times): (String, i64) = (row.try_get("name")?, row.try_get("value")?);
                let session = parse("a session's id", name.strip_prefix(DELETED).unwrap_or_default())?;
                let times = u32::try_from(times)
                    .map_err(|error| LedgerError::unreadable("how often a session was deleted", &error))?;
                Ok((session, times))
            })
            .collect()
    }

    /// Begins the next generation of the signing key and ends every token; the generation's number.
    pub async fn rotate_token_key(&self) -> Result<u32, LedgerError> {
        self.write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE tokens SET revoked_ms = $1 WHERE revoked_ms IS NULL")
                    .bind(to_sql(tx.now_ms()))
                    .execute(&mut tx.connection)
                    .await?;
                generation(sqlx::query_scalar(NEXT_GENERATION).fetch_optional(&mut tx.connection).await?)
            })
        })
        .await
    }
}

impl Tx {
    async fn add_token(&mut self, row: &TokenRow) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO tokens (id, scope, session, kid, label, connections, frame_bytes, per_second, created_ms, \
             expires_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(row.id.as_str())
        .bind(row.scope.to_string())
        .bind(row.scope.session().map(SessionId::as_str))
        .bind(row.kid)
        .bind(&row.label)
        .bind(row.limits.connections)
        .bind(row.limits.frame_bytes.map(to_sql))
        .bind(row.limits.per_second)
        .bind(to_sql(row.created_ms))
        .bind(row.expires_ms.map(to_sql))
        .bind(row.revoked_ms.map(to_sql))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Ends the tokens of a session that is no more, and has one that gets its id later get others for its runtime.
    pub(super) async fn revoke_tokens_of(&mut self, session: &SessionId) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO counters (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
        )
        .bind(format!("{DELETED}{session}"))
        .execute(&mut self.connection)
        .await?;
        sqlx::query("UPDATE tokens SET revoked_ms = $2 WHERE session = $1 AND revoked_ms IS NULL")
            .bind(session.as_str())
            .bind(to_sql(self.now_ms()))
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

fn generation(value: Option<i64>) -> Result<u32, LedgerError> {
    u32::try_from(value.unwrap_or(1))
        .map_err(|error| LedgerError::unreadable("the token key's generation", &error))
}

fn read(row: &SqliteRow) -> Result<TokenRow, LedgerError> {
    let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|ms| ms.map(from_sql));
    Ok(TokenRow {
        id: parse("a token id", row.try_get("id")?)?,
        scope: parse("a token's scope", row.try_get("scope")?)?,
        kid: row.try_get("kid")?,
        label: row.try_get("label")?,
        limits: TokenLimits {
            connections: row.try_get("connections")?,
            frame_bytes: time("frame_bytes")?,
            per_second: row.try_get("per_second")?,
        },
        created_ms: from_sql(row.try_get("created_ms")?),
        expires_ms: time("expires_ms")?,
        revoked_ms: time("revoked_ms")?,
    })
}
