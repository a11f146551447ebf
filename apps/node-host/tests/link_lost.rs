//! Links that are refused, dropped, silent or closed: made again, and nothing that was said is lost with them.

mod link_support;

use std::collections::HashSet;
use std::time::Duration;

use argus_node_host::link::Pace;
use argus_protocol::node::{ExitAck, FromNode, ToNode};
use link_support::{Gateway, Node, echoed, pace, soon, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn a_node_whose_gateway_is_away_waits_for_it() {
    let gateway = Gateway::open().await;
    let at = gateway.door.local_addr().unwrap();
    drop(gateway.door);
    let gateway = Gateway { door: tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), ..gateway };
    let node = Node::of(&gateway);
    // It is refused meanwhile.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let back = Gateway { door: tokio::net::TcpListener::bind(at).await.unwrap(), url: gateway.url };
    back.welcome().await;
    assert!(!node.serving.is_finished());
}

#[tokio::test]
async fn a_node_that_is_refused_goes_on_trying() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "503 Service Unavailable", "200 OK"]
    {
        let mut stream = gateway.knock().await;
        let mut request = [0; 2048];
        let _ = soon(stream.read(&mut request)).await.unwrap();
        let response = format!("HTTP/1.1 {status}\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(response.as_bytes()).await.unwrap();
    }
    let mut stream = gateway.knock().await;
    stream.write_all(b"SSH-2.0-no gateway at all\r\n\r\n").await.unwrap();
    drop(stream);
    gateway.welcome().await;
    assert!(!node.serving.is_finished());
}

#[tokio::test]
async fn a_gateway_behind_an_address_that_is_none_of_its_kind_ends_no_node() {
    let gateway = Gateway::open().await;
    let gateway = Gateway { url: gateway.url.replace("ws:", "wss:"), ..gateway };
    let node = Node::of(&gateway);
    for _ in 0..2 {
        let mut stream = gateway.knock().await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let mut hello = [0; 1024];
        // It began to speak TLS, if this machine trusts anybody at all.
        let _ = soon(stream.read(&mut hello)).await;
    }
    assert!(!node.serving.is_finished());
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_left_for_another_connection() {
    let gateway = Gateway::open().await;
    let _node = Node::paced(&gateway, Pace { silence: Duration::from_secs(1), ..pace() });
    // It takes the connection and is never heard again: no greeting, no answer to any ping.
    let (silent, _) = gateway.welcome().await;
    let (mut visit, _) = gateway.welcome().await;
    // One that answers pings and says nothing else is kept for much longer than that.
    for _ in 0..100 {
        assert!(visit.hear_any().await.is_some(), "the node left a gateway that lives");
    }
    drop(silent);
}

#[tokio::test]
async fn a_gateway_that_does_not_greet_is_left() {
    let gateway = Gateway::open().await;
    let _node = Node::paced(&gateway, Pace { patience: Duration::from_millis(200), ..pace() });
    let mut mute = gateway.visit().await;
    while mute.hear_any().await.is_some() {}
    gateway.welcome().await;
}

#[tokio::test]
async fn results_are_told_again_after_a_lost_link_until_they_are_acknowledged() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, first) = gateway.welcome().await;
    visit.call("told", "echo", json!("told")).await;
    assert_eq!(visit.answer().await, ("told".into(), echoed("told")));
    visit.call("under way", "held", json!(null)).await;
    assert!(matches!(visit.hear().await, FromNode::Job(_)));
    drop(visit);
    node.machine.let_go();

    let (mut visit, second) = gateway.welcome().await;
    assert_eq!(first.boot, second.boot);
    visit.call("under way", "held", json!(null)).await;
    let mut results = HashSet::new();
    while results.len() < 2 {
        if let FromNode::Result(settled) = visit.hear().await {
            assert!(results.insert(settled.id), "a result was told twice");
        }
    }
    assert_eq!(results, HashSet::from(["told".to_owned(), "under way".to_owned()]));
    for id in ["under way", "told"] {
        visit.ack(id).await;
    }
    until(|| *node.machine.delivered.lock().unwrap() == ["under way", "told"]).await;
    visit.call("last", "echo", json!("last")).await;
    assert_eq!(visit.answer().await, ("last".into(), echoed("last")));
    assert_eq!(node.machine.times_done(), 3);
    drop(visit);
    let (mut visit, _) = gateway.welcome().await;
    assert_eq!(visit.answer().await, ("last".into(), echoed("last")));
}

