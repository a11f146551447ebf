//! Static mode over real sockets: agents that run already, reached over TCP, with all that a session is.

mod bridge;
mod lifecycle;
mod lines;
mod real_codex;
mod sessions;
mod settings;
mod unasked;
mod upstream;

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

/// A client that is through with its greeting.
async fn introduced(gateway: &Gateway, query: &str) -> Client {
    let mut client = gateway.client(query).await;
    client.initialize().await;
    client
}

/// A thread of that client's.
async fn thread(client: &mut Client) -> Value {
    client.call("thread/start", json!({})).await["result"]["thread"]["id"].clone()
}

async fn start_turn(client: &mut Client, thread: &Value, text: &str) -> Value {
    let params = json!({ "threadId": thread, "input": [{ "type": "text", "text": text }] });
    client.call("turn/start", params).await
}

fn completed(text: &str) -> (String, String) {
    (text.to_owned(), "completed".to_owned())
}

/// What is wrong, in the words of an error.
fn words(reply: &Value) -> String {
    reply["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {reply}")).to_owned()
}
