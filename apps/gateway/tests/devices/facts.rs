//! What nodes tell beside answers: jobs that ended.

use std::time::Duration;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use super::enrolment::{code, redeem};
use super::{events, invoke_as, node, token};

pub(crate) fn exit(job: &str) -> Value {
    json!({ "nodeId": null, "jobId": job, "argv": ["make", "all"], "cwd": "/src", "exitCode": 2, "signal": null,
        "timedOut": false, "startedAtMs": 1, "endedAtMs": 2, "stdoutTail": "built\n", "stderrTail": "" })
}

/// What a session is told of jobs: the node and the job of each.
async fn told(gateway: &Gateway, session: &str) -> Vec<(String, String)> {
    let text = |event: &Value, name: &str| event["meta"][name].as_str().unwrap_or_default().to_owned();
    let all = events(gateway, session).await;
    let exits = all.iter().filter(|event| event["kind"] == "process");
    let mut exits: Vec<_> = exits.map(|event| (text(event, "nodeId"), text(event, "jobId"))).collect();
    exits.sort();
    exits
}

pub(crate) async fn tell(node: &mut Node, exit: Value) {
    let job = exit["jobId"].clone();
    node.tell("node.process.exited", exit).await;
    assert_eq!(node.event("node.process.ack").await, json!({ "jobId": job }));
}

#[tokio::test]
async fn the_end_of_a_job_is_told_to_the_session_that_asked_and_acknowledged_once_it_is_kept() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    // Nobody wakes for it, so that it can be looked at.
    gateway.rpc("argus/automation/pause", json!({})).await;
    let mut mac = node(&gateway, "mac").await;
    let client = token(&gateway, &format!("client:{two}")).await;
    let asked = invoke_as(&gateway, &client, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.answer(&call, json!({ "jobId": "j1", "running": true })).await;
    asked.await.unwrap();
    let ticketed = |job: &str, session: &Value, ticket: &Value| {
        let mut exit = exit(job);
        exit["sessionId"] = session.clone();
        exit["ticket"] = ticket.clone();
        exit
    };
    for _ in 0..2 {
        tell(&mut mac, ticketed("j1", &call["sessionId"], &call["ticket"])).await;
    }
    let of_mac = |job: &str| ("mac".to_owned(), job.to_owned());
    assert_eq!(told(&gateway, &two).await, [of_mac("j1")], "once");
    // Without its ticket a device speaks to the default session only, whatever it says.
    tell(&mut mac, ticketed("j2", &json!(two), &json!("0".repeat(64)))).await;
    tell(&mut mac, ticketed("j3", &json!(two), &json!(null))).await;
    tell(&mut mac, ticketed("j4", &json!("made-up"), &call["ticket"])).await;
    assert_eq!(told(&gateway, &two).await, [of_mac("j1")]);
    assert_eq!(told(&gateway, &one).await, [of_mac("j2"), of_mac("j3"), of_mac("j4")]);
    // A ticket is for one node.
    let mut pi = node(&gateway, "pi").await;
    tell(&mut pi, ticketed("j5", &json!(two), &call["ticket"])).await;
    assert_eq!(told(&gateway, &two).await, [of_mac("j1")]);
    // In another's name nobody tells anything.
    let mut forged = exit("j6");
    forged["nodeId"] = json!("mac");
    pi.tell("node.process.exited", forged).await;
    assert!(pi.drain(Duration::from_millis(200)).await.is_empty());
    let sessions = gateway.rpc("argus/node/list", json!({ "sessionId": "made-up" })).await;
    assert_eq!(sessions["error"]["message"], "Unknown session `made-up`", "no session was made");
}

#[tokio::test]
async fn an_old_ticket_is_worth_nothing_for_a_session_to_which_the_device_is_open_no_more() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    gateway.rpc("argus/automation/pause", json!({})).await;
    let (_, credential) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let mut mac = Node::usual(gateway.url(), &credential, "mac", "b").await;
    let client = token(&gateway, &format!("client:{two}")).await;
    let asked = invoke_as(&gateway, &client, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.answer(&call, json!({ "jobId": "j1", "running": true })).await;
    asked.await.unwrap();
    gateway.rpc("argus/node/revoke", json!({ "nodeId": "mac" })).await;
    let narrow = code(&gateway, json!({ "sessions": [one] })).await;
    let (_, credential) = redeem(&gateway, &narrow, "mac").await.unwrap();
    let mut mac = Node::usual(gateway.url(), &credential, "mac", "b").await;
    let mut exit = exit("j1");
    exit["sessionId"] = call["sessionId"].clone();
    exit["ticket"] = call["ticket"].clone();
    tell(&mut mac, exit).await;
    assert!(told(&gateway, &two).await.is_empty() && told(&gateway, &one).await.is_empty());
}