#[tokio::test]
async fn ends_of_jobs_are_told_until_they_are_acknowledged() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    node.machine.end("j0");
    let exit = async |visit: &mut link_support::Visit| match visit.hear().await {
        FromNode::Exited(exited) => (exited.job_id.clone(), exited.node_id.clone().unwrap()),
        other => panic!("no exit: {other:?}"),
    };
    let (mut visit, _) = gateway.welcome().await;
    // Told when connected, and again.
    for _ in 0..2 {
        assert_eq!(exit(&mut visit).await, ("j0".into(), link_support::NODE.into()));
    }
    drop(visit);
    let (mut visit, _) = gateway.welcome().await;
    assert_eq!(exit(&mut visit).await.0, "j0");
    visit.say(&ToNode::ExitAck(ExitAck { job_id: "j0".into() })).await;
    until(|| *node.machine.told.lock().unwrap() == ["j0"]).await;
    // More than are told at once come one after the other.
    for n in 1..=150 {
        node.machine.end(&format!("j{n}"));
    }
    let mut heard = HashSet::new();
    while heard.len() < 150 {
        let (job_id, _) = exit(&mut visit).await;
        heard.insert(job_id.clone());
        visit.say(&ToNode::ExitAck(ExitAck { job_id })).await;
    }
    until(|| node.machine.exits.lock().unwrap().is_empty()).await;
}

#[tokio::test]
async fn a_closed_link_is_made_again_whatever_the_reason() {
    let gateway = Gateway::open().await;
    let _node = Node::of(&gateway);
    for code in [1000, 1001, 1008, 1011, 1012, 1013, 4000] {
        let (visit, _) = gateway.welcome().await;
        visit.close(code).await;
    }
    gateway.welcome().await;
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_says_goodbye() {
    let gateway = Gateway::open().await;
    let mut node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    node.stop.cancel();
    let code = loop {
        if let tokio_tungstenite::tungstenite::Message::Close(frame) =
            visit.hear_any().await.expect("no goodbye")
        {
            break frame.map(|frame| u16::from(frame.code));
        }
    };
    assert_eq!(code, Some(1001));
    soon(&mut node.serving).await.unwrap();
}

#[tokio::test]
async fn what_an_earlier_gateway_asked_for_is_told_to_no_later_one() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome_as(Some("first")).await;
    visit.call("ended", "echo", json!("a")).await;
    assert_eq!(visit.answer().await, ("ended".to_owned(), echoed("a")));
    visit.call("running", "held", json!(null)).await;
    assert!(matches!(visit.hear().await, FromNode::Job(_)));
    visit.close(1001).await;
    // The same process of it still waits for both.
    let (mut visit, _) = gateway.welcome_as(Some("first")).await;
    assert!(matches!(visit.hear().await, FromNode::Job(_)));
    assert_eq!(visit.answer().await, ("ended".to_owned(), echoed("a")));
    visit.close(1001).await;
    let (mut visit, _) = gateway.welcome_as(Some("second")).await;
    until(|| *node.machine.given_up.lock().unwrap() == ["ended"]).await;
    node.machine.go.as_ref().unwrap().add_permits(1);
    until(|| *node.machine.given_up.lock().unwrap() == ["ended", "running"]).await;
    visit.call("new", "echo", json!("b")).await;
    assert_eq!(visit.answer().await, ("new".to_owned(), echoed("b")));
}

#[tokio::test]
async fn a_result_that_made_room_for_others_is_delivered_once_it_is_acknowledged() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    // Each is 14 MiB, and 64 are kept.
    let ids: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
    for id in &ids {
        visit.call(id, "large", json!(2 << 20)).await;
    }
    for _ in &ids {
        assert!(visit.result().await.ok);
    }
    for id in &ids {
        visit.ack(id).await;
    }
    visit.call("last", "echo", json!(1)).await;
    visit.result().await;
    let mut delivered = node.machine.delivered.lock().unwrap().clone();
    delivered.sort();
    assert_eq!(delivered, ids);
}

#[tokio::test]
async fn a_call_whose_result_is_kept_no_more_names_its_job_when_it_is_asked_for_again() {
    let gateway = Gateway::open().await;
    let node = Node::of(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    visit.call("c", "held", json!(null)).await;
    assert!(matches!(visit.hear().await, FromNode::Job(_)));
    node.machine.let_go();
    assert!(visit.result().await.ok);
    visit.ack("c").await;
    visit.call("c", "held", json!(null)).await;
    let fault = visit.result().await.error.unwrap();
    assert_eq!((fault.code.as_str(), fault.job_id.as_deref()), ("FAILED", Some("job of c")));
    assert_eq!(node.machine.times_done(), 1);
}
