//! One call of a command, from who asks to the node and back.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{audit, invoke, invoke_as, node, noted, token};

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
    let token = token(&gateway, "node:old").await;
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
        old.drain(Duration::from_millis(100)).await.is_empty(),
        "neither a cancel nor an acknowledgement"
    );
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ended_on_the_node_and_its_job_is_named() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    let wish = json!({ "node": "mac", "command": "system.run", "timeoutMs": 100 });
    // The node ends it in time: its own words count.
    let asked = invoke(&gateway, wish.clone());
    let call = mac.call().await;
    mac.tell("node.invoke.job", json!({ "id": call["id"], "jobId": "j1" })).await;
    assert_eq!(mac.event("node.invoke.cancel").await, json!({ "id": call["id"], "reason": "TIMEOUT" }));
    mac.fail(&call, "TIMEOUT", "it was ended").await;
    let fault = json!({ "code": "TIMEOUT", "message": "it was ended", "jobId": "j1" });
    assert_eq!(asked.await.unwrap().1["error"], fault);
    // It does not: the gateway says so, with what it knows.
    let asked = invoke(&gateway, wish);
    let call = mac.call().await;
    mac.tell("node.invoke.job", json!({ "id": call["id"], "jobId": "j2" })).await;
    let fault = json!({ "code": "TIMEOUT", "message": "no answer within 100 ms", "jobId": "j2" });
    assert_eq!(asked.await.unwrap().1["error"], fault);
    // What comes after that is not acknowledged: the end of its job will be told.
    mac.answer(&call, json!(1)).await;
    let after = mac.drain(Duration::from_millis(100)).await;
    assert!(after.iter().all(|frame| frame["event"] == "node.invoke.cancel"), "{after:?}");
}

#[tokio::test]
async fn the_time_of_a_call_begins_with_the_yes_that_it_waits_for() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run", "timeoutMs": 400 }));
    let call = mac.call().await;
    mac.tell("node.invoke.waiting", json!({ "id": call["id"], "ms": 30_000 })).await;
    assert!(mac.drain(Duration::from_millis(900)).await.is_empty(), "it is not ended while it waits");
    mac.tell("node.invoke.waiting", json!({ "id": call["id"], "ms": 0 })).await;
    mac.answer(&call, json!("done")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "done");
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run", "timeoutMs": 100 }));
    let call = mac.call().await;
    mac.tell("node.invoke.waiting", json!({ "id": call["id"], "ms": 30_000 })).await;
    mac.tell("node.invoke.waiting", json!({ "id": call["id"], "ms": 0 })).await;
    assert_eq!(mac.event("node.invoke.cancel").await["reason"], "TIMEOUT");
    mac.fail(&call, "TIMEOUT", "ended").await;
    assert_eq!(asked.await.unwrap().1["error"]["code"], "TIMEOUT");
}

