//! The code that pairs the next person.

use sqlx::Row as _;

use super::codec::{from_sql, to_sql};
use super::{LedgerError, Tx, people};

/// The code and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// 8 base32 characters.
    pub code: String,
    /// Unix milliseconds after which it is dead.
    pub expires_ms: u64,
}

impl Tx {
    /// The present code, where there is one that lives.
    pub async fn code(&mut self) -> Result<Option<Code>, LedgerError> {
        let row = sqlx::query("SELECT code, expires_ms FROM pairing WHERE expires_ms > $1")
            .bind(to_sql(self.now_ms()))
            .fetch_optional(&mut self.connection)
            .await?;
        row.map(|row| {
            Ok(Code { code: row.try_get("code")?, expires_ms: from_sql(row.try_get("expires_ms")?) })
        })
        .transpose()
    }

    /// Puts a code in place of the present one; everybody may try again.
    pub async fn set_code(&mut self, code: &Code) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO pairing (id, code, created_ms, expires_ms) VALUES (1, $1, $2, $3) ON CONFLICT (id) \
             DO UPDATE SET code = excluded.code, created_ms = excluded.created_ms, expires_ms = excluded.expires_ms",
        )
        .bind(&code.code)
        .bind(to_sql(self.now_ms()))
        .bind(to_sql(code.expires_ms))
        .execute(&mut self.connection)
        .await?;
        sqlx::query("UPDATE strangers SET tries = 0 WHERE tries > 0").execute(&mut self.connection).await?;
        Ok(())
    }

    /// The code is used up.
    pub async fn spend_code(&mut self) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM pairing").execute(&mut self.connection).await?;
        Ok(())
    }

    /// How many people have paired.
    pub async fn paired(&mut self) -> Result<u64, LedgerError> {
        people::paired(&mut self.connection).await
    }
}
