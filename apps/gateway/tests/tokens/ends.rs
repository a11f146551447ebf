//! How a token ends, and what ends with it.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ask, because, call, client_token, closed, default_session, token};

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
async fn a_connection_without_a_socket_ends_with_its_token_and_the_deed_that_ended_it_is_answered() {
    let gateway = Gateway::new().start().await;
    default_session(&gateway).await;
    let (secret, id) = token(&gateway, json!({ "scope": "operator" })).await;
    let address = gateway.url().trim_start_matches("http://");
    let mut idle = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /sessions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {secret}\r\n\r\n");
    idle.write_all(request.as_bytes()).await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    let (status, reply) = call(&gateway, &secret, "argus/token/revoke", json!({ "id": id })).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!({ "ok": true })));
    let ended = async { while idle.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
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
    assert_eq!(listed["result"]["tokens"][1]["state"], "expired", "{listed}");

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
