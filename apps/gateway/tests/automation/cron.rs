//! Scheduled jobs, from the call that adds one to the message that comes of it.

use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Due in a second, and every second.
fn each_second(text: &str) -> Value {
    json!({ "expr": "* * * * * *", "seconds": "first", "text": text })
}

async fn add(stage: &Stage, job: Value) -> String {
    let added = stage.rpc("argus/cron/add", job).await;
    added["job"]["jobId"].as_str().unwrap_or_else(|| panic!("no id: {added}")).to_owned()
}

/// The ended runs of a job, the newest first, once there are that many.
async fn ended(stage: &Stage, job: &str, count: usize) -> Vec<Value> {
    eventually("runs that ended", async || {
        let told = stage.rpc("argus/cron/history", json!({ "jobId": job })).await;
        let runs = told["runs"].as_array().unwrap_or_else(|| panic!("no runs: {told}")).clone();
        let over: Vec<_> = runs.into_iter().filter(|run| run["state"] != "open").collect();
        (over.len() >= count).then_some(over)
    })
    .await
}

#[tokio::test]
async fn a_job_that_is_due_is_done_and_its_answer_comes_to_the_home_chat() {
    let stage = Stage::set(&[]).await;
    let job = add(&stage, each_second("[say: tick]")).await;
    stage.reads("tick").await;
    stage.rpc("argus/cron/remove", json!({ "jobId": job })).await;
    let turn = stage.turns_with("[cron at=", 1).await.remove(0);
    assert!(turn.text.contains(&format!("\"jobId\":\"{job}\"")), "{}", turn.text);
    assert!(turn.text.contains("System events (batched):\n[cron at="), "{}", turn.text);
}

#[tokio::test]
async fn the_history_tells_what_became_of_each_run_and_what_it_took() {
    let stage = Stage::set(&[]).await;
    let job = add(&stage, json!({ "everyMs": 1000, "text": "[say: tick]" })).await;
    let runs = ended(&stage, &job, 2).await;
    stage.rpc("argus/cron/pause", json!({ "jobId": job })).await;
    for run in &runs {
        assert_eq!((&run["state"], &run["tokens"]), (&json!("done"), &json!(15)), "{run}");
        assert!(run["endedAtMs"].as_u64() >= run["dueAtMs"].as_u64(), "{run}");
    }
    assert_ne!(runs[0]["run"], runs[1]["run"]);
}

#[tokio::test]
async fn a_job_for_one_time_is_done_once() {
    let stage = Stage::set(&[]).await;
    let soon = argus_gateway::clock::unix_ms() + 500;
    let job = add(&stage, json!({ "atMs": soon, "text": "[say: only once]" })).await;
    stage.reads("only once").await;
    ended(&stage, &job, 1).await;
    let list = stage.rpc("argus/cron/list", json!({ "includeDisabled": true })).await;
    let left = list["jobs"].as_array().unwrap().iter().find(|one| one["jobId"] == job.as_str()).cloned();
    assert!(left.is_none_or(|left| left["nextRunAtMs"].is_null()), "{list}");
    // Another one comes and goes, and the first is not done again with it.
    let other = add(&stage, json!({ "everyMs": 1000, "text": "[say: meanwhile]" })).await;
    ended(&stage, &other, 2).await;
    assert_eq!(stage.begun_with("only once").len(), 1);
}

