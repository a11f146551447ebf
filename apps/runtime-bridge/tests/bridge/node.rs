//! What a bridge does with what a gateway gives it: tools for the agent, and a node of the runtime's own.

use std::path::{Path, PathBuf};

use argus_protocol::bridge::{FromGateway, Given, GivenNode};
use argus_runtime_bridge::Settings;

use crate::support::{TestBridge, TestGateway, is_alive, until};

/// A node's program that tells how it was started, and lives until its input ends.
const NODE: &str = r#"#!/bin/sh
printf '%s|%s|%s|%s|%s|%s\n' "$ARGUS_NODE_WS_URL" "$ARGUS_NODE_ID" "$ARGUS_NODE_DISPLAY_NAME" "$ARGUS_NODE_TOKEN" "$ARGUS_SESSION_ID" "$*" >>starts
echo $$ >pid
exec cat >/dev/null
"#;

/// An agent that tells what it was given.
const AGENT: &str = r#"printf '{"url":"%s","token":"%s","node":"%s"}\n' "$ARGUS_MCP_URL" "$ARGUS_MCP_TOKEN" "$ARGUS_NODE_TOKEN"; cat >/dev/null"#;

fn given(token: &str) -> Given {
    Given {
        url: "http://gateway:8080".into(),
        mcp_token: "for-tools".into(),
        node: Some(GivenNode {
            id: "runtime:s1".into(),
            display_name: "runtime-s1".into(),
            token: token.into(),
        }),
    }
}

fn with_node(settings: &mut Settings) {
    let program = settings.workspace.with_file_name("node.sh");
    std::fs::write(&program, NODE).unwrap();
    settings.node = vec!["sh".into(), program];
}

fn workspace(bridge: &TestBridge) -> PathBuf {
    bridge.dir.path().join("workspace")
}

fn starts(workspace: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(workspace.join("starts")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The number of the node that lives.
fn pid(workspace: &Path) -> Option<i32> {
    std::fs::read_to_string(workspace.join("pid")).ok()?.trim().parse().ok()
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn line(token: &str) -> String {
    format!("ws://gateway:8080/nodes/ws|runtime:s1|runtime-s1|{token}|s1|--allow-all --end-with-input")
}

#[tokio::test]
async fn an_agent_finds_its_tools_in_its_environment_and_no_other_token() {
    let bridge = TestBridge::start(AGENT).await;
    let mut gateway = TestGateway::giving(&bridge.socket(), given("n1")).await;
    gateway.agent_is_up().await;
    let (_, told) = gateway.agent_says().await;
    assert_eq!(told, r#"{"url":"http://gateway:8080/mcp","token":"for-tools","node":""}"#);
}

#[tokio::test]
async fn an_agent_is_started_only_when_a_gateway_has_said_with_what_it_is_reached() {
    let bridge = TestBridge::start("touch started; cat >/dev/null").await;
    // A caller that says no good hello is no gateway.
    let mut stranger = TestGateway::dial(&bridge.socket()).await;
    stranger.hello(1, "wrong").await;
    stranger.next().await;
    assert!(!workspace(&bridge).join("started").exists());
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    until("the agent runs", || workspace(&bridge).join("started").exists()).await;
}

#[tokio::test]
async fn a_node_that_ends_is_started_again_and_ends_with_its_bridge() {
    let bridge = TestBridge::start_with("cat >/dev/null", with_node).await;
    let workspace = workspace(&bridge);
    let mut gateway = TestGateway::giving(&bridge.socket(), given("n1")).await;
    until("the node runs", || starts(&workspace).len() == 1 && pid(&workspace).is_some()).await;
    let first = pid(&workspace).unwrap();
    kill(first);
    until("it runs again", || starts(&workspace).len() == 2 && pid(&workspace) != Some(first)).await;
    assert_eq!(starts(&workspace), [line("n1"), line("n1")]);
    let second = pid(&workspace).unwrap();
    gateway.control(&FromGateway::Stop { grace_ms: 100 }).await;
    let dir = bridge.ended().await;
    until("it is gone", || !is_alive(&second.to_string())).await;
    drop(dir);
}

#[tokio::test]
async fn a_node_outlives_its_gateway_and_starts_anew_with_another_credential_only() {
    let bridge = TestBridge::start_with("cat >/dev/null", with_node).await;
    let workspace = workspace(&bridge);
    drop(TestGateway::giving(&bridge.socket(), given("n1")).await);
    until("the node runs", || starts(&workspace).len() == 1).await;
    // The same again is nothing new; a gateway that gives nothing takes nothing.
    drop(TestGateway::giving(&bridge.socket(), given("n1")).await);
    drop(bridge.gateway().await);
    drop(TestGateway::giving(&bridge.socket(), given("n2")).await);
    until("it starts anew", || starts(&workspace).len() == 2).await;
    assert_eq!(starts(&workspace), [line("n1"), line("n2")]);
}

#[tokio::test]
async fn a_runtime_that_is_to_be_no_node_is_none() {
    let bridge = TestBridge::start_with(AGENT, with_node).await;
    let mut gateway = TestGateway::giving(&bridge.socket(), Given { node: None, ..given("") }).await;
    gateway.agent_is_up().await;
    gateway.agent_says().await;
    assert_eq!(starts(&workspace(&bridge)), Vec::<String>::new());
}
