//! An upstream from its first client to its end.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::upstream::{Agent, Upstream, behind, free_port};
use crate::{completed, introduced, start_turn, thread, words};

#[tokio::test]
async fn two_clients_share_one_upstream_and_each_has_replies_of_its_own() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut asker = gateway.client("id=default").await;
    asker.initialize().await;
    let mut witness = introduced(&gateway, "").await;
    assert_eq!((asker.session.as_str(), witness.session.as_str()), ("default", "default"));
    let thread = thread(&mut asker).await;
    let reply = start_turn(&mut asker, &thread, "[say: shared]").await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
    for client in [&mut asker, &mut witness] {
        assert_eq!(client.turn().await, completed("shared"));
    }
    assert_eq!(upstream.connections(), 1);
    // And what a session has of its own: turns in line, here in the main thread.
    let queued = witness.call("argus/input/enqueue", json!({ "text": "[say: in line]" })).await;
    assert_eq!(queued["result"]["ok"], true, "{queued}");
    assert_eq!(asker.turn().await, completed("in line"));
}

#[tokio::test]
async fn an_approval_goes_on_to_the_next_client_when_who_was_question_leaves() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut first = introduced(&gateway, "").await;
    let mut heir = introduced(&gateway, "").await;
    let thread = thread(&mut first).await;
    start_turn(&mut first, &thread, "[approve: touch it] [say: done]").await;
    let question = first.server_request().await;
    assert_eq!(question["method"], "item/commandExecution/requestApproval", "{question}");
    drop(first);
    let again = heir.server_request().await;
    assert_eq!((&again["id"], &again["params"]), (&question["id"], &question["params"]));
    heir.send_text(&json!({ "id": again["id"], "result": { "decision": "accept" } }).to_string()).await;
    assert_eq!(heir.turn().await, completed("done"));
}

