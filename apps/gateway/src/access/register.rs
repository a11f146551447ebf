//! The valid tokens, in memory, and the judgement of a text that somebody offers as one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use argus_protocol::token::derived::{self, Claims};
use argus_protocol::token::scope::Scope;
use argus_protocol::token::{Secret, SigningKey};
use argus_protocol::{SessionId, TokenId};
use tokio::sync::Notify;

use super::{Account, Audit, Ending, Holder, Limits};
use crate::clock::unix_ms;
use crate::store::LedgerError;
use crate::store::ledger::{Ledger, TokenRow};

/// Connections at once with the operator's own token.
const OPERATORS_CONNECTIONS: u32 = 4096;

/// What access is made of.
pub struct AccessParts {
    /// Where tokens are noted.
    pub ledger: Ledger,
    /// Signs derived tokens.
    pub key: SigningKey,
    /// The operator's own token.
    pub operator: OperatorToken,
    /// Those of single sessions that stand in the settings.
    pub upstreams: Vec<UpstreamToken>,
    /// Those that several share.
    pub shared: SharedTokens,
    /// What a derived token may take unless it was made otherwise.
    pub limits: Limits,
    /// Longest frame in bytes with any token.
    pub frame_limit: usize,
    /// What was done.
    pub audit: Audit,
}

/// The operator's own token.
pub struct OperatorToken {
    /// The token.
    pub token: Secret,
    /// The file that keeps it; `None` where it was given as a setting.
    pub file: Option<PathBuf>,
}

/// A token that stands in the settings of an upstream.
pub struct UpstreamToken {
    /// The upstream, as it is called there.
    pub id: String,
    /// The only session it is for.
    pub session: SessionId,
    /// The token.
    pub token: Secret,
}

/// Tokens of the settings that several share, as the reference has them. Weaker than others: whoever holds one can be
/// anybody among them.
#[derive(Default)]
pub struct SharedTokens {
    /// `ARGUS_NODE_TOKEN`: machines that are not enrolled.
    pub node: Option<Secret>,
    /// `ARGUS_MCP_TOKEN`: tools of the default session.
    pub mcp: Option<Secret>,
}

/// The id of a node that means any: only what [`Holder::SharedNode`] holds is for it.
pub const ANY_NODE: &str = "*";
/// The session that means the default one: only what [`Holder::SharedMcp`] holds is for it.
pub const DEFAULT: &str = "default";

/// Access. Clones are handles to the same one.
#[derive(Clone)]
pub struct Access(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) ledger: Ledger,
    pub(super) key: SigningKey,
    pub(super) operator_file: Option<PathBuf>,
    pub(super) limits: Limits,
    pub(super) frame_limit: usize,
    pub(super) audit: Audit,
    register: RwLock<Register>,
    /// Held by whoever changes ledger and register, so that both change in the same order.
    pub(super) deeds: tokio::sync::Mutex<()>,
    /// Wakes who waits for the next token to expire.
    pub(super) changed: Notify,
}

pub(super) struct Register {
    pub(super) operator: (Secret, Arc<Account>),
    /// Of upstreams, and those that several share.
    upstreams: Vec<(Secret, Arc<Account>)>,
    /// Of runtimes, as far as they came. Their tokens are not written down: the key makes the same ones again.
    pub(super) runtimes: HashMap<Scope, Arc<Account>>,
    /// How often sessions were deleted: one that has the id of an earlier one is another, with other tokens.
    pub(super) deleted: HashMap<SessionId, u32>,
    pub(super) generation: u32,
    pub(super) signing: Secret,
    pub(super) tokens: HashMap<TokenId, Arc<Account>>,
}

/// Why a text opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no token of ours.
    Unknown,
    /// It was one.
    Ended(Ending),
}

