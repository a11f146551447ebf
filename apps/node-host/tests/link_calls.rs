//! Calls over a link: done once, answered, cancelled, bounded, and whole however large.

mod link_support;

use std::time::Duration;

use argus_protocol::node::{Answer, Ask, Cancel, FromNode, ToNode};
use link_support::{Gateway, NODE, Node, Visit, echoed, soon, until};
use serde_json::json;

#[tokio::test]
async fn a_node_says_who_it_is_and_shows_its_token_in_a_header_only() {
    let gateway = Gateway::open().await;
    let _node = Node::of(&gateway);
    let mut visit = gateway.visit().await;
    assert_eq!(visit.authorization.as_deref(), Some("Bearer sesame"));
    assert_eq!(visit.uri, "/nodes/ws");
    let FromNode::Connect(connect) = visit.hear().await else { panic!("no connect") };
    assert_eq!((connect.node_id.as_str(), connect.commands), (NODE, vec!["echo".into(), "held".to_owned()]));
    assert_eq!(connect.boot.map(|boot| boot.len()), Some(32));
}

#[tokio::test]
async fn a_call_is_done_and_its_result_kept_until_it_is_acknowledged() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    visit.call("1", "echo", json!("hello")).await;
    assert_eq!(visit.answer().await, ("1".into(), echoed("hello")));
    // The same call again is neither done again nor, on the same link, answered again.
    visit.call("1", "echo", json!("hello")).await;
    visit.ack("1").await;
    until(|| *node.machine.delivered.lock().unwrap() == ["1"]).await;
    visit.call("1", "echo", json!("hello")).await;
    assert_eq!(visit.answer().await, ("1".into(), Err("FAILED".into())));
    assert_eq!(node.machine.times_done(), 1);
}

#[tokio::test]
async fn calls_that_cannot_be_done_are_answered_in_words() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    for (id, command, code) in [("1", "panics", "FAILED"), ("2", "nothing", "UNSUPPORTED")] {
        visit.call(id, command, json!(null)).await;
        assert_eq!(visit.answer().await, (id.into(), Err(code.into())));
    }
    let request = |node: &str, params: &str| {
        let payload = json!({ "id": node, "nodeId": node, "command": "echo", "paramsJSON": params });
        json!({ "type": "event", "event": "node.invoke.request", "payload": payload }).to_string()
    };
    visit.say_text(request("other", "1")).await;
    assert_eq!(visit.answer().await, ("other".into(), Err("NODE_NOT_FOUND".into())));
    visit.say_text(request(NODE, "{")).await;
    assert_eq!(visit.answer().await, (NODE.into(), Err("BAD_PARAMS".into())));
    assert_eq!(node.machine.times_done(), 2);
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_a_node_bears() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    for n in 0..64 {
        visit.call(&n.to_string(), "held", json!(null)).await;
        assert!(matches!(visit.hear().await, FromNode::Job(_)));
    }
    visit.call("more", "echo", json!(1)).await;
    assert_eq!(visit.answer().await, ("more".into(), Err("BUSY".into())));
    node.machine.let_go();
    let (ended, result) = visit.answer().await;
    assert_eq!(result, echoed("held"));
    visit.ack(&ended).await;
    // Who was refused may ask again.
    visit.call("more", "echo", json!("now")).await;
    assert_eq!(visit.answer().await, ("more".into(), echoed("now")));
}

#[tokio::test]
async fn a_cancelled_call_is_settled_with_its_job_even_if_its_command_is_deaf() {
    let gateway = Gateway::open().await;
    let _node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    let cancel = |id: &str, reason: &str| ToNode::Cancel(Cancel { id: id.into(), reason: reason.into() });
    visit.call("1", "held", json!(null)).await;
    assert!(matches!(visit.hear().await, FromNode::Job(job) if job.job_id == "job of 1"));
    visit.say(&cancel("1", "TIMEOUT")).await;
    let fault = visit.result().await.error.unwrap();
    assert_eq!((fault.code.as_str(), fault.job_id.as_deref()), ("TIMEOUT", Some("job of 1")));
    visit.call("2", "deaf", json!(null)).await;
    visit.say(&cancel("2", "CANCELLED")).await;
    assert_eq!(visit.answer().await, ("2".into(), Err("CANCELLED".into())));
    visit.say(&cancel("no such call", "TIMEOUT")).await;
    visit.call("3", "echo", json!("on")).await;
    assert_eq!(visit.answer().await, ("3".into(), echoed("on")));
}

