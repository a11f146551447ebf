//! Links that break, come back, and are taken over.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use serde_json::json;

use super::{invoke, listed, token, until_there_are};

#[tokio::test]
async fn a_call_goes_on_when_the_link_of_the_same_program_comes_back() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let asked =
        invoke(&gateway, json!({ "node": "mac", "command": "system.run", "params": { "argv": ["true"] } }));
    let call = mac.call().await;
    drop(mac);
    until_there_are(&gateway, &[]).await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    assert_eq!(mac.call().await, call, "the same call, under its id");
    mac.answer(&call, json!("done")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "done");
    // The same where the new link is there before the old one is known to be broken.
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    let mut newer = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    assert_eq!(mac.closed().await, Some((1012, "replaced".to_owned())));
    assert_eq!(newer.call().await, call);
    newer.answer(&call, json!("again")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "again");
    assert_eq!(listed(&gateway, &gateway.token()).await, ["mac"], "the newer one stays");
}

#[tokio::test]
async fn a_result_that_comes_again_because_nobody_heard_its_acknowledgement_is_acknowledged_again() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.answer(&call, json!("done")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "done");
    drop(mac);
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let ack = json!({ "type": "event", "event": "node.invoke.ack", "payload": { "id": call["id"] } });
    mac.answer(&call, json!("done")).await;
    assert_eq!(mac.drain(Duration::from_millis(300)).await, std::slice::from_ref(&ack));
    let result = json!({ "id": call["id"], "nodeId": "mac", "ok": true, "payload": "x".repeat(600_000) });
    let frame = json!({ "type": "event", "event": "node.invoke.result", "payload": result }).to_string();
    mac.send_parts(&call, &frame).await;
    assert_eq!(mac.drain(Duration::from_millis(300)).await, [ack]);
    // Of what was never asked nothing is said.
    mac.answer(&json!({ "id": "nobody's" }), json!("done")).await;
    assert!(mac.drain(Duration::from_millis(100)).await.is_empty());
}

#[tokio::test]
async fn however_much_is_under_way_a_link_that_comes_back_has_room_for_all_of_it() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let large = "x".repeat(1_000_000);
    let (mut under_way, mut busy) = (Vec::new(), 0);
    for _ in 0..12 {
        let mut asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run", "params": large }));
        tokio::select! {
            call = mac.call() => under_way.push((asked, call["id"].clone())),
            told = &mut asked => {
                assert_eq!(told.unwrap().1["error"]["code"], "BUSY");
                busy += 1;
            }
        }
    }
    assert!(under_way.len() >= 4, "{busy} were too many");
    drop(mac);
    until_there_are(&gateway, &[]).await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    for _ in 0..under_way.len() {
        let call = mac.call().await;
        mac.answer(&call, call["id"].clone()).await;
    }
    for (asked, id) in under_way {
        assert_eq!(asked.await.unwrap().1["payload"], id);
    }
}

#[tokio::test]
async fn a_call_is_lost_with_the_program_that_was_asked_and_its_job_is_named() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.tell("node.invoke.job", json!({ "id": call["id"], "jobId": "j1" })).await;
    drop(mac);
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-2").await;
    let words = "the program of the node `mac` was started anew, and the answer is lost";
    let fault = json!({ "code": "NODE_REPLACED", "message": words, "jobId": "j1" });
    assert_eq!(asked.await.unwrap().1["error"], fault);
    assert!(mac.drain(Duration::from_millis(100)).await.is_empty(), "it is not asked again");
}

#[tokio::test]
async fn a_call_ends_when_its_node_does_not_come_back() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run", "timeoutMs": 60_000 }));
    let call = mac.call().await;
    mac.tell("node.invoke.job", json!({ "id": call["id"], "jobId": "j1" })).await;
    drop(mac);
    let words = "the node `mac` went away before it answered";
    let fault = json!({ "code": "NODE_DISCONNECTED", "message": words, "jobId": "j1" });
    assert_eq!(asked.await.unwrap().1["error"], fault);
}

