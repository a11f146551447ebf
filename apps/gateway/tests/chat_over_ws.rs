//! A client on `/ws` talks to the agent through the whole chain of real processes.

use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs;
use serde_json::json;

#[tokio::test]
async fn a_client_chats_with_the_agent() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("").await;
    let reply = client.initialize().await;
    let agent = reply["result"]["userAgent"].as_str().unwrap_or_default();
    assert!(agent.starts_with("test_client/"), "{agent}");
    let thread = client.call("thread/start", json!({ "cwd": gateway.home() })).await;
    let thread = thread["result"]["thread"]["id"].clone();
    let input = json!([{ "type": "text", "text": "[say: four]" }]);
    let turn = client.call("turn/start", json!({ "threadId": thread, "input": input })).await;
    assert!(turn["result"]["turn"]["id"].is_string(), "{turn}");
    assert_eq!(client.turn().await, ("four".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn enqueued_text_becomes_a_turn_in_the_main_thread() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    let started = client.call("argus/input/enqueue", json!({ "text": "[say: hello]" })).await;
    assert_eq!(
        (&started["result"]["ok"], &started["result"]["started"]),
        (&json!(true), &json!(true)),
        "{started}"
    );
    assert_eq!(client.turn().await, ("hello".to_owned(), "completed".to_owned()));
    let main = client.call("argus/thread/main/ensure", json!({})).await;
    assert_eq!(main["result"]["threadId"], started["result"]["threadId"]);
}

#[tokio::test]
async fn the_real_codex_answers_and_runs_a_command() {
    let model = ModelServer::start();
    let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return };
    let gateway = gateway.with("ARGUS_SANDBOX", "danger-full-access").start().await;
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    let started = client.call("argus/input/enqueue", json!({ "text": "[say: four]" })).await;
    assert_eq!(started["result"]["started"], true, "{started}");
    assert_eq!(client.turn().await, ("four".to_owned(), "completed".to_owned()));
    client.call("argus/input/enqueue", json!({ "text": "[run: echo argus-$((40+2)) | tee made.txt]" })).await;
    let (answer, status) = client.turn().await;
    assert_eq!(status, "completed");
    assert!(answer.contains("argus-42"), "{answer}");
    let made =
        std::fs::read_to_string(gateway.home().join("workspace/made.txt")).expect("the command ran here");
    assert_eq!(made, "argus-42\n");
    assert!(!programs::processes_with(gateway.home()).is_empty());
}
