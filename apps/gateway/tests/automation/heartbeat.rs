//! Heartbeats: silent where there is nothing, one alert where there is something, and nobody's answers go elsewhere for it.

use argus_testkit::bot_api::{Chat, User};
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::json;

use crate::stage::Stage;

/// How the prompt of a heartbeat begins what is asked; the workspace's own texts speak of heartbeats too.
const BEAT: &str = "\nHEARTBEAT: nobody wrote to you";

/// Asks for a heartbeat and waits until it is over.
async fn beat(stage: &Stage) {
    let ended = async || stage.rpc("argus/heartbeat/status", json!({})).await["lastAtMs"].as_u64();
    let before = ended().await;
    stage.rpc("argus/heartbeat/request", json!({})).await;
    eventually("the heartbeat is over", async || {
        let status = stage.rpc("argus/heartbeat/status", json!({})).await;
        (status["lastAtMs"].as_u64() > before && status["open"] == false).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_is_silent_where_nothing_is_to_be_told_and_one_alert_where_something_is() {
    let stage = Stage::set(&[]).await;
    stage.write("HEARTBEAT.md", "- look at the disk [say: HEARTBEAT_OK]");
    beat(&stage).await;
    let turn = stage.turns_with(BEAT, 1).await.remove(0);
    assert!(turn.text.contains("[HEARTBEAT.md]\n- look at the disk"), "{}", turn.text);
    assert!(turn.text.contains("Heartbeat response contract:"), "{}", turn.text);
    stage.write("HEARTBEAT.md", "- look at the disk [say: The disk is full.]");
    beat(&stage).await;
    stage.reads("The disk is full.").await;
    stage.write("HEARTBEAT.md", "- look at the disk [say: HEARTBEAT_OK]");
    beat(&stage).await;
    stage.comes_after().await;
    let said = stage.said();
    assert_eq!(said.iter().filter(|text| !text.contains("Name: Ada")).count(), 1, "{said:?}");
}

#[tokio::test]
async fn a_heartbeat_comes_of_itself_when_its_time_has_come() {
    let stage = Stage::set(&[("ARGUS_HEARTBEAT_SECONDS", "10")]).await;
    assert!(stage.begun_with(BEAT).is_empty());
    stage.write("HEARTBEAT.md", "- look [say: a sign of life]");
    stage.reads("a sign of life").await;
}

#[tokio::test]
async fn the_token_in_a_persons_answer_is_told_as_it_is() {
    let stage = Stage::set(&[]).await;
    stage.say("[say: HEARTBEAT_OK]");
    stage.reads("HEARTBEAT_OK").await;
}

#[tokio::test]
async fn a_heartbeat_changes_nothing_about_where_answers_go() {
    let stage = Stage::set(&[]).await;
    let bob = User::new(8, "Bob");
    let his = Chat::private(&bob);
    let go = stage.gateway.home().join("go");
    stage.api.push_text(&his, &bob, &format!("[say: for Bob alone][hold: {}]", go.display()));
    stage.turns_with("for Bob alone", 1).await;
    stage.write("HEARTBEAT.md", "- look [say: an alert]");
    beat(&stage).await;
    stage.reads("an alert").await;
    std::fs::write(&go, "").unwrap();
    stage.api.wait_text("for Bob alone", PATIENCE).await;
    let to_bob: Vec<_> = stage.api.sent_to(&his).into_iter().map(|sent| sent.text).collect();
    assert_eq!(to_bob, ["for Bob alone"]);
}

#[tokio::test]
async fn heartbeats_can_have_a_thread_of_their_own() {
    let stage = Stage::set(&[("ARGUS_HEARTBEAT_THREAD", "own")]).await;
    stage.write("HEARTBEAT.md", "- look [say: HEARTBEAT_OK]");
    beat(&stage).await;
    beat(&stage).await;
    let turns = stage.turns_with(BEAT, 2).await;
    assert_eq!(turns[0].thread, turns[1].thread);
    let main = stage.rpc("argus/thread/main/ensure", json!({})).await;
    assert_ne!(main["threadId"], turns[0].thread.as_str());
}

#[tokio::test]
async fn a_failing_heartbeat_says_so_once_and_goes_on() {
    let stage = Stage::set(&[]).await;
    stage.write("HEARTBEAT.md", "- look [fail: no network]");
    beat(&stage).await;
    stage.reads("no network").await;
    beat(&stage).await;
    stage.write("HEARTBEAT.md", "- look [say: it is back]");
    beat(&stage).await;
    stage.reads("it is back").await;
    stage.comes_after().await;
    let told = stage.said().iter().filter(|text| text.contains("no network")).count();
    assert_eq!(told, 1);
}
