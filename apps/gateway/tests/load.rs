//! Clients that read too little, say too much, or say it too big: they are let go, and nobody else is delayed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

/// A client of the default session that does not want to see what the agent says word by word.
async fn quiet(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    let introduction = json!({ "clientInfo": { "name": "quiet", "version": "1" },
        "capabilities": { "optOutNotificationMethods": ["item/agentMessage/delta"] } });
    assert!(client.call("initialize", introduction).await["result"].is_object());
    client
}

#[tokio::test]
async fn a_client_that_never_reads_is_let_go_and_nobody_waits_for_it() {
    let gateway = Gateway::new().start().await;
    let mut other = quiet(&gateway).await;
    let mut deaf = Client::open_narrow(gateway.url(), "session=default", &gateway.token()).await.unwrap();
    let session = deaf.notification("argus/session").await["params"]["id"].clone();
    // More frames than are kept for one client, whatever the sockets hold besides.
    other.call("argus/input/enqueue", json!({ "text": "[deltas: 16000 600]" })).await;
    let mut round_trips = 0;
    eventually("it is let go", async || {
        assert!(other.call("account/read", json!({})).await["result"].is_object());
        round_trips += 1;
        gateway.log().contains("let_go=Some(Slow)").then_some(())
    })
    .await;
    assert_eq!(other.turn().await.1, "completed");
    assert_eq!(deaf.closed().await, Some((1013, "too slow: reconnect to go on".to_owned())));
    assert!(round_trips > 0);
    // It may come again.
    let mut deaf = gateway.client(&format!("session={}", session.as_str().unwrap())).await;
    assert!(deaf.call("account/read", json!({})).await["result"].is_object());
}

#[tokio::test]
async fn a_client_that_reads_is_not_let_go_however_much_is_said() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client.call("argus/input/enqueue", json!({ "text": "[deltas: 12000 10]" })).await;
    let (text, status) = client.turn().await;
    assert_eq!((text.len(), status.as_str()), (120_000, "completed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_is_turned_away_and_other_sessions_are_served() {
    let gateway = Arc::new(Gateway::new().start().await);
    let mut other = gateway.client("").await;
    other.initialize().await;
    let done = Arc::new(AtomicBool::new(false));
    let flood = tokio::spawn({
        let (gateway, done) = (gateway.clone(), done.clone());
        async move {
            let (mut sent, mut let_go) = (0_u64, 0);
            let mut client = gateway.client("session=default").await;
            while !done.load(Ordering::Relaxed) || sent < 20_000 {
                sent += 1;
                let request = json!({ "id": sent, "method": "thread/list", "params": {} });
                if !client.try_send_text(request.to_string()).await {
                    let_go += 1;
                    client = gateway.client("session=default").await;
                }
            }
            (client, let_go)
        }
    });
    for n in 0..30 {
        let text = format!("[say: {n}]");
        let started = other.call("argus/input/enqueue", json!({ "text": text })).await;
        assert_eq!(started["result"]["ok"], true, "{started}");
        assert_eq!(other.turn().await, (n.to_string(), "completed".to_owned()));
    }
    done.store(true, Ordering::Relaxed);
    let (mut client, let_go) = flood.await.unwrap();
    let mut turned_away = let_go > 0;
    while !turned_away {
        turned_away = match client.next().await {
            Ok(frame) => frame["error"]["code"] == -32001,
            Err(close) => {
                assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1013));
                true
            }
        };
    }
    // And the session that was flooded serves again.
    let mut calm = gateway.client("session=default").await;
    calm.initialize().await;
    eventually("the flood has run off", async || {
        calm.call("thread/list", json!({})).await.get("result").map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_with_a_reason() {
    for limit in [64 << 20, 100_000] {
        let gateway = Gateway::new().with("ARGUS_JSONL_LINE_LIMIT_BYTES", limit.to_string()).start().await;
        let mut other = quiet(&gateway).await;
        let mut client = gateway.client("session=default").await;
        client.initialize().await;
        let head = r#"{"id":1,"method":"thread/list","params":{"x":""#;
        let frame = |bytes: usize| format!("{head}{}\"}}}}", "x".repeat(bytes - head.len() - 3));
        if limit < 1 << 20 {
            client.send_text(&frame(limit)).await;
            assert!(client.reply(1).await["result"].is_object(), "as long as the limit is not over it");
        }
        client.try_send_text(frame(limit + 1)).await;
        assert_eq!(client.closed().await, Some((1009, "the frame is over the limit".to_owned())));
        assert!(other.call("account/read", json!({})).await["result"].is_object());
    }
}

#[tokio::test]
async fn clients_that_come_and_go_leave_nothing_open() {
    let gateway = Gateway::new().start().await;
    let mut stays = quiet(&gateway).await;
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap().count();
    // The session itself may yet open a file or two of its own.
    let before = descriptors() + 3;
    for n in 0..60 {
        let mut client = gateway.client("session=default").await;
        client.request("thread/list", json!({})).await;
        if n % 2 == 0 {
            client.leave().await;
        }
    }
    stays.call("account/read", json!({})).await;
    eventually("every connection is closed", async || (descriptors() <= before).then_some(())).await;
}
