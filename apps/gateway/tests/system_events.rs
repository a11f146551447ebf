//! System events over every wire: `/ws`, `POST /rpc` and HTTP.

use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One call of a route: the status and the body.
async fn http(gateway: &Gateway, method: Method, path: &str, token: &str, body: &str) -> (u16, Value) {
    let request =
        reqwest::Client::new().request(method, format!("{}{path}", gateway.url())).bearer_auth(token);
    let reply = request.body(body.to_owned()).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

const ENQUEUE: &str = "/automation/systemEvent/enqueue";

#[tokio::test]
async fn an_event_is_taken_over_every_wire_and_listed() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    let session = client.session.clone();
    let meta = json!({ "disk": "sda" });
    let told = client
        .call("argus/systemEvent/enqueue", json!({ "text": " full ", "meta": meta, "threadId": "t1" }))
        .await;
    let event = &told["result"]["event"];
    let expected = json!({
        "ok": true, "threadId": "t1",
        "event": { "eventId": event["eventId"], "kind": "system", "text": "full", "createdAtMs": event["createdAtMs"], "meta": meta },
    });
    assert_eq!(told["result"], expected);
    assert_eq!(event["eventId"].as_str().map(str::len), Some(32));

    let keyed = |text: &str| json!({ "text": text, "kind": "disk", "threadId": "t1", "idempotencyKey": "k", "sessionId": session });
    let first = gateway.rpc("argus/systemEvent/enqueue", keyed("first")).await;
    assert_eq!(gateway.rpc("argus/systemEvent/enqueue", keyed("second")).await, first);

    let body = json!({ "text": "third", "threadId": "t1", "sessionId": session }).to_string();
    let (status, third) = http(&gateway, Method::POST, ENQUEUE, &gateway.token(), &body).await;
    assert_eq!(
        (status, &third["ok"], &third["sessionId"], &third["threadId"]),
        (200, &json!(true), &json!(session), &json!("t1"))
    );

    let listed = gateway.rpc("argus/systemEvent/list", json!({ "sessionId": session, "limit": 2 })).await;
    let waits = |event: &Value| {
        let mut event = event.clone();
        event["queue"] = json!("thread");
        event["threadId"] = json!("t1");
        event["state"] = json!("waiting");
        event
    };
    let two = [waits(&told["result"]["event"]), waits(&first["result"]["event"])];
    assert_eq!(listed["result"], json!({ "sessionId": session, "events": two }));
    let path = format!("/automation/events?sessionId={session}&limit=2");
    let (status, over_http) = http(&gateway, Method::GET, &path, &gateway.token(), "").await;
    assert_eq!((status, over_http), (200, listed["result"].clone()));
}