#[tokio::test]
async fn who_answers_a_jobs_message_goes_on_in_the_thread_of_that_run() {
    let stage = Stage::set(&[]).await;
    let job = add(&stage, json!({ "everyMs": 3_600_000, "text": "[ids]", "thread": "own" })).await;
    stage.rpc("argus/cron/run", json!({ "jobId": job })).await;
    let told = stage.reads("thread=").await;
    let run = stage.turns_with("[ids]", 1).await.remove(0);
    stage.say("[say: elsewhere]");
    stage.reads("elsewhere").await;
    let reply = json!({ "text": "[say: about that run]", "reply_to_message": { "message_id": told.message_id,
        "date": 1, "chat": { "id": 7, "type": "private", "first_name": "Ada" }, "text": told.text } });
    stage.api.push_message(&stage.chat, &stage.ada, &reply);
    stage.reads("about that run").await;
    let answer = stage.turns_with("about that run", 1).await.remove(0);
    assert_eq!(answer.thread, run.thread);
    let chats = stage.turns_with("elsewhere", 1).await.remove(0);
    assert_ne!(chats.thread, run.thread, "the chat has a thread of its own");
}

#[tokio::test]
async fn each_run_has_a_thread_of_its_own_where_the_job_says_so_and_else_the_main_one() {
    let stage = Stage::set(&[]).await;
    let own = add(&stage, json!({ "everyMs": 3_600_000, "text": "alone", "thread": "own" })).await;
    let main = add(&stage, json!({ "everyMs": 3_600_000, "text": "together" })).await;
    for job in [&own, &own, &main, &main] {
        let before = ended(&stage, job, 0).await.len();
        stage.rpc("argus/cron/run", json!({ "jobId": job })).await;
        ended(&stage, job, before + 1).await;
    }
    let (alone, together) = (stage.begun_with("] alone"), stage.begun_with("] together"));
    assert_ne!(alone[0].thread, alone[1].thread);
    assert_eq!(together[0].thread, together[1].thread);
    let ensured = stage.rpc("argus/thread/main/ensure", json!({})).await;
    assert_eq!(ensured["threadId"], together[0].thread.as_str());
}

#[tokio::test]
async fn a_job_that_fails_again_and_again_says_so_once() {
    let stage = Stage::set(&[]).await;
    let job = add(&stage, json!({ "everyMs": 1000, "name": "check", "text": "[fail: no network]" })).await;
    let runs = ended(&stage, &job, 3).await;
    stage.rpc("argus/cron/remove", json!({ "jobId": job })).await;
    assert_eq!(runs[0]["state"], "failed");
    assert!(runs[0]["reason"].as_str().is_some_and(|reason| reason.contains("no network")), "{}", runs[0]);
    stage.comes_after().await;
    let told: Vec<_> = stage.said().into_iter().filter(|text| text.contains("no network")).collect();
    assert!(matches!(told.as_slice(), [one] if one.contains("check")), "{told:?}");
}

#[tokio::test]
async fn what_is_no_expression_is_refused_with_its_field_and_the_reason() {
    let stage = Stage::set(&[]).await;
    let why = stage.refused("argus/cron/add", json!({ "expr": "0 25 * * *", "text": "x" })).await;
    assert!(why.contains("hours") && why.contains("25"), "{why}");
    let why =
        stage.refused("argus/cron/add", json!({ "expr": "0 9 * * *", "tz": "Mars", "text": "x" })).await;
    assert!(why.contains("Mars"), "{why}");
    let added = stage
        .rpc("argus/cron/add", json!({ "expr": "30 8 * * 1-5", "tz": "Europe/Berlin", "text": "x" }))
        .await;
    assert_eq!(added["nextTimes"].as_array().map(Vec::len), Some(3), "{added}");
}

#[tokio::test]
async fn a_job_goes_on_where_it_was_after_a_restart() {
    let mut stage = Stage::set(&[]).await;
    let job = add(&stage, json!({ "everyMs": 1000, "text": "[say: tick]" })).await;
    ended(&stage, &job, 1).await;
    stage.gateway.kill();
    stage.gateway.restart().await;
    let runs = ended(&stage, &job, 3).await;
    let ids: std::collections::BTreeSet<_> = runs.iter().map(|run| run["run"].to_string()).collect();
    assert_eq!(ids.len(), runs.len());
    assert!(runs.iter().all(|run| run["state"] == "done" || run["state"] == "skipped"), "{runs:?}");
}
