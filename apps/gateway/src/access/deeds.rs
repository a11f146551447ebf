//! What the operator does with tokens. Each deed is durable before it is told, and noted in the audit.
//!
//! Without its line in the audit no token is given out and no code shown: nobody could account for it. To end a token
//! works without, since a full disk must not keep a stolen one alive.

use std::time::Duration;

use argus_protocol::argus::token::{Created, LONGEST_LABEL, Listed, State};
use argus_protocol::token::derived::Claims;
use argus_protocol::token::scope::Scope;
use argus_protocol::{SessionId, TokenId};

use super::register::operators_account;
use super::runtimes::is_runtimes;
use super::{Access, Act, Author, Ending};
use crate::clock::{new_token_id, unix_ms};
use crate::store::home;
use crate::store::ledger::{TokenLimits, TokenRow};

/// Valid tokens at once.
const MOST_TOKENS: usize = 1000;
/// Tokens that are told of at once: more than can be valid.
const MOST_TOLD: u32 = 2000;
const LONGEST_LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// Bounds of what may be set for one token.
const MOST_CONNECTIONS: u32 = 4096;
const LEAST_FRAME: u64 = 4096;
const MOST_PER_SECOND: u32 = 100_000;

/// Why a deed was not done, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It was asked for wrongly.
    #[error("{0}")]
    Invalid(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub scope: Scope,
    /// How long it lives.
    pub life: Option<Duration>,
    /// The operator's words for it.
    pub label: Option<String>,
    /// Limits of its own.
    pub limits: TokenLimits,
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: impl ToString) -> AccessError {
    AccessError::Failed(error.to_string())
}

impl Access {
    /// Makes a token. Its row is durable before anybody sees it.
    pub async fn create(&self, by: &Author, new: NewToken) -> Result<Created, AccessError> {
        self.check(&new).map_err(AccessError::Invalid)?;
        let _one_at_a_time = self.0.deeds.lock().await;
        let (generation, signing, number) = {
            let register = self.read();
            (register.generation, register.signing.clone(), register.tokens.len())
        };
        if number >= MOST_TOKENS {
            return Err(failed(format!("{MOST_TOKENS} tokens are valid already; revoke some")));
        }
        let now = unix_ms();
        // Whole seconds, as the token tells it; never sooner than was asked for.
        let exp = new.life.map(|life| (now.div_ceil(1000)).saturating_add(life.as_secs()));
        let row = TokenRow {
            id: new_token_id(),
            scope: new.scope,
            kid: generation,
            label: new.label,
            limits: new.limits,
            created_ms: now,
            expires_ms: exp.map(|exp| exp * 1000),
            revoked_ms: None,
        };
        self.0.ledger.add_token(row.clone()).await.map_err(failed)?;
        argus_crash_point::here("token.noted").await;
        let subject = format!("{} {}", row.id, row.scope);
        if let Err(error) = self.0.audit.note(by, Act::TokenCreated, &subject, "done").await {
            _ = self.0.ledger.revoke_token(&row.id).await;
            return Err(failed(format!("no token was made: {error}")));
        }
        let claims = Claims { kid: generation, id: row.id.clone(), scope: row.scope.clone(), exp };
        let token = claims.sign(&signing);
        self.write().tokens.insert(row.id.clone(), self.account(&row));
        self.0.changed.notify_waiters();
        let token = token.reveal().to_owned();
        Ok(Created { token, id: row.id, scope: row.scope, expires_at_ms: row.expires_ms })
    }

