//! Tokens of the operator's making: what they open, how much at once, how they end, and what is noted of it.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Makes a token; its text and its id.
async fn token(gateway: &Gateway, wish: Value) -> (String, String) {
    let reply = gateway.rpc("argus/token/create", wish).await;
    let text = |name: &str| reply["result"][name].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    (text("token"), text("id"))
}

/// A token for a session that is made for it, and the session.
async fn client_token(gateway: &Gateway) -> (String, String) {
    // The default session is another one.
    default_session(gateway).await;
    let session = gateway.client("").await.session;
    (token(gateway, json!({ "scope": format!("client:{session}") })).await.0, session)
}

/// The default session's id.
async fn default_session(gateway: &Gateway) -> String {
    gateway.client("session=default").await.session
}

/// One call with a token: HTTP status and body.
async fn call(gateway: &Gateway, token: &str, method: &str, params: Value) -> (StatusCode, Value) {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let sent =
        reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(token).json(&request);
    let reply = sent.send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

async fn ask(gateway: &Gateway, token: &str, method: Method, path: &str) -> (StatusCode, Value) {
    let sent = reqwest::Client::new().request(method, format!("{}{path}", gateway.url())).bearer_auth(token);
    let reply = sent.send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

/// How a connection ends at once.
async fn closed(gateway: &Gateway, query: &str, token: &str) -> Option<(u16, String)> {
    Client::open(gateway.url(), query, token).await.unwrap().closed().await
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with how a connection ended")]
fn because(words: &str) -> Option<(u16, String)> {
    Some((1008, words.to_owned()))
}

#[tokio::test]
async fn a_token_for_a_session_opens_that_session_and_nothing_else() {
    let gateway = Gateway::new().start().await;
    let (token, own) = client_token(&gateway).await;
    let other = default_session(&gateway).await;
    assert_ne!(own, other);

    let mut client = Client::connect(gateway.url(), "", &token).await;
    assert_eq!(client.session, own, "a client that names no session has the token's");
    client.initialize().await;
    client.call("argus/input/enqueue", json!({ "text": "[say: mine]" })).await;
    assert_eq!(client.turn().await, ("mine".to_owned(), "completed".to_owned()));
    assert_eq!(Client::connect(gateway.url(), &format!("session={own}"), &token).await.session, own);
    let mut bare = Client::open_bare(gateway.url(), &token).await.unwrap();
    assert_eq!(bare.notification("argus/session").await["params"]["id"], own);

    for query in [format!("session={other}"), "session=default".to_owned(), "session=nowhere".to_owned()] {
        let words = because("this token is for another session");
        assert_eq!(closed(&gateway, &query, &token).await, words, "{query}");
    }
}

#[tokio::test]
async fn every_surface_is_open_to_the_scopes_that_it_is_for_and_to_no_other() {
    let gateway = Gateway::new().start().await;
    let (client, own) = client_token(&gateway).await;
    let other = default_session(&gateway).await;
    let (operator, _) = token(&gateway, json!({ "scope": "operator" })).await;
    let (mcp, _) = token(&gateway, json!({ "scope": format!("mcp:{own}") })).await;
    let (node, _) = token(&gateway, json!({ "scope": format!("node:runtime:{own}") })).await;
    let holders = [&operator, &client, &mcp, &node];

    let everybody = [StatusCode::OK; 4];
    let operators = [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::FORBIDDEN];
    let clients = [StatusCode::OK, StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::FORBIDDEN];
    for (method, path, expected) in [
        (Method::GET, "/healthz".to_owned(), everybody),
        (Method::GET, "/sessions".to_owned(), operators),
        (Method::GET, format!("/sessions/{own}"), clients),
        (Method::GET, format!("/sessions/{other}"), operators),
    ] {
        for (holder, expected) in holders.iter().zip(expected) {
            let (status, body) = ask(&gateway, holder, method.clone(), &path).await;
            assert_eq!(status, expected, "{method} {path}: {body}");
            let words = body["detail"].as_str().unwrap_or_default();
            assert_eq!(words.contains("is not for a token of scope"), status == StatusCode::FORBIDDEN);
        }
    }
    for holder in &holders[1..] {
        let (status, body) = ask(&gateway, holder, Method::DELETE, &format!("/sessions/{own}")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        assert_eq!(ask(&gateway, holder, Method::GET, "/readyz").await.1, json!({ "ok": true }));
    }
    assert!(ask(&gateway, &operator, Method::GET, "/readyz").await.1["reasons"].is_array());

    // Whether the call is let through: parameters that the method refuses do not matter here.
    for (method, params, open) in [
        ("argus/input/enqueue", json!({ "text": "[say: hi]" }), [true, true, false, false]),
        ("argus/input/enqueue", json!({ "text": "x", "sessionId": other }), [true, false, false, false]),
        ("argus/thread/main/ensure", json!({ "sessionId": own }), [true, true, false, false]),
        ("argus/chat/receive", json!({}), [true, false, false, false]),
        ("argus/chat/moved", json!({}), [true, false, false, false]),
        ("argus/channel/report", json!({}), [true, false, false, false]),
        ("argus/pairing/code", json!({}), [true, false, false, false]),
        ("argus/token/create", json!({}), [true, false, false, false]),
        ("argus/token/list", json!({}), [true, false, false, false]),
        ("argus/token/revoke", json!({}), [true, false, false, false]),
        ("argus/token/rotate", json!({}), [true, false, false, false]),
    ] {
        for (holder, open) in holders.iter().zip(open) {
            let (status, reply) = call(&gateway, holder, method, params.clone()).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(reply["error"]["code"] != -32003, open, "{method} {params}: {reply}");
        }
    }
    // An answer goes to the chat that is named.
    let source = json!({ "text": "x", "source": { "channel": "telegram", "chatKey": "7" } });
    assert_eq!(call(&gateway, &client, "argus/input/enqueue", source).await.1["error"]["code"], -32003);

    let mut socket = Client::connect(gateway.url(), "", &client).await;
    for method in ["argus/token/create", "argus/pairing/code", "argus/chat/receive"] {
        let reply = socket.call(method, json!({})).await;
        assert_eq!(reply["error"]["code"], -32003, "{reply}");
        let words = format!("`{method}` is not for a token of scope `client:{own}`");
        assert_eq!(reply["error"]["message"], words);
    }
    for token in [mcp, node] {
        assert_eq!(closed(&gateway, "", &token).await, because("this token is not for clients"));
    }
    assert_eq!(Client::connect(gateway.url(), "session=default", &operator).await.session, other);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_makes_no_token() {
    let gateway = Gateway::new().start().await;
    for (wish, words) in [
        (json!({}), "missing field `scope`"),
        (json!({ "scope": "root" }), "`scope`: no scope"),
        (json!({ "scope": "client:nowhere" }), "Unknown session `nowhere`"),
        (json!({ "scope": "operator", "ttlSeconds": 0 }), "`ttlSeconds` must be 1 to 315360000, got 0"),
        (json!({ "scope": "operator", "ttlSeconds": u64::MAX }), "`ttlSeconds` must be 1 to"),
        (json!({ "scope": "operator", "ttlSeconds": -1 }), "invalid value"),
        (json!({ "scope": "operator", "label": "x".repeat(101) }), "`label` must be at most 100 bytes"),
        (json!({ "scope": "operator", "label": "a\nb" }), "without control characters"),
        (json!({ "scope": "operator", "maxConnections": 0 }), "`maxConnections` must be 1 to 4096"),
        (json!({ "scope": "operator", "maxFrameBytes": 1_u64 << 40 }), "`maxFrameBytes` must be 4096 to"),
        (json!({ "scope": "operator", "maxRequestsPerSecond": 0 }), "`maxRequestsPerSecond` must be 1"),
        (json!({ "scope": "operator", "only": "reading" }), "unknown field `only`"),
    ] {
        let reply = gateway.rpc("argus/token/create", wish.clone()).await;
        assert!(reply["error"]["message"].as_str().unwrap_or_default().contains(words), "{wish}: {reply}");
    }
    assert_eq!(gateway.rpc("argus/token/list", json!({})).await["result"]["tokens"], json!([]));
}

#[tokio::test]
async fn a_revoked_token_lets_go_of_whoever_is_connected_with_it_and_of_nobody_else() {
    let mut gateway = Gateway::new().start().await;
    let session = default_session(&gateway).await;
    let wish = json!({ "scope": "client:default", "label": "phone" });
    let ((gone, id), (kept, _)) = (token(&gateway, wish.clone()).await, token(&gateway, wish).await);
    let mut letting_go = [
        Client::connect(gateway.url(), "", &gone).await,
        Client::connect(gateway.url(), &format!("session={session}"), &gone).await,
    ];
    let mut staying = Client::connect(gateway.url(), "", &kept).await;
    let listed = gateway.rpc("argus/token/list", json!({})).await;
    let of = |listed: &Value, id: &str| {
        let all = listed["result"]["tokens"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["id"] == id).unwrap_or_default()
    };
    assert_eq!(of(&listed, &id)["connections"], 2, "{listed}");
    assert_eq!(gateway.rpc("argus/token/revoke", json!({ "id": id })).await["result"], json!({ "ok": true }));
    for client in &mut letting_go {
        assert_eq!(client.closed().await, because("the token was revoked"));
    }
    staying.initialize().await;
    for starts in 0..2 {
        assert_eq!(closed(&gateway, "", &gone).await, because("the token was revoked"), "start {starts}");
        let detail = json!({ "detail": "the token was revoked" });
        let refused = (StatusCode::UNAUTHORIZED, detail);
        assert_eq!(ask(&gateway, &gone, Method::GET, &format!("/sessions/{session}")).await, refused);
        let listed = gateway.rpc("argus/token/list", json!({})).await;
        assert_eq!(of(&listed, &id)["state"], "revoked", "{listed}");
        Client::connect(gateway.url(), "", &kept).await;
        gateway.kill();
        gateway.restart().await;
    }
    let again = gateway.rpc("argus/token/revoke", json!({ "id": id })).await;
    assert_eq!(again["error"]["code"], -32000, "{again}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_with_its_token_too() {
    let gateway = Gateway::new().start().await;
    default_session(&gateway).await;
    let (secret, id) = token(&gateway, json!({ "scope": "client:default" })).await;
    let mut deaf = Client::open_narrow(gateway.url(), "", &secret).await.unwrap();
    let mut other = gateway.client("session=default").await;
    other.initialize().await;
    // More than the sockets between take, and less than is kept for one client.
    other.call("argus/input/enqueue", json!({ "text": "[deltas: 5000 1500]" })).await;
    assert_eq!(other.turn().await.1, "completed");
    let one = |reply: Value| reply["result"]["tokens"][0].clone();
    assert_eq!(one(gateway.rpc("argus/token/list", json!({})).await)["connections"], 1);
    gateway.rpc("argus/token/revoke", json!({ "id": id })).await;
    // What it says now is not heard: the gateway has left.
    eventually("the client was let go", async || {
        gateway.log().contains("let_go=Some(Barred(\"the token was revoked\"))").then_some(())
    })
    .await;
    assert!(deaf.closed().await.is_none_or(|(code, _)| code == 1008));
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_with_its_session() {
    let gateway = Gateway::new().start().await;
    let (_, session) = client_token(&gateway).await;
    let scope = format!("client:{session}");
    let made = gateway.rpc("argus/token/create", json!({ "scope": scope, "ttlSeconds": 1 })).await;
    let short = made["result"]["token"].as_str().unwrap().to_owned();
    assert!(made["result"]["expiresAtMs"].is_u64(), "{made}");
    let mut client = Client::connect(gateway.url(), "", &short).await;
    assert_eq!(client.closed().await, because("the token expired"));
    assert_eq!(closed(&gateway, "", &short).await, because("the token expired"));
    assert_eq!(
        call(&gateway, &short, "argus/thread/main/ensure", json!({})).await.0,
        StatusCode::UNAUTHORIZED
    );
    let listed = gateway.rpc("argus/token/list", json!({})).await;
    assert_eq!(listed["result"]["tokens"][0]["state"], "expired", "{listed}");

    let (long, _) = token(&gateway, json!({ "scope": scope })).await;
    let mut client = Client::connect(gateway.url(), "", &long).await;
    let own = gateway.token();
    let (status, _) = ask(&gateway, &own, Method::DELETE, &format!("/sessions/{session}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));
    assert_eq!(closed(&gateway, "", &long).await, because("the token was revoked"));
}

#[tokio::test]
async fn the_operators_token_is_replaced_at_once_and_for_good_and_others_stay() {
    let mut gateway = Gateway::new().start().await;
    let session = default_session(&gateway).await;
    let (secret, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let mut others = Client::connect(gateway.url(), "", &secret).await;
    others.initialize().await;
    let mut own = gateway.client("session=default").await;
    let (before, agents) = (gateway.token(), gateway.processes("scripted-app-se"));
    assert_eq!(agents.len(), 1);
    let reply = gateway.rpc("argus/token/rotate", json!({ "what": "operator" })).await;
    assert_eq!(reply["result"], json!({ "ok": true }));
    let after = gateway.token();
    assert!(before != after && after.len() == 64);
    assert_eq!(own.closed().await, because("the operator's token was rotated"));
    for starts in 0..2 {
        assert_eq!(closed(&gateway, "", &before).await, because("Unauthorized"), "start {starts}");
        assert_eq!(Client::connect(gateway.url(), "session=default", &after).await.session, session);
        assert_eq!(Client::connect(gateway.url(), "", &secret).await.session, session);
        assert_eq!(gateway.token(), after);
        gateway.kill();
        gateway.restart().await;
    }
    assert_eq!(gateway.processes("scripted-app-se"), agents, "no runtime was disturbed");
}

#[tokio::test]
async fn another_key_voids_every_made_token_and_leaves_the_operators_and_the_agents() {
    let mut gateway = Gateway::new().start().await;
    let mut own = gateway.client("session=default").await;
    own.initialize().await;
    let agents = gateway.processes("scripted-app-se");
    let (client, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let (operator, _) = token(&gateway, json!({ "scope": "operator" })).await;
    let mut connected = Client::connect(gateway.url(), "", &client).await;
    gateway.rpc("argus/token/rotate", json!({ "what": "key" })).await;
    assert_eq!(connected.closed().await, because("the token was revoked: the key was rotated"));
    let (fresh, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    for _ in 0..2 {
        for void in [&client, &operator] {
            assert_eq!(closed(&gateway, "", void).await, because("Unauthorized"));
        }
        Client::connect(gateway.url(), "", &fresh).await;
        gateway.client("session=default").await;
        gateway.kill();
        gateway.restart().await;
    }
    assert_eq!(gateway.processes("scripted-app-se"), agents, "no runtime was disturbed");
}

#[tokio::test]
async fn a_kill_between_the_deed_and_its_answer_leaves_what_was_stored() {
    let mut gateway = Gateway::new().start().await;
    let session = default_session(&gateway).await;
    let (secret, id) = token(&gateway, json!({ "scope": "client:default" })).await;
    let own = gateway.token();
    for (place, method, params) in [
        ("token.noted", "argus/token/create", json!({ "scope": "client:default", "label": "lost" })),
        ("token.operator_rotated", "argus/token/rotate", json!({ "what": "operator" })),
        ("token.key_rotated", "argus/token/rotate", json!({ "what": "key" })),
    ] {
        gateway.kill();
        gateway.set("ARGUS_CRASH_AT", place);
        gateway.restart().await;
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let call = reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(gateway.token());
        assert!(call.json(&request).send().await.is_err(), "{place}: nobody is told");
        gateway.kill();
        gateway.set("ARGUS_CRASH_AT", "");
        gateway.restart().await;
        let listed = gateway.rpc("argus/token/list", json!({})).await;
        let tokens = listed["result"]["tokens"].as_array().unwrap();
        let (all, valid) = (tokens.iter().map(|one| &one["state"]), place != "token.key_rotated");
        assert!(all.clone().all(|state| *state == if valid { "valid" } else { "revoked" }), "{listed}");
        assert_eq!(tokens.len(), 2, "what was noted can be seen and ended: {listed}");
        assert!(tokens.iter().any(|one| one["id"] == id.as_str()));
        let (status, _) = ask(&gateway, &secret, Method::GET, &format!("/sessions/{session}")).await;
        assert_eq!(status == StatusCode::OK, valid, "{place}");
        assert_eq!(gateway.token() == own, place == "token.noted");
    }
}

#[tokio::test]
async fn so_many_are_connected_with_one_token_at_once() {
    let gateway = Gateway::new().with("ARGUS_TOKEN_CONNECTIONS", "2").start().await;
    let session = default_session(&gateway).await;
    let (two, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let (three, _) = token(&gateway, json!({ "scope": "client:default", "maxConnections": 3 })).await;
    for (secret, most) in [(two, 2), (three, 3)] {
        let mut connected = Vec::new();
        for _ in 0..most {
            connected.push(Client::connect(gateway.url(), "", &secret).await);
        }
        let words = format!("too many connections with this token ({most})");
        assert_eq!(closed(&gateway, "", &secret).await, because(&words));
        let refused = ask(&gateway, &secret, Method::GET, &format!("/sessions/{session}")).await;
        assert_eq!(refused, (StatusCode::TOO_MANY_REQUESTS, json!({ "detail": words })));
        connected.pop().unwrap().leave().await;
        eventually("there is room again", async || {
            let (status, _) = ask(&gateway, &secret, Method::GET, &format!("/sessions/{session}")).await;
            (status == StatusCode::OK).then_some(())
        })
        .await;
    }
    gateway.client("session=default").await;
}

#[tokio::test]
async fn frames_are_taken_up_to_the_limit_of_their_token() {
    let gateway = Gateway::new().with("ARGUS_TOKEN_FRAME_BYTES", "8192").start().await;
    default_session(&gateway).await;
    let (usual, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let (larger, _) = token(&gateway, json!({ "scope": "client:default", "maxFrameBytes": 16384 })).await;
    for (secret, limit) in [(usual, 8192), (larger, 16384)] {
        let mut client = Client::connect(gateway.url(), "", &secret).await;
        let frame = |length: usize| {
            let bare = json!({ "id": 1, "method": "argus/no/such", "params": { "x": "" } }).to_string();
            bare.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(length - bare.len())))
        };
        client.send_text(&frame(limit)).await;
        assert_eq!(client.reply(1).await["error"]["code"], -32601);
        client.send_text(&frame(limit + 1)).await;
        assert_eq!(client.closed().await, Some((1009, "the frame is over the limit".to_owned())));
        let long = json!({ "text": "x".repeat(limit) });
        let (status, body) = call(&gateway, &secret, "argus/input/enqueue", long).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{body}");
        assert!(body["detail"].as_str().unwrap().contains(&format!("({limit} bytes)")), "{body}");
    }
}

#[tokio::test]
async fn requests_over_the_pace_of_a_token_are_told_when_to_come_again() {
    let gateway = Gateway::new().with("ARGUS_TOKEN_REQUESTS_PER_SECOND", "1").start().await;
    let session = default_session(&gateway).await;
    let (secret, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let mut client = Client::connect(gateway.url(), "", &secret).await;
    let mut told = Vec::new();
    for _ in 0..6 {
        let reply = client.call("argus/no/such", json!({})).await;
        if reply["error"]["code"] == -32001 {
            told.push(reply);
        } else {
            assert_eq!(reply["error"]["code"], -32601, "{reply}");
        }
    }
    // Four at once, and one for each second that has passed.
    let first = told.first().expect("some came too soon");
    let wait = first["error"]["data"]["retryAfterMs"].as_u64().expect("it is told when");
    assert!((1..=1001).contains(&wait), "{first}");
    assert!(first["error"]["message"].as_str().unwrap().contains("too many requests with this token"));
    // The pace is the token's, on whatever way: once it is used up, somewhere a refusal comes.
    let mut seen = (false, false);
    for _ in 0..4 {
        let (_, reply) = call(&gateway, &secret, "argus/no/such", json!({})).await;
        seen.0 |= reply["error"]["data"]["retryAfterMs"].is_u64();
        let (status, _) = ask(&gateway, &secret, Method::GET, &format!("/sessions/{session}")).await;
        seen.1 |= status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert_eq!(seen, (true, true));
    // Notifications are not dropped but waited for, and what follows them with them.
    for _ in 0..3 {
        client.send_text(r#"{"method":"argus/no/such"}"#).await;
    }
    client.send_text("{").await;
    let answer = client.wait("the answer behind them", |frame| frame["error"]["code"] == -32700).await;
    assert_eq!(answer["id"], Value::Null);
    // The operator has no pace.
    for _ in 0..50 {
        assert_eq!(gateway.rpc("argus/no/such", json!({})).await["error"]["code"], -32601);
    }
}

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
        (&*who, "refused", "/ws", "this token is for another session"),
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

#[tokio::test]
async fn whoever_has_a_made_token_is_not_sent_away_to_make_room_for_strangers() {
    let gateway = Gateway::new().start().await;
    default_session(&gateway).await;
    let (secret, _) = token(&gateway, json!({ "scope": "client:default" })).await;
    let mut client = Client::connect(gateway.url(), "", &secret).await;
    let place = gateway.url().trim_start_matches("http://").to_owned();
    let mut strangers = Vec::new();
    // More than there is room for.
    for _ in 0..140 {
        strangers.push(tokio::net::TcpStream::connect(&place).await.unwrap());
    }
    let mut gone = [0];
    tokio::io::AsyncReadExt::read(&mut strangers[0], &mut gone).await.unwrap_or_default();
    assert_eq!(client.call("argus/no/such", json!({})).await["error"]["code"], -32601);
    Client::connect(gateway.url(), "", &secret).await;
}
