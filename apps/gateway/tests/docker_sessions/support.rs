//! What these tests do again and again.

use argus_testkit::client::Client;
use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A gateway whose sessions live in containers of that corner.
pub(crate) async fn gateway(docker: &Docker) -> Gateway {
    Gateway::new().in_docker(docker).start().await
}

pub(crate) async fn ask(gateway: &Gateway, method: Method, path: &str) -> (StatusCode, Value) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", gateway.url()));
    let reply = request.bearer_auth(gateway.token()).send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

pub(crate) async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client
}

/// Puts something into the main thread's line.
pub(crate) async fn enqueue(client: &mut Client, text: &str) {
    let put = client.call("argus/input/enqueue", json!({ "text": text })).await;
    assert_eq!(put["result"]["ok"], true, "{put}");
}

/// Says something in the main thread and waits for the answer.
pub(crate) async fn say(client: &mut Client, text: &str) -> String {
    enqueue(client, text).await;
    let (answer, status) = client.turn().await;
    assert_eq!(status, "completed");
    answer
}

/// Waits until the agent has said half of an answer and goes no further: `[hold: …]` is for that.
pub(crate) async fn in_the_middle(client: &mut Client, word: &str) {
    enqueue(client, &format!("[say: never said to its end] {word}")).await;
    client.notification("item/agentMessage/delta").await;
}

/// The reason of the next turn's failure, as every client sees it.
pub(crate) async fn failed_turn(client: &mut Client) -> String {
    let end = client.notification("turn/completed").await;
    let turn = &end["params"]["turn"];
    assert_eq!(turn["status"], "failed", "{end}");
    turn["error"]["message"].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn words(reply: &Value) -> String {
    reply["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {reply}")).to_owned()
}

pub(crate) fn id_of(docker: &Docker, container: &str) -> Option<String> {
    Some(docker.inspect(container)?["Id"].as_str()?.to_owned())
}

pub(crate) async fn logged(gateway: &Gateway, words: &str) {
    eventually(&format!("the log says `{words}`"), async || gateway.log().contains(words).then_some(()))
        .await;
}
