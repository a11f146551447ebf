//! Commands on nodes: whose node is meant, what comes back, and how a call is cancelled.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::PATIENCE;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::caller::{Caller, text_of, token_for};

/// The machine of a session.
async fn runtime(gateway: &Gateway, session: &str) -> Node {
    let reply =
        gateway.rpc("argus/token/create", json!({ "scope": format!("node:runtime:{session}") })).await;
    let token = reply["result"]["token"].as_str().unwrap();
    Node::usual(gateway.url(), token, &format!("runtime:{session}"), "boot-1").await
}

/// A gateway, its default session's machine, and who speaks for that session.
async fn started() -> (Gateway, Node, Caller, String) {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let node = runtime(&gateway, &own).await;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    (gateway, node, caller, own)
}

/// A call on its way.
fn asked(caller: &Caller, arguments: Value) -> tokio::task::JoinHandle<Value> {
    let caller = caller.clone();
    tokio::spawn(async move { caller.tool("node_invoke", arguments).await })
}

#[tokio::test]
async fn a_command_on_ones_own_machine_is_told_for_models_and_for_programs() {
    let (_gateway, mut node, caller, own) = started().await;
    for named in [json!(null), json!("self"), json!("SELF"), json!(format!("runtime:{own}"))] {
        let arguments = json!({ "node": named, "command": "system.run", "params": { "argv": ["ls"] }, "idempotencyKey": "k" });
        let result = asked(&caller, arguments);
        let call = node.call().await;
        assert_eq!(
            (&call["command"], &call["paramsJSON"], &call["timeoutMs"]),
            (&json!("system.run"), &json!(r#"{"argv":["ls"]}"#), &json!(30_000))
        );
        assert_eq!((&call["sessionId"], call["idempotencyKey"].is_string()), (&json!(own), true), "{call}");
        let payload = json!({ "jobId": "j", "running": false, "exitCode": 0, "stdout": "a\nb\n", "stderr": "", "stdoutBytes": 4, "stderrBytes": 0 });
        node.answer(&call, payload.clone()).await;
        let result = result.await.unwrap();
        assert_eq!(text_of(&result), "exit code 0 (job `j`)\n[stdout]\na\nb\n");
        let structured = json!({ "ok": true, "nodeId": format!("runtime:{own}"), "command": "system.run", "payload": payload });
        assert_eq!((&result["structuredContent"], &result["isError"]), (&structured, &json!(false)));
    }
    let list = caller.tool("nodes_list", json!({})).await;
    assert_eq!(list["structuredContent"]["nodes"][0]["nodeId"], format!("runtime:{own}"));
    let text = text_of(&list);
    assert!(
        text.contains(&format!("`runtime:{own}` (`self`)"))
            && text.contains("takes: system.run, system.which"),
        "{text}"
    );
}

#[tokio::test]
async fn self_is_the_machine_of_the_caller_and_that_of_another_session_is_not_there() {
    let (gateway, mut node, caller, own) = started().await;
    let other = gateway.client("").await.session;
    assert_ne!(own, other);
    let mut others = runtime(&gateway, &other).await;
    let theirs = Caller::initialized(&gateway, &token_for(&gateway, &other).await).await;
    let result = asked(&theirs, json!({ "command": "system.which", "params": { "bin": "git" } }));
    let call = others.call().await;
    others.answer(&call, json!({ "bin": "git", "path": "/bin/git" })).await;
    assert_eq!(text_of(&result.await.unwrap()), "`git` is /bin/git");

    for named in [format!("runtime:{other}"), format!("The runtime:{other}")] {
        let error = caller.error("node_invoke", json!({ "node": named, "command": "system.run" })).await;
        assert_eq!(error["code"], "NODE_NOT_FOUND", "{error}");
    }
    assert!(!caller.text("nodes_list", json!({})).await.contains(&other));
    let forbidden = caller.error("node_invoke", json!({ "command": "system.run", "sessionId": other })).await;
    assert_eq!(forbidden["code"], "FORBIDDEN", "{forbidden}");

    // The operator may speak for either, and is the default session's where they name none.
    let operator = Caller::initialized(&gateway, &gateway.token()).await;
    let result = asked(&operator, json!({ "command": "system.run", "sessionId": other }));
    let call = others.call().await;
    assert_eq!(call["sessionId"], other);
    others.answer(&call, json!({})).await;
    result.await.unwrap();
    let result = asked(&operator, json!({ "command": "system.run" }));
    let call = node.call().await;
    node.answer(&call, json!({})).await;
    result.await.unwrap();
}

#[tokio::test]
async fn what_failed_is_read_by_the_model_and_never_null() {
    let (_gateway, mut node, caller, own) = started().await;
    let result = asked(&caller, json!({ "command": "system.run", "params": { "argv": ["nope"] } }));
    let call = node.call().await;
    node.fail(&call, "SPAWN_FAILED", "the program `nope` is not there").await;
    let result = result.await.unwrap();
    assert_eq!(result["isError"], true);
    assert_eq!(text_of(&result), "SPAWN_FAILED: the program `nope` is not there");
    let structured = json!({ "ok": false, "nodeId": format!("runtime:{own}"), "command": "system.run",
        "error": { "code": "SPAWN_FAILED", "message": "the program `nope` is not there" } });
    assert_eq!(result["structuredContent"], structured);

    let unsupported = caller.tool("node_invoke", json!({ "command": "screen.capture" })).await;
    assert!(text_of(&unsupported).starts_with("UNSUPPORTED: "), "{unsupported}");
    drop(node);
    let gone = argus_testkit::programs::eventually("the machine is gone", async || {
        let result = caller.tool("node_invoke", json!({ "command": "system.run" })).await;
        (result["structuredContent"]["error"]["code"] == "NOT_CONNECTED").then(|| text_of(&result))
    });
    assert!(gone.await.contains("What to do: nodes_list tells which nodes there are"));
    assert!(caller.text("nodes_list", json!({})).await.starts_with("No node is connected."));
}

#[tokio::test]
async fn a_picture_is_shown_as_one() {
    let (_gateway, mut node, caller, _) = started().await;
    let result = asked(&caller, json!({ "command": "system.run" }));
    let call = node.call().await;
    node.answer(&call, json!({ "mime": "image/png", "base64": "iVBORw0KGgo=", "bytes": 8 })).await;
    let result = result.await.unwrap();
    assert_eq!(
        result["content"][1],
        json!({ "type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png" })
    );
}

#[tokio::test]
async fn a_cancelled_call_is_ended_on_its_node_and_a_dropped_connection_ends_nothing() {
    let (_gateway, mut node, caller, _) = started().await;
    let message = |id: u64| {
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": { "name": "node_invoke", "arguments": { "command": "system.run" } } })
    };
    let dropped = caller.clone();
    let request = tokio::spawn(async move { dropped.post(&message(1)).await });
    let first = node.call().await;
    request.abort();
    let waiting = caller.clone();
    let request = tokio::spawn(async move { waiting.post(&message(2)).await });
    let second = node.call().await;
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 2, "reason": "enough" } });
    assert_eq!(caller.post(&cancelled).await.status, 202);
    // The first thing that is said to the node is about the second call: nothing was said about the first.
    let cancel = node.event("node.invoke.cancel").await;
    assert_eq!((&cancel["id"], &cancel["reason"]), (&second["id"], &json!("CANCELLED")));
    node.fail(&second, "CANCELLED", "it was ended").await;
    assert!(
        timeout(PATIENCE, request).await.unwrap().unwrap().events().is_empty(),
        "a cancelled call has no answer"
    );
    node.answer(&first, json!({ "jobId": "j" })).await;
    assert_eq!(node.event("node.invoke.ack").await["id"], second["id"]);
    assert_eq!(node.event("node.invoke.ack").await["id"], first["id"]);
}

