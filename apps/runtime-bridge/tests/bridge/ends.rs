//! How a bridge ends: told by its gateway, told by a signal, or because nobody needs it.

use std::time::Duration;

use argus_protocol::bridge::FromGateway;

use crate::support::{ECHO, Said, TestBridge, is_alive, until};

#[tokio::test]
async fn a_stop_closes_the_agents_input_and_then_the_bridge_ends() {
    let bridge = TestBridge::start(&format!("{ECHO}; echo '\"bye\"'; exit 0")).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.frame(1, "1").await;
    gateway.control(&FromGateway::Stop { grace_ms: 10_000 }).await;
    assert_eq!(gateway.agent_says().await.1, r#"{"echo":1}"#);
    assert_eq!(gateway.agent_says().await.1, "\"bye\"");
    assert_eq!(gateway.agent_is_down().await.2, "exit 0");
    assert_eq!(gateway.line().await, Said::Closed);
    let dir = bridge.ended().await;
    let mut left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["agent.sh", "bridge.log", "workspace"]);
}

#[tokio::test]
async fn an_agent_that_does_not_end_in_time_is_asked_then_killed() {
    let bridge =
        TestBridge::start("trap 'echo \"\\\"asked\\\"\"' TERM; echo 1; while :; do sleep 0.05; done").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.agent_says().await;
    gateway.control(&FromGateway::Stop { grace_ms: 10 }).await;
    assert_eq!(gateway.agent_says().await.1, "\"asked\"");
    assert_eq!(gateway.agent_is_down().await.2, "signal 9");
    bridge.ended().await;
}

#[tokio::test]
async fn a_bridge_without_gateway_and_turn_ends() {
    let bridge =
        TestBridge::start_with(ECHO, |settings| settings.idle_exit = Some(Duration::from_millis(50))).await;
    bridge.ended().await;
}

#[tokio::test]
async fn a_gateway_or_a_turn_keeps_a_bridge_up() {
    let agent = r#"
        echo '{"method":"turn/started","params":{"threadId":"t","turn":{"id":"1"}}}'
        while [ ! -e go ]; do sleep 0.01; done
        echo '{"method":"turn/completed","params":{"threadId":"t","turn":{"id":"1"}}}'
        cat > /dev/null; exit 0"#;
    let limit = Duration::from_secs(1);
    let bridge = TestBridge::start_with(agent, |settings| settings.idle_exit = Some(limit)).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.agent_says().await;
    tokio::time::sleep(limit + limit / 2).await;
    drop(gateway);
    tokio::time::sleep(limit + limit / 2).await;
    assert!(bridge.socket().exists(), "the turn is open");
    std::fs::write(bridge.dir.path().join("workspace/go"), b"").unwrap();
    bridge.ended().await;
}

#[tokio::test]
async fn a_bridge_that_is_dropped_takes_the_agent_with_it() {
    let bridge = TestBridge::start("sleep 600 & echo $!; wait").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let child = gateway.agent_says().await.1;
    bridge.abort();
    until("the agent's child ends", || !is_alive(&child)).await;
}
