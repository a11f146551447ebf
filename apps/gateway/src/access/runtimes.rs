//! What a session's runtime is given to speak with its gateway: tokens that the key makes again at any time, for its
//! tools and for its own node, and for nothing else.

use std::sync::Arc;

use argus_protocol::node::RUNTIME;
use argus_protocol::token::derived::Claims;
use argus_protocol::token::scope::Scope;
use argus_protocol::token::{Secret, SigningKey};
use argus_protocol::{SessionId, TokenId};

use super::register::Register;
use super::{Access, Account, Holder, Limits};

/// Connections at once with one of a runtime's tokens, at least.
const CONNECTIONS: u32 = 128;

/// The tokens of one session's runtime. They open nothing once the key is rotated, and nothing is open to those of a
/// session that is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeTokens {
    /// For the agent: `mcp:<session>`.
    pub mcp: Secret,
    /// For its own node: `node:runtime:<session>`.
    pub node: Secret,
}

impl Access {
    /// What the session's runtime is given; always the same while the key is.
    pub fn runtime_tokens(&self, session: &SessionId) -> RuntimeTokens {
        let (kid, signing, life) = {
            let register = self.read();
            (register.generation, register.signing.clone(), life(&register, session))
        };
        let sign = |scope: Scope| {
            let id = token_id(&self.0.key, &scope, life);
            Claims { kid, id, scope, exp: None }.sign(&signing)
        };
        RuntimeTokens { mcp: sign(Scope::Mcp(session.clone())), node: sign(nodes_scope(session)) }
    }

    /// The account of a runtime's token, whose signature is known to be good.
    pub(super) fn of_runtime(&self, claims: &Claims) -> Option<Arc<Account>> {
        let session = session_of(&claims.scope)?;
        let mut register = self.write();
        let id = token_id(&self.0.key, &claims.scope, life(&register, &session));
        // The key may have been rotated since the token was read.
        if claims.exp.is_some() || claims.id != id || claims.kid != register.generation {
            return None;
        }
        // An agent calls several tools at once, each by a connection of its own.
        let usual = self.usual();
        let limits = Limits { connections: usual.connections.max(CONNECTIONS), ..usual };
        let account = register.runtimes.entry(claims.scope.clone());
        let new = || Account::new(Holder::Runtime(session), claims.scope.clone(), None, limits);
        Some(account.or_insert_with(new).clone())
    }

    /// How many sessions of that id there were before this one.
    pub fn life_of(&self, session: &SessionId) -> u32 {
        life(&self.read(), session)
    }
}

fn life(register: &Register, session: &SessionId) -> u32 {
    register.deleted.get(session).copied().unwrap_or_default()
}

/// Whether a scope is one that the runtime of this session is given.
pub(super) fn is_runtimes(scope: &Scope, session: &SessionId) -> bool {
    session_of(scope).as_ref() == Some(session)
}

fn session_of(scope: &Scope) -> Option<SessionId> {
    match scope {
        Scope::Mcp(session) => Some(session.clone()),
        Scope::Node(id) => id.strip_prefix(RUNTIME)?.parse().ok(),
        Scope::Operator | Scope::Client(_) => None,
    }
}

fn nodes_scope(session: &SessionId) -> Scope {
    Scope::Node(format!("{RUNTIME}{session}"))
}

/// The id of a runtime's token. Ids that are made for others are random, and never come out as one of these.
fn token_id(key: &SigningKey, scope: &Scope, life: u32) -> TokenId {
    let name = key.derive("runtime token", &format!("{scope}\n{life}")).fingerprint();
    name[..16].parse().expect("sixteen hex digits are a token id")
}

#[cfg(test)]
mod tests {
    use super::super::tests::Desk;
    use super::super::{Ending, NoSeat, Refused};
    use super::*;

    fn session(id: &str) -> SessionId {
        id.parse().unwrap()
    }

    fn opens(access: &Access, token: &Secret) -> Result<String, Refused> {
        access.judge(token.reveal()).map(|account| format!("{} {}", account.holder(), account.scope()))
    }

