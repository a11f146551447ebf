//! A bounded number of runtimes: who gives way, who waits, who is told.

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

const BRIDGE: &str = "argus-runtime-b";

/// How many bridges live.
async fn bridges(gateway: &Gateway, wanted: usize) {
    eventually(&format!("{wanted} bridges live"), async || {
        (gateway.processes(BRIDGE).len() == wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_idle_runtime_gives_way_to_a_session_that_needs_one() {
    let gateway = Gateway::new().with("ARGUS_MAX_RUNTIMES", "1").start().await;
    let mut first = gateway.client("").await;
    first.initialize().await;
    let mut second = gateway.client("").await;
    second.call("argus/input/enqueue", json!({ "text": "[say: second]" })).await;
    assert_eq!(second.turn().await, ("second".to_owned(), "completed".to_owned()));
    bridges(&gateway, 1).await;
    // The first one wakes when it is needed, and the other gives way.
    first.call("argus/input/enqueue", json!({ "text": "[say: first]" })).await;
    assert_eq!(first.turn().await, ("first".to_owned(), "completed".to_owned()));
    bridges(&gateway, 1).await;
}

#[tokio::test]
async fn while_all_are_at_work_clients_are_told_their_place_and_messages_wait() {
    let gateway = Gateway::new().with("ARGUS_MAX_RUNTIMES", "1").start().await;
    let hold = gateway.home().join("hold");
    let mut first = gateway.client("").await;
    first
        .call("argus/input/enqueue", json!({ "text": format!("[say: done] [hold: {}]", hold.display()) }))
        .await;
    let mut second = gateway.client("").await;
    let asked = json!({ "text": "[say: at last]" });
    let queued = second.call("argus/input/enqueue", asked).await;
    assert_eq!(queued["result"]["queued"], true, "{queued}");
    let refused = second.call("initialize", json!({ "clientInfo": { "name": "t", "version": "1" } })).await;
    let words = format!(
        "every runtime is in use (ARGUS_MAX_RUNTIMES is 1); session `{}` is number 1 in line",
        second.session
    );
    assert_eq!(refused["error"]["message"], words, "{refused}");
    std::fs::write(hold, "").unwrap();
    assert_eq!(first.turn().await, ("done".to_owned(), "completed".to_owned()));
    assert_eq!(second.turn().await, ("at last".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn runtimes_that_outlived_the_gateway_are_adopted_and_stopped_when_idle() {
    let mut gateway = Gateway::new().start().await;
    let mut client = gateway.client("").await;
    client.initialize().await;
    drop(client);
    gateway.kill();
    assert_eq!(gateway.processes(BRIDGE).len(), 1);
    gateway.set("ARGUS_SESSION_IDLE_STOP", "0.05");
    gateway.restart().await;
    bridges(&gateway, 0).await;
}