#[tokio::test]
async fn who_does_not_wait_any_more_has_the_call_ended_on_the_node() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.tell("node.invoke.job", json!({ "id": call["id"], "jobId": "j1" })).await;
    // It was read: what follows it is.
    let other = invoke(&gateway, json!({ "node": "mac", "command": "system.which" }));
    let request = mac.call().await;
    mac.answer(&request, json!(1)).await;
    other.await.unwrap();
    asked.abort();
    assert_eq!(mac.event("node.invoke.cancel").await, json!({ "id": call["id"], "reason": "CANCELLED" }));
    let line = eventually("it is noted", async || {
        noted(&gateway, "calls.log").into_iter().find(|line| line["subject"] == "mac system.run")
    });
    let line = line.await;
    let expected = json!({ "at": line["at"], "who": "operator", "act": "node invoked",
        "subject": "mac system.run", "outcome": "CANCELLED job j1" });
    assert_eq!(line, expected);
    // Whoever calls much pushes nothing else out.
    assert!(audit(&gateway).iter().all(|line| line["act"] != "node invoked"));
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_what_can() {
    let gateway = Gateway::new().start().await;
    let _nodes = [node(&gateway, "mac").await, node(&gateway, "pi").await];
    let default = gateway.client("session=default").await.session;
    let long = "x".repeat(1 << 20);
    for (wish, status, code, words) in [
        (
            json!({ "node": "nas", "command": "a" }),
            404,
            "",
            "there is no node `nas` here; there is `self`, `mac` (The mac), `pi` (The pi)",
        ),
        (json!({ "command": "a" }), 400, "", "Missing 'node'"),
        (json!({ "node": " ", "command": "a" }), 400, "", "Missing 'node'"),
        (json!({ "node": "mac" }), 400, "", "the body is not what this route takes: missing field `command`"),
        (
            json!({ "node": 7, "command": "a" }),
            400,
            "",
            "the body is not what this route takes: invalid type: integer `7`, expected a string",
        ),
        (
            json!({ "node": "mac", "command": "a", "timeoutMs": "9" }),
            400,
            "",
            "the body is not what this route takes: invalid type: string",
        ),
        (
            json!({ "node": "mac", "command": "a", "timeoutMs": 0 }),
            400,
            "",
            "`timeoutMs` must be 1 to 3600000, got 0",
        ),
        (
            json!({ "node": "mac", "command": "a", "timeoutMs": 3_600_001 }),
            400,
            "",
            "`timeoutMs` must be 1 to 3600000, got 3600001",
        ),
        (
            json!({ "node": "mac", "command": "a", "sessionId": "nobody" }),
            404,
            "",
            "Unknown session `nobody`",
        ),
        (json!([]), 400, "", "the body is not what this route takes: expected an object"),
        (
            json!({ "node": "mac", "command": "fs.read" }),
            200,
            "UNSUPPORTED",
            "the node `mac` does not take `fs.read`; it takes `system.run`, `system.which`",
        ),
        (json!({ "node": "mac", "command": "" }), 200, "BAD_INPUT", "`command` takes 1 to 128 bytes"),
        (
            json!({ "node": "mac", "command": "system.run", "idempotencyKey": "k".repeat(129) }),
            200,
            "BAD_INPUT",
            "`idempotencyKey` takes 1 to 128 bytes",
        ),
        (
            json!({ "node": "mac", "command": "system.run", "params": { "x": long } }),
            200,
            "BAD_PARAMS",
            "the parameters are longer than 1048576 bytes",
        ),
        (
            json!({ "node": "self", "command": "system.run" }),
            200,
            "NOT_CONNECTED",
            &format!("the node `runtime:{default}` is not connected"),
        ),
    ] {
        let (got, told) = invoke(&gateway, wish.clone()).await.unwrap();
        let said = if code.is_empty() { &told["detail"] } else { &told["error"]["message"] };
        let short: String = wish.to_string().chars().take(80).collect();
        assert_eq!(
            (got.as_u16(), said.as_str().is_some_and(|said| said.starts_with(words))),
            (status, true),
            "{short}: {told}"
        );
        assert_eq!(told["error"]["code"].as_str().unwrap_or_default(), code, "{short}: {told}");
    }
}

#[tokio::test]
async fn one_node_does_so_much_at_once_and_another_is_not_held_up() {
    let gateway = Gateway::new().start().await;
    let (mut mac, mut pi) = (node(&gateway, "mac").await, node(&gateway, "pi").await);
    let run = |node: &str| json!({ "node": node, "command": "system.run" });
    let mut under_way = Vec::new();
    for _ in 0..32 {
        under_way.push((invoke(&gateway, run("mac")), mac.call().await));
    }
    let (_, told) = invoke(&gateway, run("mac")).await.unwrap();
    let words = "the node `mac` has 32 calls under way already; wait for one of them";
    assert_eq!(told["error"], json!({ "code": "BUSY", "message": words }));
    let asked = invoke(&gateway, run("pi"));
    let call = pi.call().await;
    pi.answer(&call, json!("pi")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "pi");
    // In whatever order they are answered, each gets its own.
    for (number, (_, call)) in under_way.iter().enumerate().rev() {
        mac.answer(call, json!(number)).await;
    }
    for (number, (asked, _)) in under_way.into_iter().enumerate() {
        assert_eq!(asked.await.unwrap().1["payload"], json!(number));
    }
}