    #[tokio::test]
    async fn a_runtimes_tokens_are_for_its_tools_and_its_node_and_the_same_after_a_restart() {
        let desk = Desk::new().await;
        let access = desk.open().await;
        let tokens = access.runtime_tokens(&session("s1"));
        assert_eq!(opens(&access, &tokens.mcp), Ok("runtime:s1 mcp:s1".to_owned()));
        assert_eq!(opens(&access, &tokens.node), Ok("runtime:s1 node:runtime:s1".to_owned()));
        assert_ne!(tokens, access.runtime_tokens(&session("s2")));
        let again = desk.open().await;
        assert_eq!(again.runtime_tokens(&session("s1")), tokens);
        assert_eq!(opens(&again, &tokens.mcp), Ok("runtime:s1 mcp:s1".to_owned()));
    }

    #[tokio::test]
    async fn the_end_of_a_session_ends_the_connections_of_its_runtime() {
        let access = Desk::new().await.open().await;
        let tokens = access.runtime_tokens(&session("s1"));
        let other = access.judge(access.runtime_tokens(&session("s2")).node.reveal()).unwrap();
        let account = access.judge(tokens.node.reveal()).unwrap();
        access.session_deleted(&session("s1"));
        assert_eq!(account.take_seat().unwrap_err(), NoSeat::Ended(Ending::Revoked));
        assert!(other.take_seat().is_ok());
    }

    #[tokio::test]
    async fn what_was_a_deleted_sessions_opens_nothing_of_another_with_its_id() {
        let desk = Desk::new().await;
        let access = desk.open().await;
        let old = access.runtime_tokens(&session("s1"));
        desk.delete(&session("s1")).await;
        access.session_deleted(&session("s1"));
        let new = access.runtime_tokens(&session("s1"));
        for access in [access, desk.open().await] {
            assert_eq!(access.runtime_tokens(&session("s1")), new);
            for token in [&old.mcp, &old.node] {
                assert_eq!(opens(&access, token), Err(Refused::Ended(Ending::Revoked)));
            }
            assert_eq!(opens(&access, &new.mcp), Ok("runtime:s1 mcp:s1".to_owned()));
            assert_eq!(access.life_of(&session("s1")), 1);
        }
    }

    #[tokio::test]
    async fn a_rotated_key_makes_other_tokens_and_the_old_ones_open_nothing() {
        let access = Desk::new().await.open().await;
        let tokens = access.runtime_tokens(&session("s1"));
        let account = access.judge(tokens.mcp.reveal()).unwrap();
        access.rotate_key(&super::super::tests::by()).await.unwrap();
        assert_eq!(opens(&access, &tokens.mcp), Err(Refused::Unknown));
        assert_eq!(account.take_seat().unwrap_err(), NoSeat::Ended(Ending::KeyRotated));
        let new = access.runtime_tokens(&session("s1"));
        assert_eq!(opens(&access, &new.mcp), Ok("runtime:s1 mcp:s1".to_owned()));
    }

    #[tokio::test]
    async fn what_is_nearly_a_runtimes_token_opens_nothing() {
        let access = Desk::new().await.open().await;
        let sign = |scope: &str, id: Option<&str>, exp: Option<u64>| {
            let scope: Scope = scope.parse().unwrap();
            let id = id.map_or_else(|| token_id(&access.0.key, &scope, 0), |id| id.parse().unwrap());
            Claims { kid: 1, id, scope, exp }.sign(&access.read().signing)
        };
        for token in [
            sign("mcp:s1", Some("0123456789abcdef"), None),
            sign("mcp:s1", None, Some(4_000_000_000)),
            sign("client:s1", None, None),
            sign("operator", None, None),
            sign("node:laptop", None, None),
            sign("node:runtime:-", None, None),
        ] {
            assert_eq!(opens(&access, &token), Err(Refused::Ended(Ending::Revoked)));
        }
    }
}