#[tokio::test]
async fn who_wants_to_hear_of_a_long_call_is_told_that_it_goes_on() {
    let (_gateway, mut node, caller, _) = started().await;
    let message = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        "name": "node_invoke", "arguments": { "command": "system.run", "timeoutMs": 60_000 }, "_meta": { "progressToken": "p" } } });
    let asking = caller.clone();
    let mut response = asking.request(reqwest::Method::POST).json(&message).send().await.unwrap();
    let call = node.call().await;
    let mut seen = String::new();
    let progress = timeout(Duration::from_mins(1), async {
        while let Some(chunk) = response.chunk().await.unwrap() {
            seen.push_str(std::str::from_utf8(&chunk).unwrap());
            if let Some(line) = seen.lines().find(|line| line.contains("notifications/progress")) {
                return serde_json::from_str::<Value>(line.trim_start_matches("data:")).unwrap();
            }
        }
        panic!("it ended without a word: {seen}");
    });
    let progress = progress.await.expect("word after ten seconds");
    assert_eq!(
        (&progress["params"]["progressToken"], &progress["params"]["total"]),
        (&json!("p"), &json!(60.0))
    );
    assert!(progress["params"]["message"].as_str().unwrap().contains("`system.run` goes on"), "{progress}");
    node.answer(&call, json!({ "jobId": "j" })).await;
    let rest = response.text().await.unwrap();
    assert!(rest.contains(r#""id":5"#), "{rest}");
}

#[tokio::test]
async fn so_many_calls_are_under_way_in_one_session_at_once() {
    let (gateway, mut node, _, own) = started().await;
    // Each call has a connection of its own.
    let wish = json!({ "scope": format!("mcp:{own}"), "maxConnections": 100 });
    let token = gateway.rpc("argus/token/create", wish).await["result"]["token"].as_str().unwrap().to_owned();
    let caller = Caller::initialized(&gateway, &token).await;
    let waiting: Vec<_> = (0..32).map(|_| asked(&caller, json!({ "command": "system.run" }))).collect();
    let mut calls = Vec::new();
    for _ in 0..32 {
        calls.push(node.call().await);
    }
    let error = caller.error("nodes_list", json!({})).await;
    assert_eq!(error["code"], "BUSY");
    assert!(
        error["message"].as_str().unwrap().starts_with("32 calls are under way in this MCP session"),
        "{error}"
    );
    for call in &calls {
        node.answer(call, json!({})).await;
    }
    for result in waiting {
        assert_eq!(timeout(PATIENCE, result).await.unwrap().unwrap()["isError"], false);
    }
    assert_eq!(caller.tool("nodes_list", json!({})).await["isError"], false);
}
