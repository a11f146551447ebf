//! An upstream from its first client to its end.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

use crate::upstream::{Agent, Upstream};

async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("").await;
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

#[tokio::test]
async fn two_clients_share_one_upstream_and_each_has_replies_of_its_own() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut asker = gateway.client("id=default").await;
    asker.initialize().await;
    let mut witness = introduced(&gateway).await;
    assert_eq!((asker.session.as_str(), witness.session.as_str()), ("default", "default"));
    let thread = thread(&mut asker).await;
    let reply = start_turn(&mut asker, &thread, "[say: shared]").await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
    for client in [&mut asker, &mut witness] {
        assert_eq!(client.turn().await, ("shared".to_owned(), "completed".to_owned()));
    }
    assert_eq!(upstream.connections(), 1);
    // And what a session has of its own: turns in line, here in the main thread.
    let queued = witness.call("argus/input/enqueue", json!({ "text": "[say: in line]" })).await;
    assert_eq!(queued["result"]["ok"], true, "{queued}");
    assert_eq!(asker.turn().await, ("in line".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn a_connection_lost_in_a_turn_fails_it_at_once_and_the_next_request_has_a_new_one() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let (mut asker, mut witness) = (introduced(&gateway).await, introduced(&gateway).await);
    let thread = thread(&mut asker).await;
    start_turn(&mut asker, &thread, "[say: remembered]").await;
    asker.turn().await;
    witness.turn().await;
    start_turn(&mut asker, &thread, "[say: never said] [hang]").await;
    let hanging = json!([{ "type": "text", "text": "[late] [hang]" }]);
    let open = witness.request("turn/start", json!({ "threadId": thread, "input": hanging })).await;
    asker.notification("item/agentMessage/delta").await;
    upstream.cut();
    let reason = format!("upstream `default` at 127.0.0.1:{} closed the connection", upstream.port);
    let refused = witness.reply(open).await["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(refused.starts_with(&reason), "{refused}");
    for client in [&mut asker, &mut witness] {
        let end = client.notification("turn/completed").await;
        assert_eq!(end["params"]["turn"]["status"], "failed", "{end}");
        assert_eq!(end["params"]["turn"]["error"]["message"], reason);
    }
    // Another process has the thread now: it is resumed before anything is asked of it.
    let reply = start_turn(&mut witness, &thread, "[say: back]").await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
    assert_eq!(asker.turn().await, ("back".to_owned(), "completed".to_owned()));
    assert_eq!(upstream.connections(), 2);
}
