//! Tokens of the operator's making: what they open, how much at once, how they end, and what is noted of it.

mod audit;
mod ends;
mod limits;
mod scopes;

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Makes a token; its text and its id.
pub(crate) async fn token(gateway: &Gateway, wish: Value) -> (String, String) {
    let reply = gateway.rpc("argus/token/create", wish).await;
    let text = |name: &str| reply["result"][name].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    (text("token"), text("id"))
}

/// A token for a session that is made for it, and the session.
pub(crate) async fn client_token(gateway: &Gateway) -> (String, String) {
    // The default session is another one.
    default_session(gateway).await;
    let session = gateway.client("").await.session;
    (token(gateway, json!({ "scope": format!("client:{session}") })).await.0, session)
}

/// The default session's id.
pub(crate) async fn default_session(gateway: &Gateway) -> String {
    gateway.client("session=default").await.session
}

/// One call with a token: HTTP status and body.
pub(crate) async fn call(gateway: &Gateway, token: &str, method: &str, params: Value) -> (StatusCode, Value) {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let sent =
        reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(token).json(&request);
    let reply = sent.send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

pub(crate) async fn ask(gateway: &Gateway, token: &str, method: Method, path: &str) -> (StatusCode, Value) {
    let sent = reqwest::Client::new().request(method, format!("{}{path}", gateway.url())).bearer_auth(token);
    let reply = sent.send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

/// How a connection ends at once.
pub(crate) async fn closed(gateway: &Gateway, query: &str, token: &str) -> Option<(u16, String)> {
    Client::open(gateway.url(), query, token).await.unwrap().closed().await
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with how a connection ended")]
pub(crate) fn because(words: &str) -> Option<(u16, String)> {
    Some((1008, words.to_owned()))
}
