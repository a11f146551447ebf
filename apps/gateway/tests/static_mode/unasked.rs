//! What is done unasked reaches agents that run already.

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

use crate::upstream::{Agent, Upstream};

#[tokio::test]
async fn a_scheduled_job_and_an_event_begin_turns_of_an_agent_that_runs_already() {
    let gateway = Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0");
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let job = json!({ "jobId": "j", "everyMs": 3_600_000, "text": "[say: done]" });
    gateway.rpc("argus/cron/add", job).await;
    gateway.rpc("argus/cron/run", json!({ "jobId": "j" })).await;
    eventually("the run is done", async || {
        let told = gateway.rpc("argus/cron/history", json!({ "jobId": "j" })).await;
        (told["result"]["runs"][0]["state"] == "done").then_some(())
    })
    .await;
    gateway.rpc("argus/systemEvent/enqueue", json!({ "text": "it rained" })).await;
    eventually("a turn took the event", async || {
        let told = gateway.rpc("argus/systemEvent/list", json!({})).await;
        (told["result"]["events"][0]["state"] == "taken").then_some(())
    })
    .await;
}