impl Access {
    /// Reads the valid tokens.
    pub async fn open(parts: AccessParts) -> Result<Self, LedgerError> {
        let generation = parts.ledger.token_generation().await?;
        let rows = parts.ledger.valid_tokens(unix_ms()).await?;
        let operators = operators_account(parts.frame_limit);
        let account = |upstream: UpstreamToken| {
            let (holder, scope) = (Holder::Upstream(upstream.id), Scope::Client(upstream.session));
            (upstream.token, Account::new(holder, scope, None, parts.limits))
        };
        let register = Register {
            operator: (parts.operator.token, operators),
            upstreams: parts
                .upstreams
                .into_iter()
                .map(account)
                .chain(shared(parts.shared, parts.limits))
                .collect(),
            runtimes: HashMap::new(),
            deleted: parts.ledger.deleted_sessions().await?.into_iter().collect(),
            generation,
            signing: parts.key.of_tokens(generation),
            tokens: HashMap::new(),
        };
        let access = Self(Arc::new(Inner {
            ledger: parts.ledger,
            key: parts.key,
            operator_file: parts.operator.file,
            limits: parts.limits,
            frame_limit: parts.frame_limit,
            audit: parts.audit,
            register: RwLock::new(register),
            deeds: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }));
        let valid = rows.into_iter().filter(|row| row.kid == generation);
        let accounts = valid.map(|row| (row.id.clone(), access.account(&row))).collect();
        access.write().tokens = accounts;
        Ok(access)
    }

    /// What was done, and is done.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// Whose token this text is. Costs a few hashes, and reads nothing but memory.
    pub fn judge(&self, offered: &str) -> Result<Arc<Account>, Refused> {
        let register = self.read();
        if register.operator.0.matches(offered) {
            return Ok(register.operator.1.clone());
        }
        if let Some((_, account)) = register.upstreams.iter().find(|(token, _)| token.matches(offered)) {
            return Ok(account.clone());
        }
        let token = derived::read(offered).map_err(|_| Refused::Unknown)?;
        if token.kid() != register.generation {
            return Err(Refused::Unknown);
        }
        let claims = token.verify(&register.signing).map_err(|_| Refused::Unknown)?;
        if claims.exp.is_some_and(|exp| exp.saturating_mul(1000) <= unix_ms()) {
            return Err(Refused::Ended(Ending::Expired));
        }
        let account = register.tokens.get(&claims.id).filter(|account| agree(account, &claims)).cloned();
        drop(register);
        account.or_else(|| self.of_runtime(&claims)).ok_or(Refused::Ended(Ending::Revoked))
    }

    pub(super) fn account(&self, row: &TokenRow) -> Arc<Account> {
        let (own, usual) = (row.limits, self.0.limits);
        let frame = own.frame_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let limits = Limits {
            connections: own.connections.unwrap_or(usual.connections),
            // The limit of every frame may have been lowered since.
            frame_bytes: frame.unwrap_or(usual.frame_bytes).min(self.0.frame_limit),
            per_second: own.per_second.or(usual.per_second),
        };
        Account::new(Holder::Token(row.id.clone()), row.scope.clone(), row.expires_ms, limits)
    }

    /// Longest frame, connections and pace of everybody whose token has none of its own.
    pub(super) fn usual(&self) -> Limits {
        self.0.limits
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Register> {
        self.0.register.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Register> {
        self.0.register.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shared(tokens: SharedTokens, limits: Limits) -> impl Iterator<Item = (Secret, Arc<Account>)> {
    let any = Scope::Node(ANY_NODE.to_owned());
    let node = tokens.node.map(|token| (token, Account::new(Holder::SharedNode, any, None, limits)));
    let scope = DEFAULT.parse().map(Scope::Mcp).ok();
    let mcp = tokens.mcp.zip(scope);
    let mcp = mcp.map(|(token, scope)| (token, Account::new(Holder::SharedMcp, scope, None, limits)));
    node.into_iter().chain(mcp)
}

/// Whether a token says what was noted of it.
fn agree(account: &Account, claims: &Claims) -> bool {
    let exp = claims.exp.map(|exp| exp.saturating_mul(1000));
    *account.scope() == claims.scope && account.expires_ms == exp
}

pub(super) fn operators_account(frame_bytes: usize) -> Arc<Account> {
    let limits = Limits { connections: OPERATORS_CONNECTIONS, frame_bytes, per_second: None };
    Account::new(Holder::Operator, Scope::Operator, None, limits)
}
