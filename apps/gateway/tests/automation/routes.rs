//! What is done unasked over HTTP: for whom a route is, and which session it means.

use argus_testkit::gateway::Gateway;
use reqwest::Method;
use serde_json::{Value, json};

/// One call of a route: the status and the body.
async fn call(gateway: &Gateway, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let method: Method = method.parse().expect("a method");
    let request = reqwest::Client::new().request(method, format!("{}{path}", gateway.url()));
    let request = request.bearer_auth(token);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    let reply = request.send().await.expect("the gateway answers");
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

/// A gateway with its default session, and a token for just that.
async fn started() -> (Gateway, String, String) {
    let gateway = Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0").start().await;
    let session = gateway.client("session=default").await.session;
    let made = gateway.rpc("argus/token/create", json!({ "scope": "client:default" })).await;
    let token = made["result"]["token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (gateway, session, token)
}

#[tokio::test]
async fn a_session_is_named_in_the_query_and_where_there_is_a_body_in_that() {
    let (gateway, default, token) = started().await;
    let other = gateway.client("").await.session;
    let operator = gateway.token();
    let jobs = "/automation/cron/jobs";
    let job = |id: &str| json!({ "jobId": id, "expr": "@daily", "text": "x", "sessionId": other });
    let (_, added) = call(&gateway, &operator, "POST", jobs, job("a")).await;
    assert_eq!(added["sessionId"], json!(other));
    let (_, listed) =
        call(&gateway, &operator, "GET", &format!("{jobs}?sessionId={other}"), Value::Null).await;
    assert_eq!(listed["jobs"][0]["jobId"], "a", "{listed}");
    let (_, listed) = call(&gateway, &operator, "GET", jobs, Value::Null).await;
    assert_eq!((&listed["sessionId"], &listed["jobs"]), (&json!(default), &json!([])));
    for (path, answer) in [
        ("/automation/pause", json!({ "ok": true, "sessionId": other, "paused": true })),
        ("/automation/resume", json!({ "ok": true, "sessionId": other, "paused": false })),
        ("/automation/heartbeat/now", json!({ "ok": true, "sessionId": other })),
    ] {
        let named = json!({ "sessionId": other });
        assert_eq!(call(&gateway, &operator, "POST", path, named).await, (200, answer), "{path}");
    }
    // A token for one session opens no other one, however it is named.
    assert_eq!(call(&gateway, &token, "POST", jobs, job("b")).await.0, 403);
    assert_eq!(call(&gateway, &token, "GET", &format!("{jobs}?sessionId={other}"), Value::Null).await.0, 403);
}

#[tokio::test]
async fn what_is_not_about_jobs_is_for_operators() {
    let (gateway, _, token) = started().await;
    for (method, path) in [
        ("GET", "/automation/state"),
        ("GET", "/automation/events"),
        ("GET", "/automation/heartbeat"),
        ("POST", "/automation/heartbeat/now"),
        ("POST", "/automation/pause"),
        ("POST", "/automation/resume"),
        ("POST", "/automation/systemEvent/enqueue"),
    ] {
        let body = if method == "POST" { json!({ "text": "x" }) } else { Value::Null };
        assert_eq!(call(&gateway, &token, method, path, body.clone()).await.0, 403, "{path}");
        assert_eq!(call(&gateway, "wrong", method, path, body.clone()).await.0, 401, "{path}");
        assert_eq!(call(&gateway, &gateway.token(), method, path, body).await.0, 200, "{path}");
    }
}
