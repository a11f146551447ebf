//! Who gets in.

use argus_protocol::bridge::{FromBridge, FromGateway, VERSION};
use argus_runtime_bridge::{Bridge, Listen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use crate::support::{ECHO, LIMIT, SECRET, Said, TestBridge, TestGateway, settings};

fn refused(said: Said) -> String {
    match said {
        Said::Control(FromBridge::Refused { reason }) => reason,
        said => panic!("not refused but {said:?}"),
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_learns_nothing() {
    let bridge = TestBridge::start(ECHO).await;
    for secret in ["", "wrong", &SECRET.to_uppercase()] {
        let mut caller = TestGateway::dial(&bridge.socket()).await;
        caller.hello(VERSION, secret).await;
        assert_eq!(refused(caller.next().await), "the secret is wrong");
        assert_eq!(caller.next().await, Said::Closed);
    }
    bridge.gateway().await.0.agent_is_up().await;
}

#[tokio::test]
async fn another_version_is_refused_by_name() {
    let bridge = TestBridge::start(ECHO).await;
    let mut caller = TestGateway::dial(&bridge.socket()).await;
    caller.hello(VERSION + 1, SECRET).await;
    assert_eq!(refused(caller.next().await), "this bridge speaks version 1 of the link, not 2");
    assert_eq!(caller.next().await, Said::Closed);
}

#[tokio::test]
async fn whoever_does_not_begin_with_a_hello_is_refused() {
    let bridge = TestBridge::start(ECHO).await;
    for first in ["GET / HTTP/1.1\r\n", "1 {}\n", "{\"argus\":\"ping\"}\n", "{\"argus\":\"hello\"}\n"] {
        let mut caller = TestGateway::dial(&bridge.socket()).await;
        caller.raw(first).await;
        assert_eq!(refused(caller.next().await), "the first line must be a hello", "{first}");
    }
    let mut caller = TestGateway::dial(&bridge.socket()).await;
    caller.raw(&"x".repeat(9000)).await;
    caller.raw("\n").await;
    assert_eq!(refused(caller.next().await), "the first line must be a hello");
}

#[tokio::test]
async fn callers_that_say_nothing_keep_no_gateway_out() {
    let bridge = TestBridge::start(ECHO).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TestGateway::dial(&bridge.socket()).await);
    }
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    assert_eq!(silent[0].next().await, Said::Closed);
}

#[tokio::test]
async fn a_hello_may_come_with_frames_right_behind_it() {
    let bridge = TestBridge::start(ECHO).await;
    let mut gateway = TestGateway::dial(&bridge.socket()).await;
    let hello = format!(r#"{{"argus":"hello","v":1,"secret":"{SECRET}","gateway":"g","new":true}}"#);
    let big = format!("\"{}\"", "x".repeat(20_000));
    gateway.raw(&format!("{hello}\n1 {big}\n")).await;
    assert!(matches!(gateway.next().await, Said::Control(FromBridge::Welcome { .. })));
    gateway.agent_is_up().await;
    assert_eq!(gateway.agent_says().await, (2, format!("{{\"echo\":{big}}}")));
}

#[tokio::test]
async fn a_second_gateway_displaces_the_first() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut first, _) = bridge.gateway().await;
    first.agent_is_up().await;
    let (mut second, welcome) = bridge.gateway().await;
    assert_eq!(first.line().await, Said::Control(FromBridge::Displaced {}));
    assert_eq!(first.line().await, Said::Closed);
    assert_eq!(welcome.last_down_seq, 0);
    second.agent_is_up().await;
    second.frame(1, "1").await;
    assert_eq!(second.agent_says().await, (2, r#"{"echo":1}"#.to_owned()));
}

#[tokio::test]
async fn a_displaced_gateway_has_no_say_any_more() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut first, _) = bridge.gateway().await;
    let (mut second, _) = bridge.gateway().await;
    first.raw_in_vain("1 \"old\"\n{\"argus\":\"kill\"}\n").await;
    while first.next().await != Said::Closed {}
    second.frame(1, "\"new\"").await;
    second.agent_is_up().await;
    assert_eq!(second.agent_says().await, (2, r#"{"echo":"new"}"#.to_owned()));
}

#[tokio::test]
async fn a_caller_with_a_wrong_secret_displaces_nobody() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let mut caller = TestGateway::dial(&bridge.socket()).await;
    caller.hello(VERSION, "wrong").await;
    while caller.next().await != Said::Closed {}
    gateway.frame(1, "1").await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"echo":1}"#.to_owned()));
}

#[tokio::test]
async fn control_lines_of_a_later_version_are_ignored() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.raw("{\"argus\":\"dance\",\"n\":1}\nnoise\n7!{}\n").await;
    gateway.control(&FromGateway::Ping {}).await;
    assert_eq!(gateway.next().await, Said::Control(FromBridge::Pong {}));
}

#[tokio::test]
async fn a_port_serves_as_a_socket_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path(), ECHO);
    settings.listen = "tcp:127.0.0.1:0".parse().unwrap();
    let bridge = Bridge::open(settings).await.unwrap();
    let Ok(Listen::Tcp(address)) = bridge.address() else { panic!("no port") };
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(bridge.serve(shutdown.clone()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let hello = format!("{{\"argus\":\"hello\",\"v\":1,\"secret\":\"{SECRET}\",\"gateway\":\"g\"}}\n1 [7]\n");
    stream.write_all(hello.as_bytes()).await.unwrap();
    let mut heard = String::new();
    let hear = async {
        while !heard.contains(r#"2 {"echo":[7]}"#) {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).await.unwrap();
            assert!(length > 0, "closed after {heard}");
            heard.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
    };
    tokio::time::timeout(LIMIT, hear).await.unwrap();
    shutdown.cancel();
    served.await.unwrap();
}

#[tokio::test]
async fn two_bridges_never_share_a_socket() {
    let bridge = TestBridge::start(ECHO).await;
    let second = Bridge::open(settings(bridge.dir.path(), ECHO)).await;
    let error = format!("{:#}", second.unwrap_err());
    assert!(error.ends_with("another bridge is running there"), "{error}");
    bridge.gateway().await.0.agent_is_up().await;
}
