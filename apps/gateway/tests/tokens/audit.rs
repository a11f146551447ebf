//! What is noted of tokens, and what is nowhere to be found.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, because, call, client_token, closed, default_session, token};

/// The lines of the audit.
fn audit(gateway: &Gateway) -> Vec<Value> {
    let text = std::fs::read_to_string(gateway.home().join("gateway/audit.log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[tokio::test]
async fn every_privileged_act_is_noted_before_it_is_answered() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Gateway::new().start().await;
    let (secret, session) = client_token(&gateway).await;
    let id = audit(&gateway)[0]["subject"].as_str().unwrap()[..16].to_owned();
    let who = format!("token:{id}");
    // Of each: what is done, and the line that is there when it is answered.
    call(&gateway, &secret, "argus/token/list", json!({})).await;
    closed(&gateway, "session=default", &secret).await;
    ask(&gateway, "wrong", Method::GET, "/sessions").await;
    gateway.rpc("argus/pairing/code", json!({})).await;
    gateway.rpc("argus/token/revoke", json!({ "id": id })).await;
    closed(&gateway, "", &secret).await;
    gateway.rpc("argus/token/rotate", json!({ "what": "key" })).await;
    gateway.rpc("argus/token/rotate", json!({ "what": "operator" })).await;
    ask(&gateway, &gateway.token(), Method::DELETE, &format!("/sessions/{session}")).await;
    let told = |line: &Value| {
        assert!(line["at"].is_u64() && line["from"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (text("who"), text("act"), text("subject"), text("outcome"))
    };
    let lines: Vec<_> = audit(&gateway).iter().map(told).collect();
    let created = format!("{id} client:{session}");
    let expected = [
        ("operator", "token created", &*created, "done"),
        (&*who, "refused", "argus/token/list", "the token is for something else"),
        (&*who, "refused", "/ws", "the token is for another session"),
        ("nobody known", "refused", "a token", "it is wrong"),
        ("operator", "pairing code shown", "", "done"),
        ("operator", "token revoked", &*id, "done"),
        ("nobody known", "refused", "a token", "the token was revoked"),
        ("operator", "token rotated", "key", "done: 0 tokens ended"),
        ("operator", "token rotated", "operator", "done"),
        ("operator", "session deleted", &*session, "done"),
    ];
    let expected = expected.map(|(who, act, subject, outcome)| {
        (who.to_owned(), act.to_owned(), subject.to_owned(), outcome.to_owned())
    });
    assert_eq!(lines, expected);
    let file = gateway.home().join("gateway/audit.log");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(gateway.log().contains("\"act\":\"token rotated\""), "the log has it too");
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_does_not_fill_the_audit() {
    let gateway = Gateway::new().start().await;
    for _ in 0..60 {
        ask(&gateway, "wrong", Method::GET, "/healthz").await;
    }
    gateway.rpc("argus/pairing/code", json!({})).await;
    let lines = audit(&gateway);
    let refusals = lines.iter().filter(|line| line["act"] == "refused").count();
    assert!((20..30).contains(&refusals), "{refusals}");
    assert_eq!(lines.last().unwrap()["act"], "pairing code shown");
}

#[tokio::test]
async fn without_its_line_in_the_audit_no_token_is_given_out_and_one_is_ended_all_the_same() {
    let gateway = Gateway::new().start().await;
    default_session(&gateway).await;
    let (secret, id) = token(&gateway, json!({ "scope": "client:default" })).await;
    let file = gateway.home().join("gateway/audit.log");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    for (method, params) in
        [("argus/token/create", json!({ "scope": "operator" })), ("argus/pairing/code", json!({}))]
    {
        let reply = gateway.rpc(method, params).await;
        assert_eq!(reply["error"]["code"], -32000, "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains("the audit cannot be written"));
    }
    let listed = gateway.rpc("argus/token/list", json!({})).await;
    let valid = |one: &&Value| one["state"] == "valid";
    assert_eq!(listed["result"]["tokens"].as_array().unwrap().iter().filter(valid).count(), 1);
    assert_eq!(gateway.rpc("argus/token/revoke", json!({ "id": id })).await["result"]["ok"], true);
    assert_eq!(closed(&gateway, "", &secret).await, because("the token was revoked"));
}

#[tokio::test]
async fn an_answer_to_a_question_of_the_agent_is_noted() {
    let gateway = Gateway::new().start().await;
    default_session(&gateway).await;
    let (secret, id) = token(&gateway, json!({ "scope": "client:default" })).await;
    let mut client = Client::connect(gateway.url(), "", &secret).await;
    client.initialize().await;
    client.call("argus/input/enqueue", json!({ "text": "[approve: rm -rf x][say: done]" })).await;
    let question = client.server_request().await;
    client.send_text(&json!({ "id": question["id"], "result": { "decision": "accept" } }).to_string()).await;
    client.turn().await;
    let noted = eventually("the answer is noted", async || {
        audit(&gateway).into_iter().find(|line| line["act"] == "question answered")
    })
    .await;
    let expected = format!("{} {}", client.session, question["id"].as_str().unwrap());
    assert_eq!((&noted["who"], &noted["subject"]), (&json!(format!("token:{id}")), &json!(expected)));
    assert_eq!(noted["outcome"], "accept");
}

#[tokio::test]
async fn no_made_token_reaches_the_log_the_audit_or_the_disk() {
    let mut gateway = Gateway::new().with("ARGUS_LOG", "trace").start().await;
    let session = default_session(&gateway).await;
    let mut operator = gateway.client("session=default").await;
    let made = operator.call("argus/token/create", json!({ "scope": "client:default" })).await;
    let first = made["result"]["token"].as_str().unwrap().to_owned();
    let (second, id) = token(&gateway, json!({ "scope": "client:default", "ttlSeconds": 60 })).await;
    let (own, other) = (gateway.token(), json!({ "sessionId": "x" }));
    for secret in [&first, &second] {
        let mut client = Client::open(gateway.url(), &format!("token={secret}"), secret).await.unwrap();
        client.notification("argus/session").await;
        client.call("argus/token/list", json!({})).await;
        closed(&gateway, "session=nowhere", secret).await;
        call(&gateway, secret, "argus/thread/main/ensure", other.clone()).await;
        ask(&gateway, "", Method::GET, &format!("/sessions/{session}?token={secret}")).await;
    }
    gateway.rpc("argus/token/revoke", json!({ "id": id })).await;
    closed(&gateway, "", &second).await;
    gateway.rpc("argus/token/rotate", json!({ "what": "operator" })).await;
    let secrets = [first.clone(), second.clone(), own, gateway.token()];
    gateway.stop().await;
    let text = |path: &std::path::Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    assert!(gateway.log().contains("the gateway stops"));
    for file in std::fs::read_dir(gateway.home().join("gateway")).unwrap() {
        let path = file.unwrap().path();
        let (held, name) = (text(&path), path.file_name().unwrap().to_string_lossy().into_owned());
        for secret in secrets.iter().filter(|_| name != "token") {
            let signature = secret.rsplit('.').next().unwrap();
            assert!(!held.contains(signature), "a token is in {name}");
        }
    }
    for secret in &secrets {
        assert!(!gateway.log().contains(secret.rsplit('.').next().unwrap()), "a token is in the log");
    }
}
