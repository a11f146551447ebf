//! The gateway stopped or killed: its runtimes work on, and the next one takes them over.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client
}

/// Starts a turn in the main thread that goes on once the file is there.
async fn hold(gateway: &Gateway, text: &str) -> (Value, std::path::PathBuf) {
    let go = gateway.home().join("go");
    let text = format!("[hold: {}] {text}", go.display());
    let started = gateway.rpc("argus/input/enqueue", json!({ "text": text })).await;
    assert_eq!(started["result"]["started"], true, "{started}");
    (started["result"].clone(), go)
}

fn runtime(gateway: &Gateway) -> (Vec<u32>, Vec<u32>) {
    (gateway.processes("argus-runtime-b"), gateway.processes("scripted-app-se"))
}

#[tokio::test]
async fn a_turn_outlives_a_killed_gateway_and_its_end_is_seen_once() {
    let mut gateway = Gateway::new().start().await;
    let (started, go) = hold(&gateway, "[say: the whole answer]").await;
    let queued = gateway.rpc("argus/input/enqueue", json!({ "text": "[say: behind it]" })).await;
    assert_eq!(queued["result"]["queued"], true, "{queued}");
    let before = runtime(&gateway);
    gateway.kill();
    gateway.restart().await;
    let mut client = introduced(&gateway).await;
    assert_eq!(runtime(&gateway), before, "the bridge is adopted and the agent lives on");
    std::fs::write(go, "").unwrap();
    let first = client.notification("turn/completed").await;
    assert_eq!(first["params"]["turn"]["id"], started["turnId"]);
    assert_eq!(first["params"]["turn"]["status"], "completed");
    let second = client.notification("turn/completed").await;
    assert_eq!(second["params"]["turn"]["status"], "completed");
    assert_ne!(second["params"]["turn"]["id"], first["params"]["turn"]["id"]);
    let texts: Vec<_> = gateway.turns().into_iter().map(|turn| turn.text).collect();
    assert!(texts.len() == 2 && texts[1].contains("[say: behind it]"), "{texts:?}");
    let again = gateway.rpc("argus/input/enqueue", json!({ "text": "[say: third]" })).await;
    assert_eq!(again["result"]["started"], true, "nothing is left open: {again}");
}

#[tokio::test]
async fn a_turn_that_ended_while_no_gateway_was_there_is_told_to_the_first_who_comes() {
    let mut gateway = Gateway::new().start().await;
    let (started, go) = hold(&gateway, "[say: said to nobody]").await;
    gateway.kill();
    std::fs::write(go, "").unwrap();
    let thread = started["threadId"].as_str().unwrap();
    let stored = gateway.home().join("threads").join(format!("{thread}.json"));
    eventually("the agent is through", async || {
        let thread = std::fs::read_to_string(&stored).unwrap_or_default();
        thread.contains("\"completed\"").then_some(())
    })
    .await;
    gateway.restart().await;
    let mut client = gateway.client("session=default").await;
    assert_eq!(client.turn().await, ("said to nobody".to_owned(), "completed".to_owned()));
    assert_eq!(gateway.turns().len(), 1);
}

#[tokio::test]
async fn a_stopped_gateway_leaves_its_runtimes_and_says_goodbye_to_its_clients() {
    let mut gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    let (started, go) = hold(&gateway, "[say: gone on]").await;
    let before = runtime(&gateway);
    let (code, goodbye) = tokio::join!(gateway.stop(), client.closed());
    assert_eq!((code, goodbye), (Some(0), Some((1001, "the gateway stops".to_owned()))));
    assert_eq!(runtime(&gateway), before);
    std::fs::write(go, "").unwrap();
    gateway.restart().await;
    let mut client = gateway.client("session=default").await;
    let end = client.notification("turn/completed").await;
    assert_eq!(end["params"]["turn"]["id"], started["turnId"]);
    assert_eq!(runtime(&gateway), before);
    assert_eq!(gateway.turns().len(), 1);
}

#[tokio::test]
async fn a_stop_is_not_held_up_by_calls_that_wait_and_they_are_answered() {
    let mut gateway = Gateway::new().with("SCRIPTED_START", "hang").start().await;
    let mut client = gateway.client("session=default").await;
    let ensure = client.request("argus/thread/main/ensure", json!({})).await;
    let pending = client.request("argus/input/enqueue", json!({ "text": "hello" })).await;
    let behind = client.call("argus/input/enqueue", json!({ "text": "there" })).await;
    assert_eq!(behind["result"]["followupDepth"], 2, "{behind}");
    assert_eq!(gateway.stop().await, Some(0));
    let reply = client.reply(pending).await;
    assert_eq!(reply["result"]["ok"], true, "it is durable: {reply}");
    let reply = client.reply(ensure).await;
    assert_eq!(reply["error"], json!({ "code": -32000, "message": "the session ended" }));
    assert_eq!(client.closed().await, Some((1001, "the gateway stops".to_owned())));
}

#[tokio::test]
async fn an_unused_runtime_is_stopped_and_woken_with_its_threads() {
    let gateway = Gateway::new().with("ARGUS_SESSION_IDLE_STOP", "0.3").with_wiretap().start().await;
    let mut client = introduced(&gateway).await;
    let said = client.call("argus/input/enqueue", json!({ "text": "[say: before]" })).await;
    assert_eq!(client.turn().await.0, "before");
    let thread = &said["result"]["threadId"];
    eventually("the runtime is stopped", async || {
        gateway.processes("argus-runtime-b").is_empty().then_some(())
    })
    .await;
    assert!(gateway.processes("scripted-app-se").is_empty());
    // The client is still there, and its own turn finds the thread loaded.
    let input = json!([{ "type": "text", "text": "[say: after]" }]);
    let turn = client.call("turn/start", json!({ "threadId": thread, "input": input })).await;
    assert!(turn["result"]["turn"]["id"].is_string(), "{turn}");
    assert_eq!(client.turn().await.0, "after");
    let again = client.call("argus/input/enqueue", json!({ "text": "[say: main]" })).await;
    assert_eq!(&again["result"]["threadId"], thread);
    assert_eq!(client.turn().await.0, "main");
    let processes: std::collections::BTreeSet<_> = gateway.turns().iter().map(|turn| turn.process).collect();
    assert!(processes.len() >= 2, "{processes:?}");
    let resumed: Vec<_> =
        gateway.heard().into_iter().filter(|line| line["method"] == "thread/resume").collect();
    assert!(
        resumed.iter().all(|line| line["params"]["threadId"] == *thread) && !resumed.is_empty(),
        "{resumed:?}"
    );
}

#[tokio::test]
async fn a_runtime_with_a_turn_is_not_idle() {
    let gateway = Gateway::new().with("ARGUS_SESSION_IDLE_STOP", "0.1").start().await;
    let (_, go) = hold(&gateway, "[say: took its time]").await;
    let before = runtime(&gateway);
    // Longer than the limit, seen from within: other sessions come up and go down meanwhile.
    for _ in 0..2 {
        let client = gateway.client("").await;
        let id = client.session.clone();
        eventually("another runtime came", async || {
            (gateway.processes("argus-runtime-b").len() > 1).then_some(())
        })
        .await;
        eventually("and was stopped", async || {
            (gateway.processes("argus-runtime-b").len() == 1).then_some(())
        })
        .await;
        assert_eq!(client.session, id);
    }
    assert_eq!(runtime(&gateway), before);
    std::fs::write(go, "").unwrap();
    let mut client = gateway.client("session=default").await;
    assert_eq!(client.turn().await, ("took its time".to_owned(), "completed".to_owned()));
}
