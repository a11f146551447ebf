//! Jobs and heartbeats over HTTP and RPC: every route and method, its answers and its refusals.

use argus_testkit::gateway::Gateway;
use reqwest::Method;
use serde_json::{Value, json};

const JOBS: &str = "/automation/cron/jobs";

/// A route with the operator's token: the status and the body.
async fn http(gateway: &Gateway, method: Method, path: &str, body: &Value) -> (u16, Value) {
    http_as(gateway, &gateway.token(), method, path, body).await
}

async fn http_as(gateway: &Gateway, token: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request =
        reqwest::Client::new().request(method, format!("{}{path}", gateway.url())).bearer_auth(token);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = request.body(body).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

async fn rpc(gateway: &Gateway, method: &str, params: Value) -> Value {
    let reply = gateway.rpc(method, params).await;
    assert!(reply["error"].is_null(), "{method}: {reply}");
    reply["result"].clone()
}

fn quiet() -> Gateway {
    Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0")
}

#[tokio::test]
async fn jobs_are_listed_added_replaced_paused_run_and_removed_over_http() {
    let gateway = quiet().start().await;
    let (status, none) = http(&gateway, Method::GET, JOBS, &Value::Null).await;
    let session = none["sessionId"].clone();
    assert!(session.is_string(), "without a session one is made: {none}");
    assert_eq!((status, &none), (200, &json!({ "ok": true, "sessionId": session, "jobs": [] })));

    let wish = json!({ "jobId": "j", "expr": "0 9 * * *", "text": "one", "deliver": "none" });
    let (status, added) = http(&gateway, Method::POST, JOBS, &wish).await;
    let basics = |job: &Value| json!([job["jobId"], job["expr"], job["text"], job["enabled"]]);
    assert_eq!((status, &added["ok"], &added["sessionId"]), (200, &json!(true), &session));
    assert_eq!(basics(&added["job"]), json!(["j", "0 9 * * *", "one", true]));
    assert_eq!(added["nextTimes"].as_array().map(Vec::len), Some(3), "{added}");
    let wish = json!({ "jobId": "j", "expr": "0 10 * * *", "text": "two", "enabled": 0, "deliver": "none" });
    assert_eq!(http(&gateway, Method::POST, JOBS, &wish).await.0, 200);
    let (_, listed) = http(&gateway, Method::GET, JOBS, &Value::Null).await;
    let jobs = listed["jobs"].as_array().unwrap();
    assert_eq!(jobs.iter().map(basics).collect::<Vec<_>>(), [json!(["j", "0 10 * * *", "two", false])]);

    let (status, resumed) = http(&gateway, Method::POST, &format!("{JOBS}/j/resume"), &Value::Null).await;
    assert_eq!((status, &resumed["job"]["enabled"]), (200, &json!(true)));
    let (status, paused) = http(&gateway, Method::POST, &format!("{JOBS}/j/pause"), &Value::Null).await;
    assert_eq!(
        (status, &paused["job"]["enabled"], &paused["job"]["nextRunAtMs"]),
        (200, &json!(false), &Value::Null)
    );
    let (status, begun) = http(&gateway, Method::POST, &format!("{JOBS}/j/run"), &Value::Null).await;
    assert_eq!((status, &begun["enqueued"], &begun["jobId"]), (200, &json!(true), &json!("j")));
    let (status, history) =
        http(&gateway, Method::GET, &format!("{JOBS}/j/history?limit=1"), &Value::Null).await;
    assert_eq!((status, &history["runs"][0]["run"]), (200, &begun["run"]), "{history}");

    let (status, removed) = http(&gateway, Method::DELETE, &format!("{JOBS}/j"), &Value::Null).await;
    assert_eq!((status, removed), (200, json!({ "ok": true, "sessionId": session, "jobId": "j" })));
    for (method, path) in [
        (Method::DELETE, "j"),
        (Method::POST, "j/run"),
        (Method::POST, "j/pause"),
        (Method::POST, "j/resume"),
        (Method::GET, "never/history"),
    ] {
        let told = http(&gateway, method, &format!("{JOBS}/{path}"), &Value::Null).await;
        assert_eq!(told, (404, json!({ "detail": "Job not found" })), "{path}");
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_is_refused_over_http_in_the_words_that_programs_know() {
    let gateway = quiet().start().await;
    for (wish, words) in [
        (json!({ "text": "x" }), "Missing 'expr'"),
        (json!({ "expr": "0 9 * * *" }), "Missing 'text'"),
        (json!({ "expr": "0 25 * * *", "text": "x" }), "'expr': the hours: 25 is not within 0 to 23"),
    ] {
        let told = http(&gateway, Method::POST, JOBS, &wish).await;
        assert_eq!(told, (400, json!({ "detail": words })), "{wish}");
    }
    let (status, told) = http(&gateway, Method::POST, JOBS, &json!([])).await;
    assert!(status == 400 && told["detail"].is_string(), "{told}");
    let (status, _) = http(&gateway, Method::GET, &format!("{JOBS}?sessionId=nowhere"), &Value::Null).await;
    assert_eq!(status, 404);
    let nobody = http_as(&gateway, "wrong", Method::GET, JOBS, &Value::Null).await;
    assert_eq!(nobody.0, 401);
}

#[tokio::test]
async fn a_programs_token_has_the_jobs_of_its_own_session_alone() {
    let gateway = quiet().start().await;
    rpc(&gateway, "argus/cron/add", json!({ "jobId": "theirs", "expr": "0 9 * * *", "text": "x" })).await;
    let own = gateway.client("").await.session;
    let made = rpc(&gateway, "argus/token/create", json!({ "scope": format!("client:{own}") })).await;
    let token = made["token"].as_str().unwrap();
    let wish = json!({ "jobId": "mine", "expr": "0 9 * * *", "text": "x" });
    let (status, added) = http_as(&gateway, token, Method::POST, JOBS, &wish).await;
    assert_eq!((status, &added["sessionId"]), (200, &json!(own)), "{added}");
    let (_, listed) = http_as(&gateway, token, Method::GET, JOBS, &Value::Null).await;
    assert_eq!(listed["jobs"].as_array().map(Vec::len), Some(1), "{listed}");
    let (status, _) = http_as(&gateway, token, Method::DELETE, &format!("{JOBS}/theirs"), &Value::Null).await;
    assert_eq!(status, 404);
    let (status, told) =
        http_as(&gateway, token, Method::GET, &format!("{JOBS}?sessionId=other"), &Value::Null).await;
    assert_eq!(status, 403, "{told}");
    let (status, _) = http_as(&gateway, token, Method::POST, "/automation/heartbeat/now", &Value::Null).await;
    assert_eq!(status, 403, "that route is the operator's");
}

#[tokio::test]
async fn jobs_are_counted_changed_and_resumed_by_rpc_and_refused_with_code_and_field() {
    let gateway = quiet().start().await;
    let add = json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x", "deliver": "none" });
    let session = rpc(&gateway, "argus/cron/add", add).await["sessionId"].clone();
    let changed = rpc(&gateway, "argus/cron/update", json!({ "jobId": "j", "name": "Mail" })).await;
    assert_eq!((&changed["job"]["name"], &changed["job"]["expr"]), (&json!("Mail"), &json!("0 9 * * *")));
    let due = changed["job"]["nextRunAtMs"].clone();
    let status = rpc(&gateway, "argus/cron/status", json!({})).await;
    let expected = json!({ "ok": true, "sessionId": session, "defaultSessionId": session, "jobs": 1,
        "enabledJobs": 1, "nextDueAtMs": due });
    assert_eq!(status, expected);
    rpc(&gateway, "argus/cron/pause", json!({ "jobId": "j" })).await;
    let hidden = rpc(&gateway, "argus/cron/list", json!({ "includeDisabled": false })).await;
    assert_eq!(hidden["jobs"], json!([]));
    let resumed = rpc(&gateway, "argus/cron/resume", json!({ "jobId": "j" })).await;
    assert_eq!((&resumed["job"]["enabled"], &resumed["job"]["nextRunAtMs"]), (&json!(true), &due));

    let invalid = |field: &str| json!({ "code": "INVALID_ARGUMENT", "field": field });
    for (method, params, code, message, data) in [
        ("add", json!({ "text": "x" }), -32602, "Missing 'expr'", invalid("expr")),
        ("update", json!({ "name": "x" }), -32602, "Missing 'jobId'", invalid("jobId")),
        ("run", json!({ "jobId": " " }), -32602, "Missing 'jobId'", invalid("jobId")),
        (
            "remove",
            json!({ "jobId": "k" }),
            -32000,
            "Job not found",
            json!({ "code": "NOT_FOUND", "jobId": "k" }),
        ),
    ] {
        let told = gateway.rpc(&format!("argus/cron/{method}"), params).await;
        assert_eq!(told["error"], json!({ "code": code, "message": message, "data": data }), "{method}");
    }
    let unknown = gateway.rpc("argus/cron/other", json!({})).await;
    assert_eq!(unknown["error"], json!({ "code": -32601, "message": "Method not found: argus/cron/other" }));
}

#[tokio::test]
async fn a_heartbeat_is_asked_for_and_shown_over_http_and_by_a_client_for_its_own_session() {
    let gateway = quiet().start().await;
    let (status, asked) = http(&gateway, Method::POST, "/automation/heartbeat/now", &Value::Null).await;
    let session = asked["sessionId"].clone();
    assert_eq!((status, &asked), (200, &json!({ "ok": true, "sessionId": session })));
    let (status, shown) = http(&gateway, Method::GET, "/automation/heartbeat", &Value::Null).await;
    assert_eq!((status, &shown["sessionId"], &shown["hasTasks"]), (200, &session, &json!(false)), "{shown}");
    assert!(shown["lastAtMs"].is_u64() && shown["everyMs"].is_null(), "{shown}");

    let mut client = gateway.client("").await;
    let own = client.session.clone();
    assert_ne!(json!(own), session);
    let asked = client.call("argus/heartbeat/request", json!({})).await;
    assert_eq!(asked["result"], json!({ "ok": true }));
    let status = client.call("argus/heartbeat/status", json!({})).await;
    assert_eq!(status["result"]["sessionId"], json!(own));
    let (_, shown) =
        http(&gateway, Method::GET, &format!("/automation/heartbeat?sessionId={own}"), &Value::Null).await;
    assert!(shown["lastAtMs"].is_u64(), "it was for the client's own session: {shown}");

    for (body, status) in [
        (json!({ "sessionId": "nowhere" }), 404),
        (json!({ "sessionId": "../x" }), 404),
        (json!({ "sessionId": 7 }), 400),
    ] {
        let told = http(&gateway, Method::POST, "/automation/heartbeat/now", &body).await;
        assert!(told.0 == status && told.1["detail"].is_string(), "{told:?}");
    }
}
