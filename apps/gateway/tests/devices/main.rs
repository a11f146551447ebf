//! Nodes over real sockets: how they come in and go, what is called on them, and what they may tell.

mod calls;

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A token for a node of that id.
pub(crate) async fn node_token(gateway: &Gateway, id: &str) -> String {
    let reply = gateway.rpc("argus/token/create", json!({ "scope": format!("node:{id}") })).await;
    reply["result"]["token"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// A node with a credential of its own.
pub(crate) async fn node(gateway: &Gateway, id: &str) -> Node {
    let token = node_token(gateway, id).await;
    Node::usual(gateway.url(), &token, id, "boot-1").await
}

/// `POST /nodes/invoke`, on its way.
pub(crate) fn invoke(gateway: &Gateway, wish: Value) -> tokio::task::JoinHandle<(StatusCode, Value)> {
    invoke_as(gateway, &gateway.token(), wish)
}

/// The same with another token.
pub(crate) fn invoke_as(
    gateway: &Gateway,
    token: &str,
    wish: Value,
) -> tokio::task::JoinHandle<(StatusCode, Value)> {
    let request = reqwest::Client::new().post(format!("{}/nodes/invoke", gateway.url()));
    let request = request.bearer_auth(token).json(&wish).timeout(Duration::from_secs(60));
    tokio::spawn(async move {
        let reply = request.send().await.unwrap();
        (reply.status(), reply.json().await.unwrap_or_default())
    })
}

/// The nodes that are told with a token.
pub(crate) async fn listed(gateway: &Gateway, token: &str) -> Vec<Value> {
    let reply = reqwest::Client::new().get(format!("{}/nodes", gateway.url())).bearer_auth(token).send();
    let reply: Value = reply.await.unwrap().json().await.unwrap();
    reply["nodes"].as_array().unwrap_or_else(|| panic!("{reply}")).clone()
}
