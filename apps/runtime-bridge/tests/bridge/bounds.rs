//! Long lines, many lines, bad lines, and readers that do not read.

use argus_protocol::bridge::{DOWN_WINDOW_FRAMES, Event, FromGateway};

use crate::support::{ECHO, Said, TestBridge, until};

const LONG_LINE: &str = r#"
printf '{"id":7,"result":"'; head -c 104857600 /dev/zero | tr '\0' x; printf '"}\n'
echo '{"after":1}'; read -r line"#;

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_is_dropped_with_notice() {
    let bridge = TestBridge::start(LONG_LINE).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let dropped = Event::Dropped {
        method: None,
        id: Some("7".to_owned()),
        thread_id: None,
        bytes: 104_857_600 + 20,
        limit: 64 << 20,
    };
    assert_eq!(gateway.line().await, Said::Event(2, dropped));
    assert_eq!(gateway.agent_says().await, (3, r#"{"after":1}"#.to_owned()));
}

#[tokio::test]
async fn a_lost_turn_completed_names_its_thread() {
    let agent = r#"
        printf '{"method":"turn/completed","params":{"turn":{"items":["'
        head -c 20000 /dev/zero | tr '\0' x
        printf '"]},"threadId":"t1"}}\n'; read -r line"#;
    let bridge = TestBridge::start_with(agent, |settings| settings.limits.line_bytes = 10_000).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let Said::Event(2, Event::Dropped { method, thread_id, limit, .. }) = gateway.line().await else {
        panic!("not dropped")
    };
    assert_eq!(
        (method.as_deref(), thread_id.as_deref(), limit),
        (Some("turn/completed"), Some("t1"), 10_000)
    );
}

#[tokio::test]
async fn a_long_line_within_the_limit_is_whole() {
    let agent = r#"printf '"'; head -c 20000000 /dev/zero | tr '\0' x; printf '"\n'; read -r line"#;
    let bridge = TestBridge::start(agent).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let (_, line) = gateway.agent_says().await;
    assert_eq!((line.len(), line.trim_matches('"').trim_matches('x')), (20_000_002, ""));
}

#[tokio::test]
async fn garbage_passes_as_text() {
    let agent = r#"printf 'not json\n\n   \n\377\376{\n"cr"\r\n17 {"argus":"ack"}\nhalf'"#;
    let bridge = TestBridge::start(agent).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    for (number, text) in
        [(2, "not json"), (3, "\u{fffd}\u{fffd}{"), (4, "\"cr\""), (5, r#"17 {"argus":"ack"}"#), (6, "half")]
    {
        assert_eq!(gateway.agent_says().await, (number, text.to_owned()));
    }
    gateway.agent_is_down().await;
}

/// Writes numbered lines of 1000 bytes for ever, and notes how far it came in the file `count`.
const CHATTER: &str = r#"
pad=$(head -c 990 /dev/zero | tr '\0' x); n=0
while n=$((n+1)); do printf '"%07d%s"\n' $n "$pad"; echo $n > count; done"#;

fn spoken(bridge: &TestBridge) -> u64 {
    let count = bridge.dir.path().join("workspace/count");
    std::fs::read_to_string(count).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Waits until the agent's count stands still.
async fn stalled(bridge: &TestBridge) -> u64 {
    let mut last = 0;
    let mut same = 0;
    until("the agent is held up", || {
        let now = spoken(bridge);
        same = if now == last && now > 0 { same + 1 } else { 0 };
        last = now;
        same > 60
    })
    .await;
    last
}

#[tokio::test]
async fn an_agent_that_nobody_listens_to_is_held_up_and_loses_nothing() {
    let bridge = TestBridge::start_with(CHATTER, |settings| {
        settings.limits.memory_bytes = 100_000;
        settings.limits.disk_bytes = 500_000;
        settings.spill_dir = Some(settings.workspace.join("../spill"));
    })
    .await;
    drop(bridge.gateway().await);
    until("memory and disk are full", || spoken(&bridge) >= 500).await;
    let held_at = stalled(&bridge).await;
    assert!((500..1000).contains(&held_at), "memory and disk hold some 550 lines, the pipe 65: {held_at}");
    let (mut gateway, welcome) = bridge.gateway().await;
    assert!((500..700).contains(&welcome.last_seq), "{welcome:?}");
    gateway.agent_is_up().await;
    for n in 1..=3000 {
        let (number, line) = gateway.agent_says().await;
        assert_eq!((number, &line[1..8]), (n + 1, format!("{n:07}").as_str()));
        if n % 50 == 0 {
            gateway.control(&FromGateway::Ack { n: number }).await;
        }
    }
}

#[tokio::test]
async fn a_gateway_that_reads_but_does_not_acknowledge_holds_the_agent_up() {
    let bridge = TestBridge::start_with(CHATTER, |settings| settings.limits.memory_bytes = 100_000).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let held_at = stalled(&bridge).await;
    assert!(held_at < 400, "{held_at}");
    let mut number = 0;
    for _ in 0..50 {
        number = gateway.agent_says().await.0;
    }
    gateway.control(&FromGateway::Ack { n: number }).await;
    until("the agent speaks on", || spoken(&bridge) > held_at).await;
}

#[tokio::test]
async fn a_kill_reaches_an_agent_that_neither_reads_nor_can_write() {
    let agent = r#"while :; do echo '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"'; done"#;
    let bridge = TestBridge::start_with(agent, |settings| settings.limits.memory_bytes = 10_000).await;
    let (mut gateway, _) = bridge.gateway().await;
    let frame = format!("\"{}\"", "y".repeat(1000));
    for number in 1..=DOWN_WINDOW_FRAMES as u64 {
        gateway.frame(number, &frame).await;
    }
    gateway.control(&FromGateway::Kill {}).await;
    gateway.acked(DOWN_WINDOW_FRAMES as u64).await;
    loop {
        match gateway.line().await {
            Said::Event(_, Event::Agent { exit: Some(exit), .. }) => break assert_eq!(exit, "signal 9"),
            Said::Closed => panic!("closed"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn frames_wait_for_a_slow_agent_and_arrive_in_order() {
    let bridge =
        TestBridge::start(&format!("read -r line; while [ ! -e go ]; do sleep 0.01; done; {ECHO}")).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let count = 2000;
    let pad = "z".repeat(200);
    let send = async {
        let lines: Vec<String> = (1..=count).map(|number| format!("{number} \"{number}{pad}\"\n")).collect();
        gateway.raw(&lines.concat()).await;
    };
    let go = async {
        std::fs::write(bridge.dir.path().join("workspace/go"), b"").unwrap();
    };
    tokio::join!(send, go);
    for n in 2..=count {
        assert_eq!(gateway.agent_says().await, (n, format!("{{\"echo\":\"{n}{pad}\"}}")));
    }
}

#[tokio::test]
async fn a_frame_over_the_limit_takes_its_number_and_goes_nowhere() {
    let bridge = TestBridge::start_with(ECHO, |settings| settings.limits.line_bytes = 1024).await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.frame(1, &"x".repeat(5000)).await;
    gateway.frame(2, "2").await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"echo":2}"#.to_owned()));
}
