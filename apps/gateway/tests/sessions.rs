//! Sessions as clients and operators meet them: made, found, shared, deleted.

use std::collections::BTreeSet;

use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn ask(gateway: &Gateway, method: Method, path: &str) -> (StatusCode, Value) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", gateway.url()));
    let reply = request.bearer_auth(gateway.token()).send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

async fn gone(gateway: &Gateway, program: &str) {
    eventually(&format!("no {program} is left"), async || {
        gateway.processes(program).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_unknown_session_is_refused_and_not_made() {
    let gateway = Gateway::new().start().await;
    for wish in ["0123456789ab", "..", "%2e%2e%2fgateway", "a/b", "UPPER", "x".repeat(300).as_str()] {
        let mut client =
            Client::open(gateway.url(), &format!("session={wish}"), &gateway.token()).await.unwrap();
        assert_eq!(client.closed().await, Some((1008, "Unknown session".to_owned())), "{wish}");
    }
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await, (StatusCode::OK, json!({ "sessions": [] })));
}

#[tokio::test]
async fn without_a_wish_a_client_gets_a_new_session_and_can_come_back_to_it() {
    let gateway = Gateway::new().start().await;
    let mut ids = BTreeSet::new();
    for query in ["", "session=", "session=%20"] {
        let mut client = Client::open(gateway.url(), query, &gateway.token()).await.unwrap();
        let hello = client.next().await.unwrap();
        let id = hello["params"]["id"].as_str().unwrap().to_owned();
        let told = json!({ "id": id, "mode": "process", "attached": false, "created": true });
        assert_eq!(hello, json!({ "method": "argus/session", "params": told }));
        assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        let mut again =
            Client::open(gateway.url(), &format!("session={id}"), &gateway.token()).await.unwrap();
        let told = json!({ "id": id, "mode": "process", "attached": true, "created": false });
        assert_eq!(again.next().await.unwrap(), json!({ "method": "argus/session", "params": told }));
        ids.insert(id);
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn the_operator_sees_every_session_and_how_it_stands() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("").await;
    client.initialize().await;
    let id = client.session.clone();
    let shown = json!({ "sessionId": id, "containerId": null, "name": format!("process-{id}"),
        "status": "running", "runtimeLayout": "process_v1" });
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [shown] }));
    assert_eq!(ask(&gateway, Method::GET, &format!("/sessions/{id}")).await, (StatusCode::OK, shown));
    let missing = (StatusCode::NOT_FOUND, json!({ "detail": "Session not found" }));
    for path in ["/sessions/0123456789ab", "/sessions/..%2f..", "/sessions/UPPER"] {
        assert_eq!(ask(&gateway, Method::GET, path).await, missing, "{path}");
        assert_eq!(ask(&gateway, Method::DELETE, path).await, missing, "{path}");
    }
}

#[tokio::test]
async fn a_deleted_session_is_gone_with_its_runtime_and_everybody_who_waited_is_told() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    let hold = gateway.home().join("never");
    let first = json!({ "text": format!("[hold: {}]", hold.display()) });
    let started = client.call("argus/input/enqueue", first).await;
    let thread = &started["result"]["threadId"];
    let waiting =
        client.call("argus/input/enqueue", json!({ "text": "behind it", "idempotencyKey": "w" })).await;
    assert_eq!(waiting["result"]["queued"], true, "{waiting}");
    let input = json!([{ "type": "text", "text": format!("[late] [hold: {}]", hold.display()) }]);
    let asked = client.call("thread/start", json!({ "cwd": gateway.home() })).await;
    let other = &asked["result"]["thread"]["id"];
    let pending = client.request("turn/start", json!({ "threadId": other, "input": input })).await;
    eventually("the agent has both turns", async || (gateway.turns().len() == 2).then_some(())).await;

    let id = client.session.clone();
    let deleted = ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await;
    assert_eq!(deleted, (StatusCode::OK, json!({ "ok": true, "sessionId": id })));
    let answer = client.reply(pending).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("the session was deleted"), "{answer}");
    let end = client.notification("turn/completed").await;
    assert_eq!((&end["params"]["threadId"], &end["params"]["turn"]["status"]), (thread, &json!("failed")));
    assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));

    gone(&gateway, "argus-runtime-b").await;
    gone(&gateway, "scripted-app-se").await;
    assert!(!gateway.home().join("sessions").join(&id).join("runtime").exists());
    let missing = (StatusCode::NOT_FOUND, json!({ "detail": "Session not found" }));
    assert_eq!(ask(&gateway, Method::GET, &format!("/sessions/{id}")).await, missing);
    assert_eq!(ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await, missing);
    let mut late = Client::open(gateway.url(), &format!("session={id}"), &gateway.token()).await.unwrap();
    assert_eq!(late.closed().await, Some((1008, "Unknown session".to_owned())));

    // The next default session is another one, and nothing of the old one begins there.
    let mut next = gateway.client("session=default").await;
    assert_ne!(next.session, id);
    next.call("argus/input/enqueue", json!({ "text": "[say: anew]" })).await;
    assert_eq!(next.turn().await, ("anew".to_owned(), "completed".to_owned()));
    let texts: Vec<_> = gateway.turns().into_iter().map(|turn| turn.text).collect();
    assert!(texts.len() == 3 && texts[2].contains("[say: anew]"), "{texts:?}");
}