#[tokio::test]
async fn a_connection_lost_in_a_turn_fails_it_at_once_and_the_next_request_has_a_new_one() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let (mut asker, mut witness) = (introduced(&gateway, "").await, introduced(&gateway, "").await);
    let thread = thread(&mut asker).await;
    start_turn(&mut asker, &thread, "[say: remembered]").await;
    asker.turn().await;
    witness.turn().await;
    let hanging = json!([{ "type": "text", "text": "[late] [hang]" }]);
    let open = asker.request("turn/start", json!({ "threadId": thread, "input": hanging })).await;
    witness.wait("words of that turn", |frame| frame["params"]["delta"] == "echo: [lat").await;
    upstream.cut();
    let reason = format!("upstream `default` at 127.0.0.1:{} closed the connection", upstream.port);
    let refused = words(&asker.reply(open).await);
    assert!(refused.starts_with(&reason), "{refused}");
    for client in [&mut asker, &mut witness] {
        let end = client.notification("turn/completed").await;
        assert_eq!(end["params"]["turn"]["status"], "failed", "{end}");
        assert_eq!(end["params"]["turn"]["error"]["message"], reason);
    }
    // Another process has the thread now: it is resumed before anything is asked of it.
    let reply = start_turn(&mut witness, &thread, "[say: back]").await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
    assert_eq!(asker.turn().await, completed("back"));
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_client_that_comes_back_hears_what_it_missed_also_of_a_connection_that_is_no_more() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let mut gateway = upstream.behind(gateway).start().await;
    let mut asker = introduced(&gateway, "").await;
    let mut away =
        argus_testkit::client::Client::open(gateway.url(), "after=", &gateway.token()).await.unwrap();
    let hello = away.notification("argus/session").await;
    drop(away);
    let thread = thread(&mut asker).await;
    for text in ["one", "two"] {
        start_turn(&mut asker, &thread, &format!("[say: {text}]")).await;
        assert_eq!(asker.turn().await, completed(text));
        upstream.cut_from(&gateway).await;
    }
    gateway.kill();
    gateway.restart().await;
    let query =
        format!("after={}&epoch={}", hello["params"]["seq"], hello["params"]["epoch"].as_str().unwrap());
    let mut back = gateway.client(&query).await;
    assert_eq!(back.turn().await, completed("one"));
    assert_eq!(back.turn().await, completed("two"));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told_in_words_and_used_once_it_is() {
    let door = free_port().await;
    let address = door.local_addr().unwrap();
    drop(door);
    let gateway = behind(address.port(), Gateway::new()).start().await;
    let mut client = gateway.client("").await;
    let said =
        words(&client.call("initialize", json!({ "clientInfo": { "name": "x", "version": "1" } })).await);
    let expected = format!(
        "upstream `default` at {address} cannot be reached: Connection refused (os error 111); see that it runs there"
    );
    assert_eq!(said, expected);
    let waiting =
        client.call("argus/input/enqueue", json!({ "text": "[say: it waited]", "wait": false })).await;
    assert_eq!(waiting["result"]["ok"], true, "{waiting}");
    let ready = reqwest::Client::new().get(format!("{}/readyz", gateway.url())).bearer_auth(gateway.token());
    let ready: Value = ready.send().await.unwrap().json().await.unwrap();
    assert_eq!(ready["reasons"], json!([expected]));
    let _upstream = Upstream::at(TcpListener::bind(address).await.unwrap(), Agent::scripted(gateway.home()));
    client.initialize().await;
    assert_eq!(client.turn().await, completed("it waited"));
    let ready = reqwest::get(format!("{}/readyz", gateway.url()));
    assert_eq!(ready.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_turn_whose_gateway_was_killed_is_reported_and_not_run_again() {
    let gateway = Gateway::new();
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let mut gateway = upstream.behind(gateway).start().await;
    let mut client = introduced(&gateway, "").await;
    let text = json!({ "text": "[hang]", "idempotencyKey": "once" });
    let started = client.call("argus/input/enqueue", text.clone()).await;
    assert_eq!(started["result"]["started"], true, "{started}");
    gateway.kill();
    gateway.restart().await;
    let mut client = introduced(&gateway, "").await;
    let next = client.call("argus/input/enqueue", json!({ "text": "[say: on it goes]" })).await;
    assert_eq!(next["result"]["ok"], true, "{next}");
    assert_eq!(client.turn().await, completed("on it goes"));
    let begun = gateway.turns().iter().filter(|turn| turn.text.contains("[hang]")).count();
    assert_eq!(begun, 1);
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_closed_and_made_again_when_somebody_does() {
    let gateway = Gateway::new().with("ARGUS_SESSION_IDLE_STOP", "0.2");
    let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut client = introduced(&gateway, "").await;
    let thread = thread(&mut client).await;
    start_turn(&mut client, &thread, "[say: one]").await;
    assert_eq!(client.turn().await, completed("one"));
    eventually("the agent ended", async || gateway.processes("scripted-app-se").is_empty().then_some(()))
        .await;
    start_turn(&mut client, &thread, "[say: two]").await;
    assert_eq!(client.turn().await, completed("two"));
    assert!(upstream.connections() >= 2);
}

#[tokio::test]
async fn one_agent_that_outlives_its_connections_serves_though_it_was_greeted_long_ago() {
    let gateway = Gateway::new();
    let upstream = Upstream::shared(Agent::scripted(gateway.home())).await;
    let mut gateway = upstream.behind(gateway).start().await;
    let mut client = introduced(&gateway, "").await;
    let thread = thread(&mut client).await;
    start_turn(&mut client, &thread, "[say: one]").await;
    assert_eq!(client.turn().await, completed("one"));
    upstream.cut_from(&gateway).await;
    start_turn(&mut client, &thread, "[say: two]").await;
    assert_eq!(client.turn().await, completed("two"));
    gateway.kill();
    gateway.restart().await;
    let mut client = gateway.client("").await;
    let told = client.initialize().await;
    assert_eq!(
        told["result"]["userAgent"].as_str().map(|agent| agent.starts_with("test_client/0.169.0")),
        Some(true),
        "{told}"
    );
    start_turn(&mut client, &thread, "[say: three]").await;
    assert_eq!(client.turn().await, completed("three"));
    assert_eq!(upstream.connections(), 3);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1);
    tokio::time::timeout(Duration::from_mins(1), client.leave()).await.unwrap();
}