#[tokio::test]
async fn what_is_no_event_is_refused_in_the_words_that_programs_know() {
    let gateway = Gateway::new().start().await;
    let client = gateway.client("session=default").await;
    for (params, code, words) in [
        (json!({}), -32602, "Missing 'text'"),
        (json!({ "text": " " }), -32602, "Missing 'text'"),
        (json!({ "text": "x", "target": "side" }), -32602, "'target' is `side`, and only `main` is known"),
        (json!({ "text": "x", "sessionId": "nobody" }), -32000, "Unknown session `nobody`"),
    ] {
        let reply = gateway.rpc("argus/systemEvent/enqueue", params).await;
        assert_eq!(reply["error"], json!({ "code": code, "message": words }));
    }
    let token = gateway.token();
    for (body, status, words) in [
        ("{}", StatusCode::BAD_REQUEST, "Missing 'text'"),
        (r#"{"text":""}"#, StatusCode::BAD_REQUEST, "Missing 'text'"),
        (r#"{"text":"x","sessionId":"nobody"}"#, StatusCode::NOT_FOUND, "Session not found"),
    ] {
        let answer = http(&gateway, Method::POST, ENQUEUE, &token, body).await;
        assert_eq!(answer, (status.as_u16(), json!({ "detail": words })), "{body}");
    }
    let (status, refused) = http(&gateway, Method::POST, ENQUEUE, &token, "[").await;
    assert!(status == 400 && refused["detail"].is_string(), "{refused}");

    // A program's token tells its own session, and nobody else's; HTTP is the operator's.
    let wish = json!({ "scope": format!("client:{}", client.session) });
    let made = gateway.rpc("argus/token/create", wish).await["result"]["token"].as_str().unwrap().to_owned();
    for (wanted, code) in [(client.session.clone(), Value::Null), ("nobody".into(), json!(-32003))] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/systemEvent/enqueue", "params": { "text": "x", "threadId": "t1", "sessionId": wanted } });
        let (_, reply) = http(&gateway, Method::POST, "/rpc", &made, &call.to_string()).await;
        assert_eq!(reply["error"]["code"], code, "{reply}");
    }
    let (status, _) = http(&gateway, Method::POST, ENQUEUE, &made, r#"{"text":"x"}"#).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn what_a_route_cannot_read_is_refused_in_the_form_of_every_error() {
    let gateway = Gateway::new().start().await;
    let token = gateway.token();
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(4 << 20));
    for (method, path, body, status) in [
        (Method::GET, "/automation/events?limit=x", "", 400),
        (Method::GET, "/automation/cron/jobs?limit=-1", "", 400),
        (Method::GET, "/automation/heartbeat?sessionId=a&sessionId=b", "", 400),
        (Method::GET, "/automation/cron/jobs/%FF/history", "", 400),
        (Method::POST, ENQUEUE, long.as_str(), 413),
        (Method::POST, ENQUEUE, r#"["text"]"#, 400),
        (Method::POST, "/automation/pause", "[]", 400),
        (Method::POST, "/automation/heartbeat/now", "[]", 400),
    ] {
        let (got, told) = http(&gateway, method, path, &token, body).await;
        assert!(got == status && told["detail"].is_string(), "{path}: {got} {told}");
    }
}

#[tokio::test]
async fn a_session_that_is_named_is_meant_wherever_it_is_named() {
    let gateway = Gateway::new().start().await;
    let token = gateway.token();
    let not_found = (404, json!({ "detail": "Session not found" }));
    for (path, members) in [
        (ENQUEUE, json!({ "text": "x" })),
        ("/automation/cron/jobs", json!({ "text": "x", "expr": "@daily" })),
        ("/automation/pause", json!({})),
        ("/automation/resume", json!({})),
        ("/automation/heartbeat/now", json!({})),
    ] {
        let with = |session: &str| {
            let mut members = members.clone();
            members["sessionId"] = json!(session);
            members.to_string()
        };
        let ask = async |query: &str, body: String| {
            http(&gateway, Method::POST, &format!("{path}{query}"), &token, &body).await
        };
        assert_eq!(ask("?sessionId=nobody", members.to_string()).await, not_found, "{path}");
        assert_eq!(ask("", with("nobody")).await, not_found, "{path}");
        let (status, own) = ask("?sessionId=", with("")).await;
        assert_eq!(status, 200, "{path}: {own}");
        let session = own["sessionId"].as_str().unwrap();
        assert_eq!(ask(&format!("?sessionId={session}"), with("nobody")).await.0, 400, "{path}");
        assert_eq!(ask(&format!("?sessionId={session}"), with(session)).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn a_full_queue_is_told_to_who_adds_and_takes_again_when_a_turn_took_some() {
    let gateway = Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0").start().await;
    gateway.rpc("argus/automation/pause", json!({})).await;
    let (client, url, token) = (reqwest::Client::new(), format!("{}/rpc", gateway.url()), gateway.token());
    let add = async |n: u32| -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/systemEvent/enqueue", "params": { "text": format!("event {n}") } });
        let reply = client.post(&url).bearer_auth(&token).json(&call).send().await.unwrap();
        reply.json().await.unwrap()
    };
    for hundred in 0..20 {
        let replies = futures::future::join_all((0..100).map(|n| add(hundred * 100 + n))).await;
        assert!(replies.iter().all(|reply| reply["result"]["ok"] == true), "{replies:?}");
    }
    let words = "too many system events wait in this session already";
    let refused = add(2000).await;
    assert!(refused["error"]["message"].as_str().is_some_and(|told| told.starts_with(words)), "{refused}");
    let (status, told) = http(&gateway, Method::POST, ENQUEUE, &gateway.token(), r#"{"text":"x"}"#).await;
    assert!(status == 429 && told["detail"].as_str().is_some_and(|told| told.starts_with(words)), "{told}");
    let aside = json!({ "text": "x", "threadId": "t1" });
    assert_eq!(gateway.rpc("argus/systemEvent/enqueue", aside).await["result"]["ok"], true, "another queue");
    gateway.rpc("argus/input/enqueue", json!({ "text": "[say: noted]" })).await;
    argus_testkit::programs::eventually("there is room again", async || {
        (add(2001).await["result"]["ok"] == true).then_some(())
    })
    .await;
}
