//! Events that wait for a session: they wake it, go with its next turn, and are told once.

use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use crate::stage::Stage;

async fn enqueue(stage: &Stage, event: Value) -> Value {
    stage.rpc("argus/systemEvent/enqueue", event).await
}

/// How many wait.
async fn waiting(stage: &Stage) -> usize {
    let told = stage.rpc("argus/systemEvent/list", json!({ "limit": 100 })).await;
    let events = told["events"].as_array().unwrap_or_else(|| panic!("no events: {told}"));
    events.iter().filter(|event| event["state"] == "waiting").count()
}

#[tokio::test]
async fn an_event_wakes_its_session_and_an_alert_comes_to_the_home_chat() {
    let stage = Stage::set(&[]).await;
    let told = enqueue(&stage, json!({ "kind": "disk", "text": "sda is full [say: make room]" })).await;
    assert_eq!(told["event"]["kind"], "disk", "{told}");
    stage.reads("make room").await;
    let turn = stage.turns_with("[disk at=", 1).await.remove(0);
    assert!(turn.text.contains("] sda is full"), "{}", turn.text);
    eventually("it waits no more", async || (waiting(&stage).await == 0).then_some(())).await;
}

#[tokio::test]
async fn many_events_go_in_their_order_and_twenty_at_most_with_one_turn() {
    let stage = Stage::set(&[]).await;
    stage.rpc("argus/automation/pause", json!({})).await;
    for number in 0..45 {
        enqueue(&stage, json!({ "text": format!("event {number:02}") })).await;
    }
    assert_eq!(waiting(&stage).await, 45);
    assert!(stage.begun_with("event 00").is_empty(), "what is paused does not begin");
    stage.rpc("argus/automation/resume", json!({})).await;
    eventually("none waits", async || (waiting(&stage).await == 0).then_some(())).await;
    let turns = stage.begun_with("System events (batched):\n[system at=");
    let told: Vec<Vec<&str>> = turns
        .iter()
        .map(|turn| turn.text.split("] event ").skip(1).map(|rest| &rest[..2]).collect())
        .collect();
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
    let all: Vec<_> = told.concat();
    assert!(all.is_sorted(), "{all:?}");
}

#[tokio::test]
async fn a_persons_turn_in_the_main_thread_carries_what_waits() {
    let stage = Stage::set(&[]).await;
    stage.rpc("argus/automation/pause", json!({})).await;
    enqueue(&stage, json!({ "text": "it rained" })).await;
    stage.rpc("argus/input/enqueue", json!({ "text": "[say: noted]" })).await;
    let turn = stage.turns_with("it rained", 1).await.remove(0);
    assert!(turn.text.contains("[say: noted]\n\nSystem events (batched):\n[system at="), "{}", turn.text);
    eventually("it waits no more", async || (waiting(&stage).await == 0).then_some(())).await;
}

#[tokio::test]
async fn an_event_with_a_key_that_was_told_before_is_not_told_again() {
    let stage = Stage::set(&[]).await;
    let event = json!({ "text": "the build is done [say: HEARTBEAT_OK]", "idempotencyKey": "build 7" });
    let first = enqueue(&stage, event.clone()).await;
    eventually("it waits no more", async || (waiting(&stage).await == 0).then_some(())).await;
    let second = enqueue(&stage, event).await;
    assert_eq!(first["event"]["eventId"], second["event"]["eventId"]);
    assert_eq!(waiting(&stage).await, 0);
    stage.comes_after().await;
    assert_eq!(stage.begun_with("the build is done").len(), 1);
}

#[tokio::test]
async fn an_event_of_another_session_wakes_that_one_alone() {
    let stage = Stage::set(&[]).await;
    let other = stage.gateway.client("").await.session;
    enqueue(&stage, json!({ "sessionId": other, "text": "for you alone [say: HEARTBEAT_OK]" })).await;
    let turn = stage.turns_with("for you alone", 1).await.remove(0);
    assert!(turn.text.contains(&format!("sessionId: {other}")), "{}", turn.text);
    let missing = stage
        .refused("argus/systemEvent/enqueue", json!({ "sessionId": "nobody000000", "text": "hello?" }))
        .await;
    assert!(missing.contains("nobody000000"), "{missing}");
}

#[tokio::test]
async fn an_event_waits_until_an_agent_can_be_had() {
    let mut stage = Stage::set(&[]).await;
    stage.gateway.kill();
    stage.gateway.processes("argus-runtime-b").into_iter().for_each(argus_testkit::programs::kill_9);
    stage.gateway.set("ARGUS_RUNTIME_CMD", "/nowhere/agent");
    stage.gateway.restart().await;
    enqueue(&stage, json!({ "text": "kept [say: heard at last]" })).await;
    let status = || async { stage.rpc("argus/heartbeat/status", json!({})).await };
    eventually("it was tried", async || (status().await["failures"].as_u64() > Some(0)).then_some(())).await;
    assert_eq!(waiting(&stage).await, 1);
    stage.gateway.kill();
    // A bridge that lives would be gone on with, and with it the command it was given.
    stage.gateway.processes("argus-runtime-b").into_iter().for_each(argus_testkit::programs::kill_9);
    stage.gateway.set("ARGUS_RUNTIME_CMD", argus_testkit::app_server::binary());
    stage.gateway.restart().await;
    stage.reads("heard at last").await;
    assert_eq!(stage.begun_with("kept").len(), 1);
}