#[tokio::test]
async fn a_runtimes_own_node_speaks_for_its_session_and_for_no_other() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    gateway.rpc("argus/automation/pause", json!({})).await;
    let own = format!("runtime:{two}");
    let mut runtime = node(&gateway, &own).await;
    let mut lying = exit("j1");
    lying["sessionId"] = json!(one);
    tell(&mut runtime, lying).await;
    let mut lost = exit("j2");
    lost["orphaned"] = json!(true);
    tell(&mut runtime, lost).await;
    assert_eq!(told(&gateway, &two).await, [(own.clone(), "j1".to_owned()), (own, "j2".to_owned())]);
    assert!(told(&gateway, &one).await.is_empty());
    let lost = events(&gateway, &two).await.into_iter().find(|event| event["meta"]["jobId"] == "j2").unwrap();
    let text = lost["text"].as_str().unwrap();
    assert!(text.starts_with("A command in the background was lost sight of"), "{text}");
    // A runtime whose session is no more is nobody, and makes none.
    let token = token(&gateway, "node:runtime:0123456789ab").await;
    let mut ghost = Node::open(gateway.url(), Some(&token)).await.unwrap();
    ghost.introduce(json!({ "nodeId": "runtime:0123456789ab" })).await;
    assert_eq!(ghost.closed().await, Some((1008, "there is no session of that runtime any more".to_owned())));
}

#[tokio::test]
async fn without_a_session_nobody_is_told_and_none_is_made() {
    let gateway = Gateway::new().start().await;
    let mut mac = node(&gateway, "mac").await;
    tell(&mut mac, exit("j1")).await;
    let list = reqwest::Client::new().get(format!("{}/sessions", gateway.url())).bearer_auth(gateway.token());
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list["sessions"], json!([]));
}

#[tokio::test]
async fn a_kill_before_the_acknowledgement_has_the_end_told_once_all_the_same() {
    let mut gateway = Gateway::new().start().await;
    let session = gateway.client("session=default").await.session;
    gateway.rpc("argus/automation/pause", json!({})).await;
    let token = token(&gateway, "node:mac").await;
    gateway.kill();
    gateway.set("ARGUS_CRASH_AT", "node.exit_told");
    gateway.restart().await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "b").await;
    mac.tell("node.process.exited", exit("j1")).await;
    assert_eq!(mac.closed().await, None, "it was not acknowledged");
    gateway.kill();
    gateway.set("ARGUS_CRASH_AT", "");
    gateway.restart().await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "b").await;
    tell(&mut mac, exit("j1")).await;
    assert_eq!(told(&gateway, &session).await, [("mac".to_owned(), "j1".to_owned())]);
}

#[tokio::test]
async fn a_new_node_is_news_once_however_often_it_comes_back_and_a_runtimes_is_none() {
    let mut gateway = Gateway::new().start().await;
    let session = gateway.client("session=default").await.session;
    gateway.rpc("argus/automation/pause", json!({})).await;
    let (_, token) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let news = async |gateway: &Gateway| {
        let all = events(gateway, &session).await.into_iter();
        all.filter(|event| event["kind"] == "node").map(|event| event["text"].clone()).collect::<Vec<_>>()
    };
    let _runtime = node(&gateway, &format!("runtime:{session}")).await;
    drop(Node::usual(gateway.url(), &token, "mac", "b").await);
    let _node = Node::usual(gateway.url(), &token, "mac", "b").await;
    let told = eventually("it is told", async || Some(news(&gateway).await).filter(|told| !told.is_empty()));
    let expected = [json!("Node connected: The mac (mac) · platform=linux · version=1 · ip=127.0.0.1")];
    assert_eq!(told.await, expected);
    // Neither another link nor another start makes it new.
    gateway.kill();
    gateway.restart().await;
    let (_, other) = redeem(&gateway, &code(&gateway, json!({})).await, "pi").await.unwrap();
    let _nodes = [
        Node::usual(gateway.url(), &token, "mac", "b").await,
        Node::usual(gateway.url(), &other, "pi", "b").await,
    ];
    let told =
        eventually("the other is told", async || Some(news(&gateway).await).filter(|told| told.len() > 1));
    let told = told.await;
    let of =
        |id: &str| told.iter().filter(|text| text.as_str().is_some_and(|text| text.contains(id))).count();
    assert_eq!((told.len(), of("(mac)"), of("(pi)")), (2, 1, 1), "{told:?}");
}
