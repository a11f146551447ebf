//! Turns that hang and runtimes that do not start: the lane is freed, people are told, and nothing that waits is lost.

use argus_testkit::bot_api::{Chat, User};
use argus_testkit::programs::{PATIENCE, eventually, kill_9};
use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn a_turn_that_hangs_is_freed_with_a_notice_and_what_waited_behind_it_is_done() {
    let stage = Stage::set(&[("NO_OUTPUT_IDLE_TIMEOUT_SECONDS", "1")]).await;
    let never = stage.gateway.home().join("never");
    stage.say(&format!("[hold: {}]", never.display()));
    stage.turns_with("[hold:", 1).await;
    stage.say("[say: after it]");
    stage.reads("the agent gave no sign for 1 s, so it was stopped").await;
    stage.reads("after it").await;
}

#[tokio::test]
async fn a_job_whose_run_hangs_is_freed_with_a_notice_and_runs_again() {
    let stage = Stage::set(&[("RUN_TIMEOUT_SECONDS", "1")]).await;
    let never = stage.gateway.home().join("never");
    let job = json!({ "jobId": "j", "name": "Mail", "everyMs": 3_600_000, "text": format!("[hold: {}]", never.display()) });
    stage.rpc("argus/cron/add", job).await;
    stage.rpc("argus/cron/run", json!({ "jobId": "j" })).await;
    let told = stage.reads("the turn ran for 1 s, so it was stopped").await;
    assert!(told.text.contains("Mail"), "{}", told.text);
    let history = stage.rpc("argus/cron/history", json!({ "jobId": "j" })).await;
    assert_eq!(history["runs"][0]["state"], "failed", "{history}");
    stage.rpc("argus/cron/update", json!({ "jobId": "j", "text": "[say: mail is read]" })).await;
    stage.rpc("argus/cron/run", json!({ "jobId": "j" })).await;
    stage.reads("mail is read").await;
}

#[tokio::test]
async fn what_people_wrote_while_no_runtime_starts_is_answered_to_each_of_them_after_a_restart() {
    let mut stage = Stage::set(&[]).await;
    let bob = User::new(8, "Bob");
    let his = Chat::private(&bob);
    assert_eq!(stage.gateway.stop().await, Some(0));
    let end_bridges = |stage: &Stage| stage.gateway.processes("argus-runtime-b").into_iter().for_each(kill_9);
    end_bridges(&stage);
    // A command that never says a word: the runtime is starting for as long as this gateway lives.
    stage.gateway.set("ARGUS_RUNTIME_CMD", "sleep 600");
    stage.gateway.restart().await;
    stage.say("[say: for Ada]");
    stage.api.push_text(&his, &bob, "[say: for Bob]");
    stage.rpc("argus/input/enqueue", json!({ "text": "[say: for a client]", "wait": false })).await;
    eventually("all three wait", async || {
        let request = reqwest::Client::new().get(format!("{}/automation/state", stage.gateway.url()));
        let reply = request.bearer_auth(stage.gateway.token()).send().await.unwrap();
        let standing: Value = reply.json().await.unwrap();
        let waiting = |lane: &Value| lane["followupDepth"].as_u64();
        let depth: Option<u64> = standing["runtime"]["lanes"].as_array()?.iter().map(waiting).sum();
        (depth == Some(3)).then_some(())
    })
    .await;
    stage.gateway.kill();
    end_bridges(&stage);
    stage.gateway.set("ARGUS_RUNTIME_CMD", argus_testkit::app_server::binary());
    stage.gateway.restart().await;
    stage.reads("for Ada").await;
    stage.api.wait_text("for Bob", PATIENCE).await;
    stage.turns_with("for a client", 1).await;
    // Beside it they may have been told that it waits.
    let answers =
        |said: Vec<String>| said.into_iter().filter(|text| !text.starts_with('⏳')).collect::<Vec<_>>();
    let to_bob = stage.api.sent_to(&his).into_iter().map(|sent| sent.text).collect();
    assert_eq!(answers(to_bob), ["for Bob"]);
    assert_eq!(answers(stage.said()), ["for Ada"]);
}
