//! How much may be taken with one token.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ask, call, closed, default_session, token};

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
        assert_eq!(closed(&gateway, "", &secret).await, Some((1013, words.clone())));
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
    // Four at once, and one for each second that has passed.
    let first = loop {
        let reply = client.call("argus/no/such", json!({})).await;
        if reply["error"]["code"] == -32001 {
            break reply;
        }
        assert_eq!(reply["error"]["code"], -32601, "{reply}");
    };
    let wait = first["error"]["data"]["retryAfterMs"].as_u64().expect("it is told when");
    assert!((1..=1001).contains(&wait), "{first}");
    assert!(first["error"]["message"].as_str().unwrap().contains("too many requests with this token"));
    // The pace is the token's, on whatever way: once it is used up, somewhere a refusal comes.
    let mut seen = (false, false);
    while seen != (true, true) {
        let (_, reply) = call(&gateway, &secret, "argus/no/such", json!({})).await;
        seen.0 |= reply["error"]["data"]["retryAfterMs"].is_u64();
        let (status, _) = ask(&gateway, &secret, Method::GET, &format!("/sessions/{session}")).await;
        seen.1 |= status == StatusCode::TOO_MANY_REQUESTS;
    }
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