#[tokio::test]
async fn a_large_result_comes_in_parts_and_is_whole() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    let text = "zeile ä€😀\n".repeat(600_000);
    let result = json!({ "id": call["id"], "nodeId": "mac", "ok": true, "payload": { "stdout": text } });
    let frame = json!({ "type": "event", "event": "node.invoke.result", "payload": result }).to_string();
    mac.send_parts(&call, &frame).await;
    assert_eq!(mac.event("node.invoke.ack").await["id"], call["id"]);
    let (_, told) = asked.await.unwrap();
    assert!(told["payload"]["stdout"] == text, "all of it came");
}

#[tokio::test]
async fn keys_of_one_session_are_not_anothers_and_a_session_names_itself_with_a_ticket() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    let mut mac = node(&gateway, "mac").await;
    let tokens =
        [token(&gateway, &format!("client:{one}")).await, token(&gateway, &format!("client:{two}")).await];
    let mut calls: Vec<Value> = Vec::new();
    for token in [&tokens[0], &tokens[0], &tokens[1], &gateway.token()] {
        let asked = invoke_as(
            &gateway,
            token,
            json!({ "node": "mac", "command": "system.run", "idempotencyKey": "k" }),
        );
        let call = mac.call().await;
        mac.answer(&call, json!(null)).await;
        asked.await.unwrap();
        calls.push(call);
    }
    let of = |name: &str| calls.iter().map(|call| call[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("sessionId"), [json!(one), json!(one), json!(two), json!(null)]);
    let (keys, tickets) = (of("idempotencyKey"), of("ticket"));
    assert_eq!((keys[0] == keys[1], keys[1] == keys[2], keys[2] == keys[3]), (true, false, false));
    assert_eq!(
        (tickets[0] == tickets[1], tickets[1] == tickets[2], &tickets[3]),
        (true, false, &json!(null))
    );
    // Nobody speaks for another session.
    let wish = json!({ "node": "mac", "command": "system.run", "sessionId": two });
    assert_eq!(invoke_as(&gateway, &tokens[0], wish).await.unwrap().0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn self_is_the_runtime_of_who_asks_and_no_session_sees_anothers() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    let (own, others) = (format!("runtime:{one}"), format!("runtime:{two}"));
    let (mut first, mut second) = (node(&gateway, &own).await, node(&gateway, &others).await);
    let tokens =
        [token(&gateway, &format!("client:{one}")).await, token(&gateway, &format!("client:{two}")).await];
    let run = json!({ "node": "self", "command": "system.run" });
    for (token, node, id) in [(&tokens[0], &mut first, &own), (&tokens[1], &mut second, &others)] {
        let asked = invoke_as(&gateway, token, run.clone());
        let call = node.call().await;
        node.answer(&call, json!(1)).await;
        assert_eq!(asked.await.unwrap().1["nodeId"], id.as_str());
        assert_eq!(super::listed(&gateway, token).await.join(" "), **id);
    }
    let asked = invoke(&gateway, run.clone());
    let call = first.call().await;
    first.answer(&call, json!(1)).await;
    assert_eq!(
        asked.await.unwrap().1["nodeId"],
        own.as_str(),
        "the operator's self is the default session's"
    );
    let wish = json!({ "node": others, "command": "system.run" });
    assert_eq!(invoke_as(&gateway, &tokens[0], wish).await.unwrap().0, StatusCode::NOT_FOUND);
    for scope in [format!("mcp:{one}"), "node:mac".to_owned()] {
        let token = token(&gateway, &scope).await;
        assert_eq!(invoke_as(&gateway, &token, run.clone()).await.unwrap().0, StatusCode::FORBIDDEN);
    }
}
