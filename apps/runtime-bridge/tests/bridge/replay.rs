//! Numbered lines: each arrives once, whoever dies between.

use argus_protocol::bridge::{AgentState, FromGateway};

use crate::support::{ECHO, Said, TestBridge, TestGateway};

#[tokio::test]
async fn frames_go_both_ways_untouched() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, welcome) = bridge.gateway().await;
    assert_eq!((welcome.first_seq, welcome.last_down_seq), (1, 0));
    let (number, epoch) = gateway.agent_is_up().await;
    assert_eq!((number, epoch > 0), (1, true));
    gateway.frame(1, r#"{"id": 1,  "x":"\u00e4 "}"#).await;
    gateway.frame(2, "[2]").await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"echo":{"id": 1,  "x":"\u00e4 "}}"#.to_owned()));
    assert_eq!(gateway.agent_says().await, (3, r#"{"echo":[2]}"#.to_owned()));
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, first) = bridge.gateway().await;
    let (_, epoch) = gateway.agent_is_up().await;
    for number in 1..=3 {
        gateway.frame(number, &number.to_string()).await;
        gateway.agent_says().await;
    }
    drop(gateway);
    let (mut gateway, again) = bridge.gateway().await;
    assert_eq!(again.boot, first.boot);
    assert_eq!((again.first_seq, again.last_seq, again.last_down_seq), (1, 4, 3));
    assert_eq!((again.agent_epoch, again.agent_state), (0, AgentState::Starting));
    assert_eq!(gateway.agent_is_up().await, (1, epoch));
    for number in 1..=3 {
        assert_eq!(gateway.agent_says().await, (number + 1, format!("{{\"echo\":{number}}}")));
    }
    gateway.control(&FromGateway::Ack { n: 3 }).await;
    gateway.control(&FromGateway::Ping {}).await;
    gateway.pong().await;
    drop(gateway);
    let (mut gateway, last) = bridge.gateway().await;
    assert_eq!((last.first_seq, last.last_seq), (4, 4));
    assert_eq!((last.agent_epoch, last.agent_state), (epoch, AgentState::Up));
    assert_eq!(gateway.agent_says().await, (4, r#"{"echo":3}"#.to_owned()));
}

#[tokio::test]
async fn an_ack_may_run_ahead_of_what_is_sent_again() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    for number in 1..=50 {
        gateway.frame(number, &number.to_string()).await;
    }
    gateway.acked(50).await;
    drop(gateway);
    let (mut gateway, welcome) = bridge.gateway().await;
    gateway.control(&FromGateway::Ack { n: welcome.last_seq }).await;
    gateway.frame(51, "\"new\"").await;
    while !matches!(gateway.line().await, Said::Frame(_, text) if text.contains("new")) {}
}

#[tokio::test]
async fn a_frame_sent_again_reaches_the_agent_once() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.frame(1, "1").await;
    gateway.frame(2, "2").await;
    gateway.acked(2).await;
    drop(gateway);
    let (mut gateway, welcome) = bridge.gateway().await;
    assert_eq!(welcome.last_down_seq, 2);
    for number in 1..=3 {
        gateway.frame(number, &number.to_string()).await;
    }
    gateway.agent_is_up().await;
    for number in 1..=3 {
        assert_eq!(gateway.agent_says().await, (number + 1, format!("{{\"echo\":{number}}}")));
    }
}

#[tokio::test]
async fn a_hole_in_the_numbers_closes_the_link_and_hands_nothing_on() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.frame(2, "2").await;
    assert_eq!(gateway.line().await, Said::Closed);
    let (mut gateway, welcome) = bridge.gateway().await;
    assert_eq!(welcome.last_down_seq, 0);
    gateway.frame(1, "1").await;
    gateway.agent_is_up().await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"echo":1}"#.to_owned()));
}

#[tokio::test]
async fn an_ack_of_what_was_never_said_closes_the_link() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.control(&FromGateway::Ack { n: 2 }).await;
    assert_eq!(gateway.line().await, Said::Closed);
}

#[tokio::test]
async fn a_bridge_is_free_when_nothing_runs_and_nothing_is_kept() {
    let bridge = TestBridge::start(TURNS).await;
    let free = async || bridge.gateway().await.1.free;
    let (mut gateway, first) = bridge.gateway().await;
    assert!(first.free, "no agent runs before the first gateway comes");
    gateway.agent_is_up().await;
    assert!(!free().await, "that the agent came up is not acknowledged");
    let (mut gateway, _) = bridge.gateway().await;
    let acknowledge = async |gateway: &mut TestGateway, n| {
        gateway.control(&FromGateway::Ack { n }).await;
        gateway.control(&FromGateway::Ping {}).await;
        gateway.pong().await;
    };
    acknowledge(&mut gateway, 1).await;
    assert!(free().await);
    let (mut gateway, _) = bridge.gateway().await;
    gateway.frame(1, "\"started\"").await;
    let (number, _) = gateway.agent_says().await;
    assert!(!free().await, "its line is kept");
    let (mut gateway, _) = bridge.gateway().await;
    acknowledge(&mut gateway, number).await;
    assert!(!free().await, "a turn runs");
    let (mut gateway, _) = bridge.gateway().await;
    gateway.frame(2, "\"completed\"").await;
    let (number, _) = gateway.agent_says().await;
    acknowledge(&mut gateway, number).await;
    assert!(free().await);
    let (mut gateway, _) = bridge.gateway().await;
    gateway.frame(3, "\"quiet\"").await;
    gateway.acked(3).await;
    assert!(!free().await, "what the agent was asked last may be the start of a turn");
}

/// Says what it is told to say of a turn; to `quiet` nothing.
const TURNS: &str = r#"while read -r line; do
  case $line in
    *started*) echo '{"method":"turn/started","params":{"threadId":"a"}}' ;;
    *completed*) echo '{"method":"turn/completed","params":{"threadId":"a"}}' ;;
  esac
done"#;
