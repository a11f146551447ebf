//! What a session may take unasked in a day.

use argus_testkit::programs::eventually;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn when_the_days_turns_are_used_up_automation_pauses_with_one_message() {
    let stage = Stage::set(&[("ARGUS_AUTOMATION_TURNS_PER_DAY", "2")]).await;
    let job = stage.rpc("argus/cron/add", json!({ "everyMs": 1000, "text": "[say: tick]" })).await;
    stage.reads("ARGUS_AUTOMATION_TURNS_PER_DAY").await;
    let id = &job["job"]["jobId"];
    eventually("runs are left out", async || {
        let told = stage.rpc("argus/cron/history", json!({ "jobId": id })).await;
        let skipped = told["runs"].as_array()?.iter().filter(|run| run["state"] == "skipped").count();
        (skipped >= 2).then_some(())
    })
    .await;
    assert_eq!(stage.begun_with("[cron at=").len(), 2);
    // People are not paused.
    stage.say("[say: still here]");
    stage.reads("still here").await;
    let said = stage.said();
    let notices = said.iter().filter(|text| text.contains("ARGUS_AUTOMATION_TURNS_PER_DAY")).count();
    assert_eq!(notices, 1, "{said:?}");
}

#[tokio::test]
async fn tokens_count_as_the_agent_reports_them() {
    // A turn of the scripted agent takes 15.
    let stage = Stage::set(&[("ARGUS_AUTOMATION_TOKENS_PER_DAY", "30")]).await;
    stage.rpc("argus/cron/add", json!({ "everyMs": 1000, "text": "[say: tick]" })).await;
    stage.reads("ARGUS_AUTOMATION_TOKENS_PER_DAY").await;
    assert_eq!(stage.begun_with("[cron at=").len(), 2);
}