#[tokio::test]
async fn a_session_deleted_while_it_starts_leaves_nothing_behind() {
    let gateway = Gateway::new().with("SCRIPTED_START", "slow:300").start().await;
    for _ in 0..5 {
        let mut client = gateway.client("").await;
        let id = client.session.clone();
        let pending = client.request("thread/list", json!({})).await;
        let (status, body) = ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let answer = client.reply(pending).await;
        assert!(answer["error"]["message"].is_string(), "{answer}");
        assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));
        let (status, body) = ask(&gateway, Method::GET, &format!("/sessions/{id}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    }
    gone(&gateway, "argus-runtime-b").await;
    gone(&gateway, "scripted-app-se").await;
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [] }));
}

#[tokio::test]
async fn a_call_that_waits_in_a_deleted_session_is_answered() {
    let gateway = Gateway::new().with("SCRIPTED_START", "hang").start().await;
    let mut client = gateway.client("").await;
    let ensure = client.request("argus/thread/main/ensure", json!({})).await;
    let pending = client.request("argus/input/enqueue", json!({ "text": "hello" })).await;
    let behind = client.call("argus/input/enqueue", json!({ "text": "there" })).await;
    assert_eq!(behind["result"]["followupDepth"], 2, "{behind}");
    let (status, body) = ask(&gateway, Method::DELETE, &format!("/sessions/{}", client.session)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for id in [ensure, pending] {
        let reply = client.reply(id).await;
        assert_eq!(
            reply["error"],
            json!({ "code": -32000, "message": "the session was deleted" }),
            "{reply}"
        );
    }
    assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));
}

#[tokio::test]
async fn a_chats_message_stored_while_its_session_is_deleted_is_told_so_and_revives_nothing() {
    for step in ["chat.session_chosen", "intake.submitted"] {
        let (api, marks) = (BotApi::start("42:TEST"), tempfile::tempdir().unwrap());
        let (user, dir) = (User::new(7, "Ada"), marks.path());
        let mut gateway = Gateway::new()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7")
            .with("ARGUS_CRASH_HOLD", step)
            .with("ARGUS_CRASH_DIR", dir)
            .start()
            .await;
        api.know(&Chat::private(&user));
        let id = gateway.client("session=default").await.session;
        let message = json!({ "channel": "telegram", "bot": "42", "chatKey": "7", "chatKind": "private",
            "user": { "id": "7", "name": "Ada" }, "messageId": "1", "text": "[say: never]", "attachments": [],
            "idempotencyKey": "1" });
        let deletion = async {
            eventually("it is held", async || dir.join(format!("{step}.held")).exists().then_some(())).await;
            let (status, body) = ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            std::fs::write(dir.join(format!("{step}.go")), "").unwrap();
        };
        let (taken, ()) = tokio::join!(gateway.rpc("argus/chat/receive", message), deletion);
        assert_eq!(taken["result"], json!({ "ok": true, "disposition": "submitted" }), "{step}: {taken}");
        api.wait_text("the session was deleted; send the message again", PATIENCE).await;
        for life in ["the same", "the next"] {
            let sessions = ask(&gateway, Method::GET, "/sessions").await.1;
            assert_eq!(sessions, json!({ "sessions": [] }), "{step}, in {life} life");
            gateway.stop().await;
            gateway.restart().await;
        }
        gone(&gateway, "argus-runtime-b").await;
        assert_eq!((api.sent().len(), gateway.turns().len()), (1, 0), "{step}");
    }
}

#[tokio::test]
async fn deleting_twice_at_once_ends_well() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("").await;
    client.initialize().await;
    let path = format!("/sessions/{}", client.session);
    let deeds = join_all((0..4).map(|_| ask(&gateway, Method::DELETE, &path))).await;
    assert!(deeds.iter().any(|(status, _)| *status == StatusCode::OK), "{deeds:?}");
    let known = [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::SERVICE_UNAVAILABLE];
    assert!(deeds.iter().all(|(status, _)| known.contains(status)), "{deeds:?}");
    assert_eq!(ask(&gateway, Method::GET, &path).await.0, StatusCode::NOT_FOUND);
    gone(&gateway, "argus-runtime-b").await;
}

#[tokio::test]
async fn five_simultaneous_attaches_make_one_runtime() {
    let gateway = Gateway::new().start().await;
    let clients = join_all((0..5).map(|_| async {
        let mut client = gateway.client("session=default").await;
        client.initialize().await;
        client
    }))
    .await;
    let sessions: BTreeSet<_> = clients.iter().map(|client| client.session.clone()).collect();
    assert_eq!(sessions.len(), 1, "one default session for everybody: {sessions:?}");
    assert_eq!(gateway.processes("argus-runtime-b").len(), 1);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1);
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn five_simultaneous_enqueues_make_one_runtime_and_lose_no_words() {
    let gateway = Gateway::new().start().await;
    let enqueued = join_all((0..5).map(|n| {
        gateway.rpc(
            "argus/input/enqueue",
            json!({ "text": format!("word-{n}"), "idempotencyKey": n.to_string() }),
        )
    }))
    .await;
    assert!(enqueued.iter().all(|reply| reply["result"]["ok"] == true), "{enqueued:?}");
    eventually("every word is in a turn", async || {
        let said: String = gateway.turns().into_iter().map(|turn| turn.text).collect();
        (0..5).all(|n| said.contains(&format!("word-{n}"))).then_some(())
    })
    .await;
    assert_eq!(gateway.processes("argus-runtime-b").len(), 1);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1);
    let said: String = gateway.turns().into_iter().map(|turn| turn.text).collect();
    for n in 0..5 {
        assert_eq!(said.matches(&format!("word-{n}")).count(), 1, "{said}");
    }
}

#[tokio::test]
async fn the_default_session_is_the_same_after_a_restart() {
    let mut gateway = Gateway::new().start().await;
    let first = gateway.client("session=default").await.session;
    gateway.stop().await;
    gateway.restart().await;
    assert_eq!(gateway.client("session=default").await.session, first);
}