#[tokio::test]
async fn a_call_to_a_node_of_the_reference_ends_at_once_when_that_leaves_or_is_replaced() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:old").await;
    let run = || invoke(&gateway, json!({ "node": "old", "command": "system.run" }));
    let mut old = Node::of_the_reference(gateway.url(), &token, "old").await;
    let asked = run();
    old.call().await;
    let mut newer = Node::of_the_reference(gateway.url(), &token, "old").await;
    assert_eq!(asked.await.unwrap().1["error"]["code"], "NODE_REPLACED");
    assert_eq!(old.closed().await, Some((1012, "replaced".to_owned())));
    let asked = run();
    newer.call().await;
    drop(newer);
    assert_eq!(asked.await.unwrap().1["error"]["code"], "NODE_DISCONNECTED");
}

#[tokio::test]
async fn whoever_was_replaced_can_neither_answer_nor_take_the_entry_with_it() {
    let gateway = Gateway::new().start().await;
    let token = token(&gateway, "node:mac").await;
    // It never reads, so it does not even notice.
    let mut deaf = Node::usual(gateway.url(), &token, "mac", "boot-1").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "boot-2").await;
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    let forged = json!({ "type": "event", "event": "node.invoke.result", "payload":
        { "id": call["id"], "nodeId": "mac", "ok": true, "payload": "forged" } });
    deaf.try_send(forged.to_string()).await;
    drop(deaf);
    mac.answer(&call, json!("true")).await;
    assert_eq!(asked.await.unwrap().1["payload"], "true");
    assert_eq!(listed(&gateway, &gateway.token()).await, ["mac"]);
}

#[tokio::test]
async fn a_node_that_does_not_read_is_let_go_and_holds_nobody_up() {
    let gateway = Gateway::new().start().await;
    let (slow, quick) = (token(&gateway, "node:slow").await, token(&gateway, "node:quick").await);
    let mut deaf = Node::open_narrow(gateway.url(), Some(&slow)).await.unwrap();
    deaf.introduce(json!({ "nodeId": "slow", "boot": "b" })).await;
    until_there_are(&gateway, &["slow"]).await;
    let mut node = Node::usual(gateway.url(), &quick, "quick", "b").await;
    let large = "x".repeat(1_000_000);
    let mut asked = Vec::new();
    for _ in 0..32 {
        asked.push(invoke(
            &gateway,
            json!({ "node": "slow", "command": "system.run", "params": large, "timeoutMs": 500 }),
        ));
    }
    let call = invoke(&gateway, json!({ "node": "quick", "command": "system.run" }));
    let request = node.call().await;
    node.answer(&request, json!(1)).await;
    assert_eq!(call.await.unwrap().1["payload"], 1);
    for asked in asked {
        let (_, told) = asked.await.unwrap();
        // Once it is let go it is nobody that is known.
        let code = told["error"]["code"].as_str().unwrap_or("NODE_NOT_FOUND").to_owned();
        let known = ["TIMEOUT", "UNAVAILABLE", "NODE_NOT_FOUND", "NODE_DISCONNECTED", "BUSY"];
        assert!(known.contains(&&*code), "{told}");
    }
    until_there_are(&gateway, &["quick"]).await;
    assert!(gateway.log().contains("let_go=Some(Slow)"));
}

#[tokio::test]
async fn fifty_nodes_come_back_after_a_restart_and_every_one_can_be_used() {
    let mut gateway = Gateway::new().start().await;
    let mut known = Vec::new();
    for number in 0..50 {
        let id = format!("node-{number:02}");
        known.push((token(&gateway, &format!("node:{id}")).await, id));
    }
    gateway.kill();
    gateway.restart().await;
    let url = gateway.url().to_owned();
    let coming = known.iter().map(|(token, id)| Node::usual(&url, token, id, "boot-1"));
    let mut nodes = futures::future::join_all(coming).await;
    let ids: Vec<_> = known.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(listed(&gateway, &gateway.token()).await, ids);
    for (node, id) in nodes.iter_mut().zip(ids) {
        let asked = invoke(&gateway, json!({ "node": id, "command": "system.run" }));
        let call = node.call().await;
        node.answer(&call, json!(id)).await;
        assert_eq!(asked.await.unwrap().1["payload"], id);
    }
}
