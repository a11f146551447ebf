//! An upstream that is one of our bridges: what it keeps outlives every connection, and it is not ours to end.

use std::process::Stdio;

use argus_protocol::bridge::LISTENING;
use argus_protocol::token::Secret;
use argus_testkit::app_server;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually, program};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{completed, introduced, start_turn, thread, words};

const SECRET: &str = "between us";

/// A bridge that somebody started, on a port of its own.
async fn bridge(gateway: &Gateway) -> (Child, u16) {
    let home = gateway.home();
    let mut child = Command::new(program("argus-runtime-bridge"))
        .env("ARGUS_BRIDGE_LISTEN", "tcp:127.0.0.1:0")
        .env("ARGUS_BRIDGE_SECRET_SHA256", Secret::parse(SECRET).unwrap().fingerprint())
        .env("ARGUS_BRIDGE_LOG_FILE", home.join("bridge.log"))
        .env("APP_SERVER_CMD", app_server::binary())
        .env("APP_HOME", home)
        .env("APP_WORKSPACE", home.join("elsewhere"))
        .env("SCRIPTED_STATE", home.join("threads"))
        .env("SCRIPTED_LOG", home.join("turns.jsonl"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.expect("it listens").unwrap().unwrap();
    let port =
        line.strip_prefix(LISTENING).and_then(|place| place.rsplit_once(':')).unwrap().1.parse().unwrap();
    (child, port)
}

fn behind(gateway: Gateway, port: u16, secret: &str) -> Gateway {
    let table = json!({ "Far_Away": { "port": port, "protocol": "bridge", "secret": secret } });
    gateway.with("ARGUS_PROVISION_MODE", "static").with("ARGUS_UPSTREAMS_JSON", table.to_string())
}

#[tokio::test]
async fn a_turn_at_a_bridge_goes_on_while_the_gateway_is_killed_and_its_answer_is_heard() {
    let gateway = Gateway::new();
    let (mut child, port) = bridge(&gateway).await;
    let mut gateway = behind(gateway, port, SECRET).start().await;
    let mut client = introduced(&gateway, "id=Far_Away").await;
    assert_eq!(client.session, "far-away");
    let gate = gateway.home().join("gate");
    let text = format!("[hold: {}] [say: in spite of all]", gate.display());
    let started = client.call("argus/input/enqueue", json!({ "text": text })).await;
    assert_eq!(started["result"]["started"], true, "{started}");
    gateway.kill();
    std::fs::write(&gate, "").unwrap();
    gateway.restart().await;
    let mut client = gateway.client("session=far-away").await;
    assert_eq!(client.turn().await, completed("in spite of all"));
    assert_eq!(gateway.turns().len(), 1);
    assert_eq!(child.try_wait().unwrap(), None);
}

#[tokio::test]
async fn a_bridge_that_nobody_needs_is_left_running() {
    let gateway = Gateway::new().with("ARGUS_SESSION_IDLE_STOP", "0.2");
    let (mut child, port) = bridge(&gateway).await;
    let gateway = behind(gateway, port, SECRET).start().await;
    let mut client = introduced(&gateway, "").await;
    let thread = thread(&mut client).await;
    start_turn(&mut client, &thread, "[say: one]").await;
    assert_eq!(client.turn().await, completed("one"));
    let closed = async || gateway.log().contains("the link to the runtime ended").then_some(());
    eventually("the connection is closed", closed).await;
    start_turn(&mut client, &thread, "[say: two]").await;
    assert_eq!(client.turn().await, completed("two"));
    assert_eq!(child.try_wait().unwrap(), None);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1, "the same agent");
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_it() {
    let gateway = Gateway::new();
    let (_child, port) = bridge(&gateway).await;
    let gateway = behind(gateway, port, "hush-wrong").start().await;
    let mut client = gateway.client("").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(
        said.starts_with(&format!("upstream `Far_Away` at 127.0.0.1:{port}: the runtime bridge refused us")),
        "{said}"
    );
    assert!(said.ends_with("mend its entry in ARGUS_UPSTREAMS_JSON"), "{said}");
    assert!(!gateway.log().contains("hush"), "{}", gateway.log());
}