    fn check(&self, new: &NewToken) -> Result<(), String> {
        let within = |name: &str, value: Option<u64>, least: u64, most: u64| match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(format!("`{name}` must be {least} to {most}, got {value}"))
            }
            _ => Ok(()),
        };
        let limits = new.limits;
        within("ttlSeconds", new.life.map(|life| life.as_secs()), 1, LONGEST_LIFE.as_secs())?;
        within("maxConnections", limits.connections.map(u64::from), 1, u64::from(MOST_CONNECTIONS))?;
        within("maxFrameBytes", limits.frame_bytes, LEAST_FRAME, self.0.frame_limit as u64)?;
        within("maxRequestsPerSecond", limits.per_second.map(u64::from), 1, u64::from(MOST_PER_SECOND))?;
        match &new.label {
            Some(label) if label.len() > LONGEST_LABEL || label.chars().any(char::is_control) => {
                Err(format!("`label` must be at most {LONGEST_LABEL} bytes without control characters"))
            }
            _ => Ok(()),
        }
    }

    /// The tokens that were made: every valid one, then the newest of the others.
    pub async fn list(&self) -> Result<Vec<Listed>, AccessError> {
        let rows = self.0.ledger.tokens(unix_ms(), MOST_TOLD).await.map_err(failed)?;
        let (now, register) = (unix_ms(), self.read());
        let told = rows.into_iter().map(|row| {
            let account = register.tokens.get(&row.id);
            let state = match (account, row.expires_ms) {
                (_, Some(at)) if row.revoked_ms.is_none() && at <= now => State::Expired,
                (None, _) => State::Revoked,
                (Some(_), _) => State::Valid,
            };
            Listed {
                connections: account.map_or(0, |account| account.connections()),
                id: row.id,
                scope: row.scope,
                state,
                label: row.label,
                created_at_ms: row.created_ms,
                expires_at_ms: row.expires_ms,
                revoked_at_ms: row.revoked_ms,
            }
        });
        Ok(told.collect())
    }

    /// Ends a token, and whoever is connected with it. It is worth nothing from here on, whatever the disk says.
    pub async fn revoke(&self, by: &Author, id: &TokenId) -> Result<(), AccessError> {
        let _one_at_a_time = self.0.deeds.lock().await;
        let account = self.write().tokens.remove(id);
        if let Some(account) = &account {
            account.end(Ending::Revoked);
        }
        let noted = self.0.ledger.revoke_token(id).await;
        let outcome = match &noted {
            Ok(true) => "done",
            Ok(false) => "there is no such token",
            Err(_) => "until the next start only",
        };
        self.note(by, Act::TokenRevoked, id.as_str(), outcome).await;
        match noted {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed(format!("there is no valid token `{id}`"))),
            Err(error) => Err(failed(format!(
                "the token opens nothing until the next start, but that could not be stored: {error}; revoke it again"
            ))),
        }
    }

    /// Replaces the key: every derived token is void.
    pub async fn rotate_key(&self, by: &Author) -> Result<(), AccessError> {
        let _one_at_a_time = self.0.deeds.lock().await;
        let generation = self.0.ledger.rotate_token_key().await.map_err(failed)?;
        argus_crash_point::here("token.key_rotated").await;
        let ended: Vec<_> = {
            let mut register = self.write();
            register.generation = generation;
            register.signing = self.0.key.of_tokens(generation);
            let runtimes: Vec<_> = register.runtimes.drain().map(|(_, account)| account).collect();
            register.tokens.drain().map(|(_, account)| account).chain(runtimes).collect()
        };
        for account in &ended {
            account.end(Ending::KeyRotated);
        }
        self.note(by, Act::TokenRotated, "key", &format!("done: {} tokens ended", ended.len())).await;
        Ok(())
    }

    /// Replaces the operator's own token by a new one, which stands in its file. Derived tokens stay.
    pub async fn rotate_operator(&self, by: &Author) -> Result<(), AccessError> {
        let _one_at_a_time = self.0.deeds.lock().await;
        let Some(path) = self.0.operator_file.clone() else {
            return Err(failed(
                "the operator's token comes from ARGUS_TOKEN: set that to another one and start the gateway again",
            ));
        };
        let renewed = tokio::task::spawn_blocking(move || home::renew_token(&path)).await;
        let token = renewed.map_err(failed)?.map_err(failed)?;
        argus_crash_point::here("token.operator_rotated").await;
        let new = (token, operators_account(self.0.frame_limit));
        let (_, old) = std::mem::replace(&mut self.write().operator, new);
        old.end(Ending::OperatorRotated);
        self.note(by, Act::TokenRotated, "operator", "done").await;
        Ok(())
    }

    /// A session is no more, and its tokens are not either, whoever gets its id. The ledger knows already.
    pub fn session_deleted(&self, session: &SessionId) {
        let mut register = self.write();
        *register.deleted.entry(session.clone()).or_default() += 1;
        let of_it = |account: &super::Account| account.scope().session() == Some(session);
        let mut ended: Vec<_> =
            register.tokens.extract_if(|_, account| of_it(account)).map(|(_, account)| account).collect();
        ended.extend(
            register.runtimes.extract_if(|scope, _| is_runtimes(scope, session)).map(|(_, account)| account),
        );
        drop(register);
        for account in &ended {
            account.end(Ending::Revoked);
        }
    }

    /// Notes what was done and cannot be undone; where that fails, the log has the line.
    pub async fn note(&self, by: &Author, act: Act, subject: &str, outcome: &str) {
        if let Err(error) = self.0.audit.note(by, act, subject, outcome).await {
            tracing::error!(%error, "a deed is missing in the audit");
        }
    }
}
