//! `state.json` of the reference: taken over at the start, kept whole, refused by name where it is bad; and the pause in it.

use std::fs;
use std::path::PathBuf;

use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

/// The session in the file.
const SESSION: &str = "a1b2c3d4e5f6";

/// As the reference left it: a job, an event that waits, a main thread. Paused, so that nothing of it begins here.
fn reference() -> Value {
    json!({ "version": 1, "defaultSessionId": SESSION, "later": [1], "sessions": {
        SESSION: {
            "mainThreadId": "thr_1",
            "automationPaused": true,
            "cronJobs": [{ "jobId": "9f0c1d2e3a", "expr": "0 9 * * 1-5", "text": "Morgen", "enabled": true,
                "lastRunAtMs": 1_763_370_000_000_u64, "nextRunAtMs": 4_000_000_000_000_u64, "mine": null }],
            "systemEventQueues": { "thr_1": [{ "eventId": "0123456789abcdef0123456789abcdef", "kind": "system",
                "text": "早上好", "createdAtMs": 1_763_370_000_123_u64 }] },
            "lastActiveByThread": {},
        },
        "gone": { "mainThreadId": null, "cronJobs": [{ "jobId": "1", "expr": "@daily", "text": "x", "enabled": false }] },
    } })
}

/// A gateway that is not started, with that file.
fn with_state(state: &str) -> (Gateway, PathBuf) {
    let gateway = Gateway::new();
    fs::create_dir_all(gateway.home().join("gateway")).unwrap();
    let file = gateway.home().join("gateway/state.json");
    fs::write(&file, state).unwrap();
    (gateway, file)
}

