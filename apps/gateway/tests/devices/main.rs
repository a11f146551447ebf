//! Nodes over real sockets: how they come in and go, what is called on them, and what they may tell.

mod asks;
mod calls;
mod doors;
mod enrolment;
mod facts;
mod links;

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// A token of that scope.
pub(crate) async fn token(gateway: &Gateway, scope: &str) -> String {
    let reply = gateway.rpc("argus/token/create", json!({ "scope": scope })).await;
    reply["result"]["token"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// A node with a credential of its own, whose program was started as `boot-1`.
pub(crate) async fn node(gateway: &Gateway, id: &str) -> Node {
    let token = token(gateway, &format!("node:{id}")).await;
    Node::usual(gateway.url(), &token, id, "boot-1").await
}

/// `POST /nodes/invoke`, on its way.
pub(crate) fn invoke(gateway: &Gateway, wish: Value) -> JoinHandle<(StatusCode, Value)> {
    invoke_as(gateway, &gateway.token(), wish)
}

/// The same with another token.
#[expect(clippy::needless_pass_by_value, reason = "a wish is written where it is made")]
pub(crate) fn invoke_as(gateway: &Gateway, token: &str, wish: Value) -> JoinHandle<(StatusCode, Value)> {
    let request = reqwest::Client::new().post(format!("{}/nodes/invoke", gateway.url()));
    let request = request.bearer_auth(token).json(&wish).timeout(Duration::from_mins(1));
    tokio::spawn(async move {
        let reply = request.send().await.unwrap();
        (reply.status(), reply.json().await.unwrap_or_default())
    })
}

/// The ids of the nodes that are told with a token.
pub(crate) async fn listed(gateway: &Gateway, token: &str) -> Vec<String> {
    let reply = reqwest::Client::new().get(format!("{}/nodes", gateway.url())).bearer_auth(token).send();
    let reply: Value = reply.await.unwrap().json().await.unwrap();
    let nodes = reply["nodes"].as_array().unwrap_or_else(|| panic!("{reply}"));
    nodes.iter().map(|node| node["nodeId"].as_str().unwrap().to_owned()).collect()
}

/// Waits until those nodes are connected, and no others.
pub(crate) async fn until_there_are(gateway: &Gateway, ids: &[&str]) {
    let token = gateway.token();
    eventually("those nodes are there", async || (listed(gateway, &token).await == ids).then_some(())).await;
}

/// What a session is to hear of: the kind and the first line of each.
pub(crate) async fn events(gateway: &Gateway, session: &str) -> Vec<Value> {
    let reply = gateway.rpc("argus/systemEvent/list", json!({ "sessionId": session, "limit": 100 })).await;
    reply["result"]["events"].as_array().unwrap_or_else(|| panic!("{reply}")).clone()
}

/// The lines of the audit.
pub(crate) fn audit(gateway: &Gateway) -> Vec<Value> {
    noted(gateway, "audit.log")
}

/// The lines of one of its files.
pub(crate) fn noted(gateway: &Gateway, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(gateway.home().join("gateway").join(file)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}
