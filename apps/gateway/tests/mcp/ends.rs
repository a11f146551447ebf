//! How sessions and streams end, and how they do not.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::PATIENCE;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use super::caller::{Caller, token_for};

/// The stream that a client keeps open, once it has begun.
async fn stream(caller: &Caller) -> Response {
    let mut response = caller.request(Method::GET).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    assert!(response.chunk().await.unwrap().is_some());
    response
}

/// Waits for the end of a stream.
async fn ended(mut response: Response) {
    let end = async { while let Ok(Some(_)) = response.chunk().await {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the stream ends");
}

#[tokio::test]
async fn a_stream_lives_longer_than_an_idle_connection_by_comments() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let mut response = stream(&caller).await;
    // The first comment comes after 15 s; a connection without a request ends after 10 s.
    let comment = tokio::time::timeout(Duration::from_mins(1), response.chunk()).await;
    let comment = comment.expect("a comment").unwrap().expect("the stream lives");
    assert!(comment.starts_with(b":"), "{comment:?}");
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_and_its_stream() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let made = gateway.rpc("argus/token/create", json!({ "scope": format!("mcp:{own}") })).await;
    let token = made["result"]["token"].as_str().unwrap();
    let (caller, other) = (
        Caller::initialized(&gateway, token).await,
        Caller::initialized(&gateway, &token_for(&gateway, &own).await).await,
    );
    let response = stream(&caller).await;
    gateway.rpc("argus/token/revoke", json!({ "id": made["result"]["id"] })).await;
    ended(response).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let reply = caller.post(&ping).await;
    assert_eq!((reply.status, reply.detail().as_str()), (StatusCode::UNAUTHORIZED, "the token was revoked"));
    assert_eq!(other.post(&ping).await.status, StatusCode::OK);
}

#[tokio::test]
async fn with_a_deleted_session_its_token_and_its_tools_are_gone() {
    let gateway = Gateway::new().start().await;
    gateway.client("session=default").await;
    let own = gateway.client("").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let response = stream(&caller).await;
    let delete = reqwest::Client::new().delete(format!("{}/sessions/{own}", gateway.url()));
    assert_eq!(delete.bearer_auth(gateway.token()).send().await.unwrap().status(), StatusCode::OK);
    ended(response).await;
    let reply = caller.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
    assert_eq!((reply.status, reply.detail().as_str()), (StatusCode::UNAUTHORIZED, "the token was revoked"));
}

#[tokio::test]
async fn after_a_restart_a_client_is_told_to_begin_anew_and_can() {
    let mut gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let token = token_for(&gateway, &own).await;
    let caller = Caller::initialized(&gateway, &token).await;
    let response = stream(&caller).await;
    let stopped = gateway.stop();
    assert_eq!(tokio::time::timeout(PATIENCE, stopped).await.expect("no stream holds it up"), Some(0));
    ended(response).await;
    gateway.restart().await;
    let reply = caller.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.detail().contains("initialize a new one"), "{reply:?}");
    let caller = Caller::initialized(&gateway, &token).await;
    assert_eq!(caller.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn the_oldest_idle_session_of_a_token_makes_room_for_the_65th() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let token = token_for(&gateway, &own).await;
    let first = Caller::initialized(&gateway, &token).await;
    let second = Caller::initialized(&gateway, &token).await;
    let open = stream(&first).await;
    for _ in 0..63 {
        Caller::initialized(&gateway, &token).await;
    }
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    assert_eq!(first.post(&ping).await.status, StatusCode::OK, "it was in use");
    assert_eq!(second.post(&ping).await.status, StatusCode::NOT_FOUND, "it was idle longest");
    drop(open);
}
