//! `/ws` as a client sees it: what is refused, what passes, and whose answer goes where.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

/// A client of the default session that is through with its greeting.
async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client
}

fn input(text: &str) -> Value {
    json!([{ "type": "text", "text": text }])
}

#[tokio::test]
async fn a_client_without_path_and_query_gets_the_default_session() {
    let gateway = Gateway::new().start().await;
    let mut stranger = Client::open_bare(gateway.url(), "wrong").await.unwrap();
    assert_eq!(stranger.closed().await, Some((1008, "Unauthorized".to_owned())));
    let shared = gateway.client("session=default").await;
    let mut bare = Client::open_bare(gateway.url(), &gateway.token()).await.unwrap();
    assert_eq!(bare.notification("argus/session").await["params"]["id"], shared.session);
    bare.initialize().await;
    let page = reqwest::get(gateway.url()).await.unwrap();
    assert!(page.text().await.unwrap().starts_with("This is an Argus gateway."));
}

#[tokio::test]
async fn what_is_no_frame_is_answered_with_an_error_and_nothing_goes_upstream() {
    let gateway = Gateway::new().with_wiretap().start().await;
    let mut client = introduced(&gateway).await;
    for (text, code) in [
        ("{", -32700),
        ("", -32700),
        ("hello", -32700),
        (r#"{"id":1,"id":2,"method":"thread/list","params":{}}"#, -32700),
        (r#"{"id":1,"method":"thread/list","params":{}} {}"#, -32700),
        (r#"{"id":1,"method":"thread/list","params":{},}"#, -32700),
        ("[]", -32600),
        (r#"[{"id":1,"method":"thread/list","params":{}}]"#, -32600),
        ("7", -32600),
        ("\"thread/list\"", -32600),
        ("null", -32600),
        ("{}", -32600),
        (r#"{"params":{}}"#, -32600),
        (r#"{"id":1,"method":7}"#, -32600),
    ] {
        client.send_text(text).await;
        let error = client.wait("an error", |frame| frame.get("error").is_some()).await;
        assert_eq!((&error["id"], &error["error"]["code"]), (&Value::Null, &json!(code)), "{text}: {error}");
    }
    let last = client.call("thread/list", json!({})).await;
    assert!(last["result"]["data"].is_array(), "{last}");
    let heard = gateway.heard();
    let methods: Vec<_> = heard.iter().map(|line| line["method"].as_str().unwrap_or("?")).collect();
    assert_eq!(methods, ["initialize", "initialized", "account/read", "thread/list"], "{heard:?}");
}

#[tokio::test]
async fn a_pretty_printed_frame_reaches_the_agent_as_one_line() {
    let gateway = Gateway::new().with_wiretap().start().await;
    let mut client = introduced(&gateway).await;
    let params = json!({ "limit": 5, "archived": false, "note": "two\nlines" });
    let frame = json!({ "id": "pretty", "method": "thread/list", "params": params });
    client.send_text(&serde_json::to_string_pretty(&frame).unwrap().replace('\n', "\r\n")).await;
    let reply = client.wait("the reply", |frame| frame["id"] == "pretty").await;
    assert_eq!(reply["result"]["data"], json!([]), "{reply}");
    let heard = gateway.heard();
    assert_eq!(heard.last().map(|line| &line["params"]), Some(&params), "{heard:?}");
}

#[tokio::test]
async fn a_binary_frame_is_refused_and_the_connection_goes_on() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    client.send_binary(br#"{"id":1,"method":"thread/list","params":{}}"#.to_vec()).await;
    let error = client.wait("an error", |frame| frame.get("error").is_some()).await;
    let words = json!({ "code": -32600, "message": "binary frames are not taken; send JSON as text" });
    assert_eq!(error, json!({ "id": null, "error": words }));
    assert!(client.call("thread/list", json!({})).await["result"].is_object());
}

#[tokio::test]
async fn a_text_that_is_no_utf_8_ends_its_connection_with_the_code_for_that() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    client.send_text_of(b"{\"id\":1,\"method\":\"\xff\"}".to_vec()).await;
    assert_eq!(client.closed().await, Some((1007, "the frame is no UTF-8 text".to_owned())));
}

#[tokio::test]
async fn ids_of_every_kind_come_back_as_they_were_written() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    let ids = ["7", "-7", "1.50", "1e2", "12345678901234567890123", "\"\"", "\"a\\\"b\\u00e9\"", "true"];
    for id in ids.into_iter().chain(["{\"a\":[1]}", "[ 1 ]", "null"]) {
        let expected: Value = serde_json::from_str(id).unwrap();
        client.send_text(&format!(r#"{{"id":{id},"method":"thread/list","params":{{}}}}"#)).await;
        let reply = client.wait("the reply", |frame| frame.get("result").is_some()).await;
        assert_eq!(reply["id"], expected);
        client.send_text(&format!(r#"{{"method":"argus/nothing","id":{id}}}"#)).await;
        if id == "null" {
            // To our own methods a null id is a notification.
            continue;
        }
        let reply = client.wait("the error", |frame| frame.get("error").is_some()).await;
        assert_eq!(reply["id"], expected);
    }
}

#[tokio::test]
async fn our_own_methods_say_what_is_wrong_in_the_words_that_clients_know() {
    let gateway = Gateway::new().with_wiretap().start().await;
    let mut client = introduced(&gateway).await;
    let unknown = client.call("argus/x", json!({})).await;
    assert_eq!(unknown["error"], json!({ "code": -32601, "message": "Method not found: argus/x" }));
    for params in [json!({}), json!({ "text": "  " }), json!([]), json!("hi"), Value::Null] {
        let reply = client.call("argus/input/enqueue", params.clone()).await;
        let missing = json!({ "code": -32602, "message": "Missing 'text'" });
        assert_eq!(reply["error"], missing, "{params}");
    }
    for params in [
        json!({ "text": 7 }),
        json!({ "text": "x", "target": "elsewhere" }),
        json!({ "text": "x", "threadId": "no\nid" }),
        json!({ "text": "x", "sessionId": "0123456789ab" }),
        json!({ "text": "x".repeat((1 << 20) + 1) }),
    ] {
        let reply = client.call("argus/input/enqueue", params.clone()).await;
        assert_eq!(reply["error"]["code"], -32602, "{reply}");
    }
    // Without an id they are notifications: done, and not answered.
    client.send_text(r#"{"method":"argus/input/enqueue","params":{"text":"[say: done]"}}"#).await;
    assert_eq!(client.turn().await, ("done".to_owned(), "completed".to_owned()));
    assert!(gateway.heard().iter().all(|line| !line["method"].as_str().unwrap_or("").starts_with("argus/")));
}

#[tokio::test]
async fn a_call_that_waits_holds_up_nothing_else_of_its_client() {
    let gateway = Gateway::new().with("SCRIPTED_START", "hang").start().await;
    let mut client = gateway.client("session=default").await;
    let waiting = client.request("argus/input/enqueue", json!({ "text": "hi" })).await;
    let relayed = client.request("thread/list", json!({})).await;
    let unknown = client.call("argus/x", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32601);
    let behind = client.call("argus/input/enqueue", json!({ "text": "there" })).await;
    assert_eq!((&behind["result"]["queued"], &behind["result"]["followupDepth"]), (&json!(true), &json!(2)));
    let accepted = client.call("argus/input/enqueue", json!({ "text": "again", "wait": false })).await;
    assert!(accepted["result"]["submissionId"].is_string(), "{accepted}");
    client.send_text("{").await;
    client.wait("an error", |frame| frame["error"]["code"] == -32700).await;
    let agent = eventually("the agent runs", async || gateway.processes("scripted-app-se").first().copied());
    argus_testkit::programs::kill_9(agent.await);
    // Only now, because its agent is gone for the moment.
    let refused = client.reply(relayed).await;
    assert!(
        refused["error"]["message"].as_str().unwrap().contains("the agent ended (signal 9)"),
        "{refused}"
    );
    assert!(client.drain(std::time::Duration::ZERO).await.iter().all(|frame| frame["id"] != waiting));
}

#[tokio::test]
async fn what_a_client_enqueues_without_waiting_stays_in_its_order() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    let texts: Vec<_> = (0..15).map(|n| format!("word-{n:02}")).collect();
    for text in &texts {
        // Every third one is refused, and lets nobody pass.
        client.request("argus/input/enqueue", json!({ "text": text, "wait": false })).await;
        client.request("argus/input/enqueue", json!({ "text": 7 })).await;
    }
    let said = async || gateway.turns().into_iter().map(|turn| turn.text).collect::<String>();
    eventually("all is said", async || said().await.contains("word-14").then_some(())).await;
    let said = said().await;
    let places: Vec<_> = texts.iter().map(|text| said.find(text.as_str())).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn two_clients_see_the_same_and_each_gets_the_replies_to_its_own_requests() {
    let gateway = Gateway::new().start().await;
    let (mut ada, mut bob) = (introduced(&gateway).await, introduced(&gateway).await);
    let started = ada.call("thread/start", json!({ "cwd": gateway.home() })).await;
    let thread = &started["result"]["thread"]["id"];
    assert_eq!(&bob.notification("thread/started").await["params"]["thread"]["id"], thread);
    // The same id from both, at once.
    ada.send_text(r#"{"id":"same","method":"account/read","params":{}}"#).await;
    bob.send_text(r#"{"id":"same","method":"model/list","params":{}}"#).await;
    let reply = ada.wait("ada's reply", |frame| frame["id"] == "same").await;
    assert_eq!(reply["result"]["requiresOpenaiAuth"], false, "{reply}");
    let reply = bob.wait("bob's reply", |frame| frame["id"] == "same").await;
    assert_eq!(reply["result"]["data"][0]["model"], "scripted", "{reply}");

    let params = json!({ "threadId": thread, "input": input("[deltas: 50 20]") });
    let turn = ada.call("turn/start", params).await["result"]["turn"]["id"].clone();
    let mut seen = Vec::new();
    for client in [&mut ada, &mut bob] {
        let mut deltas = String::new();
        loop {
            let frame = client.wait("the turn", |frame| frame["params"]["threadId"] == *thread).await;
            deltas += frame["params"]["delta"].as_str().unwrap_or_default();
            if frame["method"] == "turn/completed" {
                assert_eq!(frame["params"]["turn"]["id"], turn);
                break;
            }
        }
        seen.push(deltas);
    }
    assert_eq!(seen, vec![argus_testkit::app_server::deltas_text(50, 20); 2]);
}

#[tokio::test]
async fn a_client_sees_no_notification_that_it_opted_out_of() {
    let gateway = Gateway::new().start().await;
    let mut quiet = gateway.client("session=default").await;
    let muted = json!(["item/agentMessage/delta", "thread/status/changed"]);
    let introduction = json!({ "clientInfo": { "name": "quiet", "version": "1" },
        "capabilities": { "optOutNotificationMethods": muted } });
    assert!(quiet.call("initialize", introduction).await["result"].is_object());
    let mut plain = introduced(&gateway).await;
    plain.call("argus/input/enqueue", json!({ "text": "[say: to whom it may concern]" })).await;
    let methods = |frames: Vec<Value>| -> Vec<String> {
        frames.iter().filter_map(|frame| Some(frame["method"].as_str()?.to_owned())).collect()
    };
    for (client, sees) in [(&mut quiet, false), (&mut plain, true)] {
        let mut frames = Vec::new();
        while frames.last().is_none_or(|frame: &Value| frame["method"] != "turn/completed") {
            frames.push(client.wait("any frame", |frame| frame.get("method").is_some()).await);
        }
        let seen = methods(frames);
        for method in ["item/agentMessage/delta", "thread/status/changed"] {
            assert_eq!(seen.iter().any(|one| one == method), sees, "{method} in {seen:?}");
        }
        assert!(!seen.iter().any(|one| one == "thread/readState/changed"), "experimental, and nobody asked");
    }
}

#[tokio::test]
async fn the_first_frame_is_always_who_the_session_is() {
    let gateway = Gateway::new().start().await;
    let mut talker = introduced(&gateway).await;
    let text = "[deltas: 400 10] [slow: 1]";
    talker.call("argus/input/enqueue", json!({ "text": text })).await;
    let mut in_the_middle = 0;
    while in_the_middle < 20 {
        let token = gateway.token();
        let mut client = Client::open(gateway.url(), "session=default", &token).await.unwrap();
        let first = client.next().await.unwrap();
        assert_eq!(first["method"], "argus/session", "{first}");
        in_the_middle += 1;
    }
    assert_eq!(talker.turn().await.1, "completed");
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_goes_to_the_first_who_comes() {
    let gateway = Gateway::new().start().await;
    gateway.rpc("argus/input/enqueue", json!({ "text": "[say: into the blue]" })).await;
    let log = gateway.home().join("gateway/ledger.db-wal");
    eventually("the turn is over", async || {
        let ledger = std::fs::read(&log).unwrap_or_default();
        ledger.windows(13).any(|window| window == b"into the blue").then_some(())
    })
    .await;
    let mut first = gateway.client("session=default").await;
    assert_eq!(first.turn().await, ("into the blue".to_owned(), "completed".to_owned()));
    let mut second = gateway.client("session=default").await;
    second.initialize().await;
    let seen = second.drain(std::time::Duration::ZERO).await;
    assert!(seen.iter().all(|frame| frame["method"] != "turn/completed"), "{seen:?}");
}

#[tokio::test]
async fn a_client_that_leaves_is_bidden_goodbye_and_its_replies_trouble_nobody() {
    let gateway = Gateway::new().start().await;
    let mut stays = introduced(&gateway).await;
    let mut leaves = introduced(&gateway).await;
    for _ in 0..50 {
        leaves.request("thread/list", json!({})).await;
    }
    let goodbye = leaves.leave().await;
    assert!(goodbye.is_none(), "a close without words is answered by one: {goodbye:?}");
    assert!(stays.call("thread/list", json!({})).await["result"].is_object());
    assert!(!gateway.log().contains("ERROR"), "{}", gateway.log());
}
