//! `POST /rpc`: strict JSON-RPC 2.0, and submissions that are made once.

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Posts a body as it is: the status, and the reply where there is one.
async fn post(gateway: &Gateway, body: impl Into<String>) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(gateway.token());
    let reply = request.body(body.into()).send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

async fn enqueue(gateway: &Gateway, params: Value) -> Value {
    let reply = gateway.rpc("argus/input/enqueue", params).await;
    assert!(reply.get("result").is_some(), "{reply}");
    reply["result"].clone()
}

async fn until_turns(gateway: &Gateway, wanted: usize) {
    eventually("the turns are there", async || (gateway.turns().len() >= wanted).then_some(())).await;
}

#[tokio::test]
async fn the_envelope_is_json_rpc_two_and_nothing_else() {
    let gateway = Gateway::new().start().await;
    let refused =
        |id: Value, code: i32| move |reply: &Value| reply["id"] == id && reply["error"]["code"] == code;
    for (body, id, code) in [
        ("{", json!(null), -32700),
        ("[]", json!(null), -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"argus/x"}]"#, json!(null), -32600),
        (r#"{"id":1,"method":"argus/x"}"#, json!(1), -32600),
        (r#"{"jsonrpc":"2.0","id":[],"method":"argus/x"}"#, json!(null), -32600),
        (r#"{"jsonrpc":"2.0","id":"a","method":"argus/x","params":[]}"#, json!("a"), -32602),
        (r#"{"jsonrpc":"2.0","id":-1.5,"method":"argus/x"}"#, json!(-1.5), -32601),
        (r#"{"jsonrpc":"2.0","id":null,"method":"argus/x"}"#, json!(null), -32601),
        (r#"{"jsonrpc":"2.0","id":2,"method":"thread/list","params":{}}"#, json!(2), -32601),
    ] {
        let (status, reply) = post(&gateway, body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(reply["jsonrpc"] == "2.0" && refused(id, code)(&reply), "{body}: {reply}");
    }
    let (_, reply) = post(&gateway, r#"{"jsonrpc":"2.0","id":3,"method":"argus/x"}"#).await;
    let error = json!({ "code": -32601, "message": "Method not found: argus/x" });
    assert_eq!(reply, json!({ "jsonrpc": "2.0", "id": 3, "error": error }));
    let (status, reply) = post(&gateway, "x".repeat((4 << 20) + 1)).await;
    assert_eq!((status, reply["detail"].is_string()), (StatusCode::PAYLOAD_TOO_LARGE, true), "{reply}");
}

#[tokio::test]
async fn so_many_callers_wait_for_a_main_thread_and_one_more_is_told_at_once() {
    let gateway = Gateway::new().with("SCRIPTED_START", "hang").start().await;
    let client = gateway.client("session=default").await;
    let mut calls: FuturesUnordered<_> =
        (0..65).map(|_| gateway.rpc("argus/thread/main/ensure", json!({}))).collect();
    let first = calls.next().await.unwrap();
    let words = format!("64 calls wait for session `{}` already; wait for a reply", client.session);
    assert_eq!(first["error"], json!({ "code": -32001, "message": words }));
    let deletion = reqwest::Client::new()
        .delete(format!("{}/sessions/{}", gateway.url(), client.session))
        .bearer_auth(gateway.token());
    assert_eq!(deletion.send().await.unwrap().status(), StatusCode::OK);
    let rest: Vec<_> = calls.map(|reply| reply["error"]["message"].clone()).collect().await;
    assert_eq!(rest, vec![json!("the session was deleted"); 64]);
}

#[tokio::test]
async fn a_blank_key_names_nothing_and_an_endless_one_is_refused() {
    let gateway = Gateway::new().start().await;
    let said = |text: &str, key: &str| json!({ "text": text, "idempotencyKey": key, "wait": false });
    let (one, two) =
        (enqueue(&gateway, said("[say: one]", "")).await, enqueue(&gateway, said("[say: two]", " ")).await);
    assert_ne!(one["submissionId"], two["submissionId"]);
    let reply = gateway.rpc("argus/input/enqueue", said("[say: three]", &"k".repeat(257))).await;
    let words = "'idempotencyKey' has 257 bytes, more than 256";
    assert_eq!(reply["error"], json!({ "code": -32602, "message": words }));
}

#[tokio::test]
async fn a_notification_is_done_and_not_answered() {
    let gateway = Gateway::new().start().await;
    let body =
        r#"{"jsonrpc":"2.0","method":"argus/input/enqueue","params":{"text":"[say: quiet]","wait":false}}"#;
    assert_eq!(post(&gateway, body).await, (StatusCode::NO_CONTENT, Value::Null));
    until_turns(&gateway, 1).await;
}

#[tokio::test]
async fn a_call_may_name_its_session_and_means_the_default_one_otherwise() {
    let gateway = Gateway::new().start().await;
    let default = gateway.client("session=default").await.session;
    let mut other = gateway.client("").await;
    let main = |session: Value| {
        let gateway = &gateway;
        async move { gateway.rpc("argus/thread/main/ensure", session).await["result"]["threadId"].clone() }
    };
    let of_default = main(json!({ "sessionId": default })).await;
    let of_other = main(json!({ "sessionId": other.session })).await;
    assert_eq!(main(json!({})).await, of_default);
    assert_ne!(of_default, of_other);
    let own = other.call("argus/thread/main/ensure", json!({ "sessionId": other.session })).await;
    assert_eq!(own["result"]["threadId"], of_other);
    let foreign = other.call("argus/thread/main/ensure", json!({ "sessionId": default })).await;
    assert_eq!(foreign["error"]["code"], -32602, "{foreign}");
    for (session, code) in [("0123456789ab", -32000), ("no id", -32602)] {
        let reply = gateway.rpc("argus/thread/main/ensure", json!({ "sessionId": session })).await;
        assert_eq!(reply["error"]["code"], code, "{reply}");
    }
}

#[tokio::test]
async fn the_same_key_again_is_the_same_submission_and_one_turn() {
    let mut gateway = Gateway::new().start().await;
    let params = json!({ "text": "[say: once]", "idempotencyKey": "k-1" });
    let first = enqueue(&gateway, params.clone()).await;
    assert_eq!(first["started"], true, "{first}");
    let again = enqueue(&gateway, params.clone()).await;
    assert_eq!((&again["submissionId"], &again["turnId"]), (&first["submissionId"], &first["turnId"]));
    // Simultaneously, over both doors, and after a restart of the gateway.
    let mut client = gateway.client("session=default").await;
    let pending = client.request("argus/input/enqueue", params.clone()).await;
    let (left, right) = tokio::join!(enqueue(&gateway, params.clone()), enqueue(&gateway, params.clone()));
    let by_client = client.reply(pending).await["result"].clone();
    gateway.kill();
    gateway.restart().await;
    let later = enqueue(&gateway, params).await;
    for one in [left, right, by_client, later] {
        assert_eq!(one["submissionId"], first["submissionId"], "{one}");
    }
    let other = enqueue(&gateway, json!({ "text": "[say: twice]", "idempotencyKey": "k-2" })).await;
    assert_ne!(other["submissionId"], first["submissionId"]);
    let said: Vec<_> = gateway.turns().iter().map(|turn| turn.text.contains("[say: once]")).collect();
    assert_eq!(said, [true, false]);
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_answered_once_it_is_durable() {
    let gateway = Gateway::new().with("SCRIPTED_START", "hang").start().await;
    let params = json!({ "text": "[say: later]", "wait": false, "idempotencyKey": "k" });
    let accepted = enqueue(&gateway, params.clone()).await;
    assert_eq!(accepted, json!({ "ok": true, "submissionId": accepted["submissionId"] }));
    assert_eq!(enqueue(&gateway, params).await, accepted);
    assert!(gateway.turns().is_empty());
}

#[tokio::test]
async fn what_comes_while_a_turn_runs_waits_in_line_and_becomes_one_turn() {
    let gateway = Gateway::new().start().await;
    let release = gateway.home().join("go");
    let first = enqueue(&gateway, json!({ "text": format!("[hold: {}]", release.display()) })).await;
    assert_eq!((&first["started"], &first["queued"]), (&json!(true), &json!(false)));
    for (text, depth) in [("one", 1), ("two", 2)] {
        let queued = enqueue(&gateway, json!({ "text": text })).await;
        let expected = json!({ "ok": true, "threadId": first["threadId"], "queued": true, "started": false,
            "followupDepth": depth, "submissionId": queued["submissionId"] });
        assert_eq!(queued, expected);
    }
    std::fs::write(release, "").unwrap();
    until_turns(&gateway, 2).await;
    let text = gateway.turns()[1].text.clone();
    assert!(text.contains("Follow-ups (batched):\n1) one\n2) two"), "{text}");
}
