//! The real Codex in a real container acts unasked: a scheduled job, and a heartbeat that gives one alert and is silent then.

use argus_testkit::docker::Docker;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use crate::chats::Scene;

async fn rpc(scene: &Scene, method: &str, params: Value) -> Value {
    let reply = scene.gateway.rpc(method, params).await;
    assert!(reply["error"].is_null(), "{method}: {reply}");
    reply["result"].clone()
}

#[tokio::test]
async fn a_scheduled_job_runs_a_real_command_and_a_message_comes_of_it() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[("ARGUS_HEARTBEAT_SECONDS", "0")]).await else { return };
    scene.say("[say: welcome]");
    scene.api.wait_text("welcome", argus_testkit::programs::PATIENCE).await;
    let due = argus_gateway::clock::unix_ms() + 2000;
    rpc(
        &scene,
        "argus/cron/add",
        json!({ "jobId": "due", "atMs": due, "text": "[run: echo due-$((40+2))]" }),
    )
    .await;
    scene.api.wait_text("due-42", argus_testkit::programs::PATIENCE).await;
    let told = rpc(&scene, "argus/cron/history", json!({ "jobId": "due" })).await;
    assert_eq!(told["runs"][0]["state"], "done", "{told}");
    assert!(told["runs"][0]["tokens"].as_u64() > Some(0), "{told}");
}

#[tokio::test]
async fn a_heartbeats_task_gives_one_alert_and_then_silence() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[("ARGUS_HEARTBEAT_SECONDS", "10")]).await else { return };
    scene.say("[say: welcome]");
    scene.api.wait_text("welcome", argus_testkit::programs::PATIENCE).await;
    let task = "- tell once what is there [run: [ -f told ] && echo HEARTBEAT_OK || { touch told; echo found-$((40+2)); }]";
    std::fs::write(scene.gateway.home().join("workspace/HEARTBEAT.md"), task).unwrap();
    scene.api.wait_text("found-42", argus_testkit::programs::PATIENCE).await;
    let said = scene.api.sent_to(&scene.chat).len();
    // The next two come of themselves, and say nothing.
    let last = async || rpc(&scene, "argus/heartbeat/status", json!({})).await["lastAtMs"].as_u64();
    for _ in 0..2 {
        let before = last().await;
        eventually("another heartbeat", async || (last().await > before).then_some(())).await;
    }
    assert_eq!(scene.api.sent_to(&scene.chat).len(), said);
}
