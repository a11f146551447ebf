//! The real Codex acts on nodes: its own, which its runtime brings, and a device beside it.

use argus_testkit::device::Device;
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

/// A gateway with the real Codex as local processes, whose runtimes are nodes; `None` without a Codex.
async fn gateway(model: &ModelServer) -> Option<Gateway> {
    let gateway = Gateway::new().with_real_codex(&model.codex_config())?;
    let gateway = gateway.with("ARGUS_RUNTIME_NODE", "1").with("ARGUS_HEARTBEAT_SECONDS", "3600");
    Some(gateway.start().await)
}

/// Has the agent call a tool, and tells what it made of its answer.
async fn tool(gateway: &Gateway, name: &str, arguments: &Value) -> String {
    let mut client = gateway.client("session=default").await;
    let text = format!("[tool: {name} {arguments}]");
    let told = client.call("argus/input/enqueue", json!({ "text": text })).await;
    assert!(told["error"].is_null(), "{told}");
    client.turn().await.0
}

#[tokio::test]
async fn an_agent_runs_a_command_on_its_own_runtime_and_on_a_device() {
    let model = ModelServer::start();
    let Some(gateway) = gateway(&model).await else { return };
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    for node in ["self", "mac"] {
        let params = json!({ "argv": ["sh", "-c", "echo on-$ARGUS_TEST-$((40+2))"] });
        let told = tool(
            &gateway,
            "node_invoke",
            &json!({ "node": node, "command": "system.run", "params": params }),
        )
        .await;
        assert!(told.contains("on--42"), "{told}");
    }
    let told = tool(&gateway, "nodes_list", &json!({})).await;
    assert!(told.contains("mac") && told.contains("runtime:"), "{told}");
}

#[tokio::test]
async fn an_agent_hears_of_the_end_of_a_job_in_the_background_and_reports_it() {
    let model = ModelServer::start();
    let Some(gateway) = gateway(&model).await else { return };
    // What the job prints is what the model then says.
    let words = "sleep 0.3; echo '[say: the job is done-'$((40+2))']'";
    let params = json!({ "argv": ["sh", "-c", words], "yieldMs": 0 });
    let wish = json!({ "node": "self", "command": "system.run", "params": params });
    let told = tool(&gateway, "node_invoke", &wish).await;
    assert!(told.contains("jobId") || told.contains("job"), "{told}");
    let mut client = gateway.client("session=default").await;
    assert_eq!(client.turn().await.0, "the job is done-42");
    let asked = model.asked().pop().unwrap();
    assert!(asked.contains("A command in the background has ended."), "{asked}");
}

#[tokio::test]
async fn an_agent_adds_a_scheduled_job_that_later_fires() {
    let model = ModelServer::start();
    let Some(gateway) = gateway(&model).await else { return };
    let due = argus_gateway::clock::unix_ms() + 1500;
    let wish = json!({ "action": "add", "jobId": "later", "atMs": due, "text": "[say: it fired-42]" });
    let told = tool(&gateway, "cron", &wish).await;
    assert!(told.contains("later"), "{told}");
    eventually("it has fired", async || {
        let told = gateway.rpc("argus/cron/history", json!({ "jobId": "later" })).await;
        (told["result"]["runs"][0]["state"] == "done").then_some(())
    })
    .await;
}
