//! Tokens that were given out.

use argus_protocol::TokenId;

use super::*;

fn token(number: u8, scope: &str) -> TokenRow {
    TokenRow {
        id: format!("{number:016x}").parse().unwrap(),
        scope: scope.parse().unwrap(),
        kid: 1,
        label: Some(format!("number {number}")),
        limits: TokenLimits::default(),
        created_ms: u64::from(number),
        expires_ms: None,
        revoked_ms: None,
    }
}

fn names(rows: &[TokenRow]) -> Vec<TokenId> {
    rows.iter().map(|row| row.id.clone()).collect()
}

#[tokio::test]
async fn what_was_noted_of_a_token_is_read_back_by_the_next_gateway() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let limits = TokenLimits { connections: Some(1), frame_bytes: Some(1 << 30), per_second: Some(7) };
    let limited = TokenRow { limits, expires_ms: Some(5000), label: None, ..token(1, "client:s") };
    let others = [token(2, "operator"), token(3, "mcp:s"), token(4, "node:runtime:s")];
    for row in [limited.clone()].into_iter().chain(others.clone()) {
        ledger.add_token(row).await.unwrap();
    }
    assert!(ledger.add_token(token(2, "operator")).await.is_err(), "an id is given once");
    ledger.close().await;
    let ledger = desk.open().await;
    let [second, third, fourth] = others;
    assert_eq!(ledger.tokens(0, 10).await.unwrap(), [fourth.clone(), third, second, limited]);
    assert_eq!(ledger.tokens(0, 1).await.unwrap(), [fourth]);
}

#[tokio::test]
async fn a_token_that_was_revoked_or_expired_is_listed_and_not_valid() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.add_token(token(1, "operator")).await.unwrap();
    ledger.add_token(TokenRow { expires_ms: Some(2000), ..token(2, "client:s") }).await.unwrap();
    ledger.add_token(token(3, "client:s")).await.unwrap();
    assert!(ledger.revoke_token(&token(3, "operator").id).await.unwrap());
    assert!(!ledger.revoke_token(&token(3, "operator").id).await.unwrap(), "once is enough");
    assert!(!ledger.revoke_token(&token(9, "operator").id).await.unwrap(), "there is none");
    let valid = async |now| names(&ledger.valid_tokens(now).await.unwrap());
    assert_eq!(valid(1999).await.len(), 2);
    assert_eq!(valid(2000).await, names(&[token(1, "operator")]));
    let revoked: Vec<_> = ledger.tokens(0, 9).await.unwrap().into_iter().map(|row| row.revoked_ms).collect();
    assert_eq!(revoked, [None, None, Some(1000)]);
}

#[tokio::test]
async fn a_deleted_session_takes_its_tokens_along_and_no_others() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let scopes = ["client:s", "mcp:s", "client:other", "operator", "node:s"];
    for (number, scope) in (1..).zip(scopes) {
        ledger.add_token(token(number, scope)).await.unwrap();
    }
    ledger.forget_session(&session("s")).await.unwrap();
    let mut left = names(&ledger.valid_tokens(0).await.unwrap());
    left.sort();
    assert_eq!(left, names(&[token(3, "operator"), token(4, "operator"), token(5, "operator")]));
}

#[tokio::test]
async fn the_next_generation_of_the_key_ends_every_token() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    assert_eq!(ledger.token_generation().await.unwrap(), 1);
    ledger.add_token(token(1, "operator")).await.unwrap();
    assert_eq!(ledger.rotate_token_key().await.unwrap(), 2);
    assert_eq!(ledger.rotate_token_key().await.unwrap(), 3);
    assert_eq!(ledger.valid_tokens(0).await.unwrap(), []);
    ledger.close().await;
    assert_eq!(desk.open().await.token_generation().await.unwrap(), 3);
}

#[tokio::test]
async fn tokens_that_ended_long_ago_are_forgotten() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.add_token(token(1, "operator")).await.unwrap();
    ledger.add_token(TokenRow { expires_ms: Some(DAY), ..token(2, "client:s") }).await.unwrap();
    ledger.add_token(TokenRow { expires_ms: Some(9 * DAY), ..token(3, "client:s") }).await.unwrap();
    ledger.add_token(TokenRow { revoked_ms: Some(DAY), ..token(4, "client:s") }).await.unwrap();
    ledger.add_token(TokenRow { revoked_ms: Some(9 * DAY), ..token(5, "client:s") }).await.unwrap();
    assert_eq!(ledger.prune(10 * DAY, 5).await.unwrap().tokens, 2);
    let left = names(&ledger.tokens(0, 9).await.unwrap());
    assert_eq!(left, names(&[token(3, "operator"), token(1, "operator"), token(5, "operator")]));
}
