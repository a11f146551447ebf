//! What a token opens, and what it does not.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{ask, because, call, client_token, closed, default_session, token};

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
        ("argus/chat/press", json!({}), [true, false, false, false]),
        ("argus/channel/report", json!({}), [true, false, false, false]),
        ("argus/pairing/code", json!({}), [true, false, false, false]),
        ("argus/pairing/list", json!({}), [true, false, false, false]),
        ("argus/pairing/approve", json!({}), [true, false, false, false]),
        ("argus/pairing/revoke", json!({}), [true, false, false, false]),
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