fn json_of(file: &PathBuf) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// Status and body.
async fn http(gateway: &Gateway, request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.bearer_auth(gateway.token()).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

/// A resource of the gateway.
fn at(gateway: &Gateway, path: &str) -> String {
    format!("{}{path}", gateway.url())
}

#[tokio::test]
async fn a_file_of_the_reference_is_taken_over_once_and_keeps_its_jobs() {
    let (gateway, file) = with_state(&reference().to_string());
    let mut gateway = gateway.start().await;
    let mut expected = reference();
    expected["sessions"][SESSION]["systemEventQueues"] = json!({});
    expected["sessions"][SESSION]["cronJobs"][0]["mine"] = Value::Null;
    // When it is due is found anew: settings may say another zone than before.
    let due = json_of(&file)["sessions"][SESSION]["cronJobs"][0]["nextRunAtMs"].clone();
    let days = (due.as_u64().unwrap() - argus_gateway::clock::unix_ms()) / 86_400_000;
    assert!(days < 4, "{due} is the next morning of a working day");
    expected["sessions"][SESSION]["cronJobs"][0]["nextRunAtMs"] = due.clone();
    for _ in 0..2 {
        assert_eq!(json_of(&file), expected);
        let client = reqwest::Client::new();
        let (status, told) = http(&gateway, client.get(at(&gateway, "/automation/state"))).await;
        let of_session = |id: &str| {
            let all = told["sessions"].as_array().unwrap();
            all.iter().find(|session| session["sessionId"] == id).cloned().unwrap()
        };
        assert_eq!((status, &told["ok"], &told["persisted"]), (200, &json!(true), &expected));
        assert_eq!(told["runtime"], json!({ "lanes": [] }));
        let waits = json!({ "sessionId": SESSION, "paused": true, "waitingEvents": 1, "nextDueAtMs": due });
        assert_eq!(of_session(SESSION), waits);
        let gone = of_session("gone");
        assert_eq!((&gone["paused"], &gone["waitingEvents"]), (&json!(false), &json!(0)));
        gateway.stop().await;
        gateway.restart().await;
    }
}

#[tokio::test]
async fn the_default_session_of_the_reference_exists_from_the_start_so_that_its_jobs_run_with_nobody_there() {
    let (gateway, _) = with_state(&reference().to_string());
    let gateway = gateway.start().await;
    let (status, told) = http(&gateway, reqwest::Client::new().get(at(&gateway, "/sessions"))).await;
    let known: Vec<_> =
        told["sessions"].as_array().unwrap().iter().map(|one| one["sessionId"].clone()).collect();
    assert_eq!((status, known), (200, vec![json!(SESSION)]));
}

#[tokio::test]
async fn a_broken_file_of_the_reference_stops_the_start_by_name_and_stays_byte_for_byte() {
    let mut twice = reference();
    let job = twice["sessions"][SESSION]["cronJobs"][0].clone();
    twice["sessions"][SESSION]["cronJobs"].as_array_mut().unwrap().push(job);
    let place = format!("`sessions.{SESSION}.cronJobs[1].jobId`: `9f0c1d2e3a` is that of `cronJobs[0]` too");
    for (content, reason) in [
        (twice.to_string(), place.as_str()),
        (reference().to_string().replace("\"version\":1", "\"version\":3"), "has version 3"),
        (reference().to_string().split_at(200).0.to_owned(), "EOF while parsing"),
    ] {
        let (mut gateway, file) = with_state(&content);
        gateway.spawn();
        let (code, log) = (gateway.ended().await, gateway.log());
        assert_eq!(code, Some(1), "{log}");
        for words in [&*file.to_string_lossy(), reason, "left untouched", "`argus state restore`"] {
            assert!(log.contains(words), "{words}: {log}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert!(!file.with_extension("json.bak").exists());
    }
}

#[tokio::test]
async fn a_deleted_session_takes_what_it_was_to_do_with_it_and_nothing_of_another() {
    let (gateway, file) = with_state(&reference().to_string());
    let gateway = gateway.start().await;
    let client = gateway.client("session=default").await;
    assert_eq!(client.session, SESSION);
    client.leave().await;
    let http_client = reqwest::Client::new();
    let (status, _) = http(&gateway, http_client.delete(at(&gateway, &format!("/sessions/{SESSION}")))).await;
    assert_eq!(status, 200);
    let mut expected = reference();
    expected["defaultSessionId"] = Value::Null;
    expected["sessions"].as_object_mut().unwrap().remove(SESSION);
    assert_eq!(json_of(&file), expected);
    let (_, told) = http(&gateway, http_client.get(at(&gateway, "/automation/state"))).await;
    let sessions: Vec<_> = told["sessions"].as_array().unwrap().iter().map(|one| &one["sessionId"]).collect();
    assert_eq!(sessions, ["gone"]);
}

#[tokio::test]
async fn automation_is_paused_and_resumed_over_http_and_by_a_client_for_its_own_session_alone() {
    let gateway = Gateway::new().start().await;
    let client = reqwest::Client::new();
    let (status, paused) = http(&gateway, client.post(at(&gateway, "/automation/pause"))).await;
    let session = paused["sessionId"].as_str().unwrap().to_owned();
    assert_eq!((status, &paused), (200, &json!({ "ok": true, "sessionId": session, "paused": true })));
    for (body, status) in [
        (json!({ "sessionId": "nowhere" }).to_string(), 404),
        (json!({ "sessionId": "../x" }).to_string(), 404),
        (json!({ "sessionId": 7 }).to_string(), 400),
        ("{".to_owned(), 400),
    ] {
        let (found, told) = http(&gateway, client.post(at(&gateway, "/automation/resume")).body(body)).await;
        assert!(found == status && told["detail"].is_string(), "{told}");
    }
    let state = json_of(&gateway.home().join("gateway/state.json"));
    assert_eq!(state["sessions"][&session]["automationPaused"], true);

    let wish = json!({ "scope": format!("client:{session}") });
    let token = gateway.rpc("argus/token/create", wish).await["result"]["token"].as_str().unwrap().to_owned();
    let call = async |method: &str, params: Value| -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = client.post(at(&gateway, "/rpc")).bearer_auth(&token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let told = call("argus/automation/status", json!({})).await;
    assert_eq!((&told["result"]["sessionId"], &told["result"]["paused"]), (&json!(session), &json!(true)));
    let told = call("argus/automation/resume", json!({})).await;
    assert_eq!(told["result"], json!({ "ok": true, "sessionId": session, "paused": false }));
    let told = call("argus/automation/pause", json!({ "sessionId": "other" })).await;
    assert!(told["error"]["message"].as_str().unwrap().contains("not for `other`"), "{told}");
    let refused = client.get(at(&gateway, "/automation/state")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 403);
}