#[tokio::test]
async fn a_large_result_comes_in_parts_beside_small_ones_and_one_too_large_as_words() {
    let gateway = Gateway::open().await;
    let _node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    visit.call("large", "large", json!(2_000_000)).await;
    let (id, payload) = visit.answer().await;
    assert_eq!((id.as_str(), payload), ("large", Ok(json!("x\u{1}".repeat(2_000_000)))));
    visit.call("too large", "large", json!(6_000_000)).await;
    assert_eq!(visit.answer().await, ("too large".into(), Err("TOO_LARGE".into())));
}

#[tokio::test]
async fn garbage_and_floods_do_not_end_a_node() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    for text in
        ["", "{", "7", "[]", r#"{"type":"event","event":"node.invoke.request"}"#, r#"{"type":"event"}"#]
    {
        visit.say_text(text).await;
    }
    visit.send(tokio_tungstenite::tungstenite::Message::Binary(vec![0xff; 1000].into())).await;
    for n in 0..20_000 {
        visit.say_text(format!(r#"{{"type":"event","event":"new.{n}","payload":{{"a":[{n}]}}}}"#)).await;
        visit.ack(&n.to_string()).await;
    }
    visit.call("1", "echo", json!("alive")).await;
    assert_eq!(visit.answer().await, ("1".into(), echoed("alive")));
    // A frame beyond all measure ends the connection, and not the node.
    visit.send(tokio_tungstenite::tungstenite::Message::text("x".repeat(9 << 20))).await;
    let (mut visit, _) = gateway.welcome().await;
    assert_eq!(visit.answer().await, ("1".into(), echoed("alive")));
    assert_eq!(node.machine.times_done(), 1);
}

#[tokio::test]
async fn a_flood_of_calls_that_nobody_hears_the_answers_of_is_not_kept() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    // The answers to these are not read: the node stops reading too, long before all of them are said.
    let mut taken = 0_u32;
    let call = async |visit: &mut Visit, n: u32| {
        let id = n.to_string();
        let said = visit.call(&id, "echo", json!("x".repeat(20_000)));
        tokio::time::timeout(Duration::from_secs(2), said).await
    };
    while taken < 10_000 && call(&mut visit, taken).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 10_000, "a node takes calls without end");
    assert!(node.machine.times_done() <= u64::from(taken));
    assert!(!node.serving.is_finished());
}

#[tokio::test]
async fn a_question_waits_for_a_link_is_put_again_after_it_and_answered() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let ask = Ask {
        id: "q".into(),
        command: "system.run".into(),
        what: "make".into(),
        cwd: None,
        session_id: None,
        expires_in_ms: 60_000,
    };
    let asked = tokio::spawn({
        let (questions, ask) = (node.questions.clone(), ask.clone());
        async move { questions.ask(ask).await }
    });
    for _ in 0..2 {
        let (mut visit, _) = gateway.welcome().await;
        let FromNode::Ask(heard) = visit.hear().await else { panic!("no question") };
        assert_eq!(*heard, Ask { expires_in_ms: heard.expires_in_ms, ..ask.clone() });
        assert!(heard.expires_in_ms <= 60_000);
    }
    let (mut visit, _) = gateway.welcome().await;
    let yes = Answer { id: "q".into(), allow: true, by: "Ann".into() };
    visit.say(&ToNode::Answer(yes.clone())).await;
    assert_eq!(soon(asked).await.unwrap(), Ok(Some(yes)));
}

#[tokio::test]
async fn a_call_that_waits_for_a_yes_says_so_and_says_when_it_goes_on() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    visit.call("1", "asks", json!(null)).await;
    assert!(matches!(visit.hear().await, FromNode::Waiting(waiting) if waiting.ms == 60_000));
    drop(visit);
    let (mut visit, _) = gateway.welcome().await;
    assert!(
        matches!(visit.hear().await, FromNode::Waiting(waiting) if waiting.ms > 0 && waiting.ms <= 60_000)
    );
    node.machine.let_go();
    assert!(matches!(visit.hear().await, FromNode::Waiting(waiting) if waiting.ms == 0));
    assert_eq!(visit.answer().await, ("1".into(), echoed("asked")));
}
