//! One call of a command, from who asks to the node and back.

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use reqwest::StatusCode;
use serde_json::json;

use super::{invoke, node, node_token};

#[tokio::test]
async fn a_command_is_done_on_a_node_and_what_came_of_it_is_told_and_acknowledged() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    let asked = invoke(
        &gateway,
        json!({ "node": "the MAC", "command": "system.which", "params": { "bin": "git" }, "timeoutMs": 9000 }),
    );
    let call = mac.call().await;
    let expected = json!({
        "id": call["id"], "nodeId": "mac", "command": "system.which", "paramsJSON": "{\"bin\":\"git\"}",
        "timeoutMs": 9000,
    });
    assert_eq!(call, expected);
    mac.answer(&call, json!({ "bin": "git", "path": "/usr/bin/git" })).await;
    assert_eq!(mac.event("node.invoke.ack").await, json!({ "id": call["id"] }));
    let told = json!({
        "ok": true, "nodeId": "mac", "command": "system.which",
        "payload": { "bin": "git", "path": "/usr/bin/git" }, "error": null,
    });
    assert_eq!(asked.await.unwrap(), (StatusCode::OK, told));

    let asked = invoke(&gateway, json!({ "nodeId": "mac", "command": "system.run" }));
    let call = mac.call().await;
    assert_eq!((&call["paramsJSON"], &call["timeoutMs"]), (&json!(null), &json!(30_000)));
    mac.fail(&call, "SPAWN_FAILED", "no such program").await;
    let told = json!({
        "ok": false, "nodeId": "mac", "command": "system.run", "payload": null,
        "error": { "code": "SPAWN_FAILED", "message": "no such program" },
    });
    assert_eq!(asked.await.unwrap(), (StatusCode::OK, told));
}

#[tokio::test]
async fn a_node_of_the_reference_is_sent_nothing_that_it_does_not_know() {
    let gateway = Gateway::new().start().await;
    let token = node_token(&gateway, "old").await;
    let mut old = Node::of_the_reference(gateway.url(), &token, "old").await;
    let asked = invoke(&gateway, json!({ "node": "old", "command": "system.run", "idempotencyKey": "k" }));
    let call = old.call().await;
    let names: Vec<_> = call.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["command", "id", "nodeId", "paramsJSON", "timeoutMs"]);
    let text = r#"{"jobId":"j1","stdout":"ä"}"#;
    let result = json!({ "id": call["id"], "nodeId": "old", "ok": true, "payload": null, "payloadJSON": text, "error": null });
    old.tell("node.invoke.result", result).await;
    let (status, told) = asked.await.unwrap();
    assert_eq!((status, &told["payload"]), (StatusCode::OK, &json!({ "jobId": "j1", "stdout": "ä" })));
    let late = invoke(&gateway, json!({ "node": "old", "command": "system.run", "timeoutMs": 50 }));
    let call = old.call().await;
    let (_, told) = late.await.unwrap();
    assert_eq!(told["error"]["code"], "TIMEOUT", "{told}");
    old.answer(&call, json!(1)).await;
    assert!(
        old.drain(std::time::Duration::from_millis(100)).await.is_empty(),
        "neither a cancel nor an acknowledgement"
    );
}
