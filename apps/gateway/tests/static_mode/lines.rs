//! Lines as an upstream should not write them.

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

use crate::upstream::{Agent, Played, Upstream, behind, free_port, noticed};
use crate::{completed, introduced, start_turn, thread, words};

#[tokio::test]
async fn a_line_over_the_limit_is_left_out_and_whoever_waits_for_it_is_told() {
    let gateway = Gateway::new().with("ARGUS_JSONL_LINE_LIMIT_BYTES", "65536");
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut client = introduced(&gateway, "").await;
    let thread = thread(&mut client).await;
    start_turn(&mut client, &thread, "[big: 1000000] [say: after it]").await;
    let dropped = client.notification("argus/dropped").await;
    assert_eq!(dropped["params"]["method"], "warning", "{dropped}");
    assert_eq!(client.turn().await, completed("after it"));
    // A turn of ours whose end is too long ends all the same.
    let started =
        client.call("argus/input/enqueue", json!({ "text": "[big completed: 100000] [say: heard]" })).await;
    assert_eq!(started["result"]["ok"], true, "{started}");
    let dropped = client.notification("argus/dropped").await;
    assert_eq!(dropped["params"]["method"], "turn/completed", "{dropped}");
    let next = client.call("argus/input/enqueue", json!({ "text": "[say: and on]" })).await;
    assert_eq!(next["result"]["ok"], true, "{next}");
    assert_eq!(client.turn().await, completed("and on"));
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_reply_over_the_limit_is_an_error_to_whoever_asked() {
    let door = free_port().await;
    let gateway = behind(door.local_addr().unwrap().port(), Gateway::new());
    let gateway = gateway.with("ARGUS_JSONL_LINE_LIMIT_BYTES", "65536").start().await;
    let mut client = gateway.client("").await;
    let mut agent = Played::take(&door).await;
    let open = client.request("thread/list", json!({})).await;
    agent.answer("thread/list", json!({ "data": ["x".repeat(1 << 20)] })).await;
    let said = words(&client.reply(open).await);
    assert!(said.contains("over the limit of 65536"), "{said}");
}

#[tokio::test]
async fn what_is_no_frame_is_left_out_and_what_follows_is_heard() {
    let door = free_port().await;
    let gateway = behind(door.local_addr().unwrap().port(), Gateway::new()).start().await;
    let mut client = gateway.client("").await;
    let mut agent = Played::take(&door).await;
    let heard = |n: u32| json!({ "method": "warning", "params": { "n": n } });
    let garbage: [&[u8]; 9] = [
        b"panic: no such thing",
        b"",
        b"   ",
        b"\r",
        b"[1,2]",
        b"{}",
        b"{\"method\":7}",
        b"{\"method\":\"\xff\"}",
        b"{\"method\":\"warning\"",
    ];
    for (n, line) in (1..).zip(garbage) {
        agent.write(&[line, b"\n"].concat()).await;
        agent.write(format!("{}\r\n", heard(n)).as_bytes()).await;
        assert_eq!(client.next().await, Ok(heard(n)));
    }
    // The last words need no end of line.
    agent.write(heard(100).to_string().as_bytes()).await;
    agent.leave(&gateway).await;
    assert_eq!(client.next().await, Ok(heard(100)));
    for _ in 0..2 {
        let open = client.request("thread/list", json!({})).await;
        let mut agent = Played::take(&door).await;
        agent.answer("thread/list", json!({ "data": [] })).await;
        assert_eq!(client.reply(open).await["result"]["data"], json!([]));
        agent.write(b"{\"method\":\"half a line").await;
        agent.leave(&gateway).await;
    }
    assert!(gateway.log().contains("no frame"), "{}", gateway.log());
}

#[tokio::test]
async fn a_large_frame_passes_both_ways_as_it_is() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut client = introduced(&gateway, "").await;
    let thread = thread(&mut client).await;
    let text = "ä".repeat(1 << 20);
    start_turn(&mut client, &thread, &format!("[say: {text}]")).await;
    assert_eq!(client.turn().await, completed(&text));
}

#[tokio::test]
async fn an_agent_that_does_not_answer_its_greeting_is_hung_up_on() {
    let door = free_port().await;
    let gateway = behind(door.local_addr().unwrap().port(), Gateway::new()).start().await;
    let mut client = gateway.client("").await;
    let (stream, _) = door.accept().await.unwrap();
    let mut agent = Played::over(stream);
    let id = agent.asked("initialize").await;
    let refusal = json!({ "id": id, "error": { "code": -32600, "message": "unknown version" } });
    agent.write(format!("{refusal}\n").as_bytes()).await;
    agent.hung_up().await;
    // What is asked before the session knows is answered with why, and asks for no other connection.
    eventually("the session knows", async || (noticed(&gateway) > 0).then_some(())).await;
    let open = client.request("initialize", json!({ "clientInfo": { "name": "x", "version": "1" } })).await;
    Played::take(&door).await;
    assert_eq!(client.reply(open).await["result"]["userAgent"], "x/0.1 (Played)");
}
