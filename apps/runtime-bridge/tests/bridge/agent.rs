//! The agent's life as a gateway sees it.

use argus_protocol::bridge::{AgentState, FromGateway};

use crate::support::{ECHO, TestBridge, is_alive, until};

#[tokio::test]
async fn an_agent_that_exits_at_once_is_reported_with_its_last_words() {
    let bridge = TestBridge::start("echo '{\"hello\":1}'; echo 'no config found' >&2; exit 3").await;
    let (mut gateway, _) = bridge.gateway().await;
    let (_, epoch) = gateway.agent_is_up().await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"hello":1}"#.to_owned()));
    let down = gateway.agent_is_down().await;
    assert_eq!(down, (3, epoch, "exit 3".to_owned(), Some("no config found".to_owned())));
}

#[tokio::test]
async fn a_killed_agent_is_started_again_only_when_asked() {
    let bridge = TestBridge::start(ECHO).await;
    let (mut gateway, _) = bridge.gateway().await;
    let (_, first) = gateway.agent_is_up().await;
    gateway.control(&FromGateway::Kill {}).await;
    gateway.frame(1, "\"lost\"").await;
    gateway.control(&FromGateway::Start {}).await;
    gateway.frame(2, "\"kept\"").await;
    assert_eq!(gateway.agent_is_down().await, (2, first, "signal 9".to_owned(), None));
    let (number, second) = gateway.agent_is_up().await;
    assert_eq!((number, second > first), (3, true));
    assert_eq!(gateway.agent_says().await, (4, r#"{"echo":"kept"}"#.to_owned()));
}

#[tokio::test]
async fn a_command_that_is_not_there_leaves_a_bridge_that_says_so() {
    let bridge = TestBridge::start_with(ECHO, |settings| {
        settings.agent = "no-such-agent-anywhere app-server".parse().unwrap();
    })
    .await;
    let (mut gateway, _) = bridge.gateway().await;
    let (_, first, exit, _) = gateway.agent_is_down().await;
    let why = "cannot start `no-such-agent-anywhere`: not found on PATH; install it, or name its path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)";
    assert_eq!(exit, why);
    gateway.control(&FromGateway::Start {}).await;
    let (number, second, exit, _) = gateway.agent_is_down().await;
    assert_eq!((number, second > first, exit.as_str()), (2, true, why));
    gateway.frame(1, "{}").await;
    gateway.acked(1).await;
}

#[tokio::test]
async fn an_agent_that_is_no_program_is_told_apart_from_a_missing_one() {
    for (name, text, why) in [
        (
            "a",
            None,
            "not found, or the interpreter its first line names is not; check the path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)",
        ),
        ("b", Some("#!/no/such/interpreter\n"), "not allowed; is it an executable file?"),
    ] {
        let bridge = TestBridge::start_with(ECHO, |settings| {
            let path = settings.workspace.join(name);
            std::fs::create_dir_all(&settings.workspace).unwrap();
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            settings.agent = path.to_str().unwrap().parse().unwrap();
        })
        .await;
        let (mut gateway, _) = bridge.gateway().await;
        let (_, _, exit, _) = gateway.agent_is_down().await;
        assert!(exit.ends_with(why), "{exit}");
    }
}

#[tokio::test]
async fn the_agent_runs_in_its_workspace_with_the_environment_it_is_given() {
    let bridge = TestBridge::start_with(r#"echo "[\"$(pwd)\",\"$GIVEN\",\"$HOME\"]""#, |settings| {
        let path = std::env::var_os("PATH").unwrap();
        settings.environment = vec![("PATH".into(), path), ("GIVEN".into(), "yes".into())];
    })
    .await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let workspace = bridge.dir.path().join("workspace").canonicalize().unwrap();
    assert_eq!(gateway.agent_says().await.1, format!(r#"["{}","yes",""]"#, workspace.display()));
    assert!(workspace.join("AGENTS.md").exists());
}

#[tokio::test]
async fn what_the_agent_started_ends_with_it() {
    let bridge = TestBridge::start("sleep 600 & echo $!; read -r line; exit 0").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let child = gateway.agent_says().await.1;
    assert!(is_alive(&child));
    gateway.frame(1, "{}").await;
    assert_eq!(gateway.agent_is_down().await.2, "exit 0");
    until("the agent's child ends", || !is_alive(&child)).await;
}

#[tokio::test]
async fn an_agent_whose_pipes_are_held_open_elsewhere_still_ends() {
    // `setsid` takes the sleeper out of the group, and its copies of the pipes with it.
    let bridge = TestBridge::start("setsid sleep 600 & echo $!; exit 7").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    let child = gateway.agent_says().await.1;
    assert_eq!(gateway.agent_is_down().await.2, "exit 7");
    std::process::Command::new("kill").arg(child).status().unwrap();
}

#[tokio::test]
async fn an_agent_that_closes_its_output_is_ended() {
    let bridge = TestBridge::start("echo 1; exec >&-; sleep 600").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.agent_says().await;
    assert_eq!(gateway.agent_is_down().await.2, "signal 9");
}

#[tokio::test]
async fn an_agent_that_closes_its_input_has_its_frames_counted() {
    let bridge = TestBridge::start("exec <&-; echo 1; sleep 600").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    gateway.agent_says().await;
    for number in 1..=1000 {
        gateway.frame(number, "{}").await;
    }
    gateway.acked(1000).await;
}

#[tokio::test]
async fn error_output_never_reaches_the_link() {
    let bridge = TestBridge::start("echo 'a warning' >&2; echo 1; read -r line").await;
    let (mut gateway, _) = bridge.gateway().await;
    gateway.agent_is_up().await;
    assert_eq!(gateway.agent_says().await, (2, "1".to_owned()));
    let log = bridge.dir.path().join("bridge.log");
    until("the warning is in the log", || {
        std::fs::read_to_string(&log).unwrap().contains("agent: a warning\n")
    })
    .await;
}

#[tokio::test]
async fn the_state_before_the_first_line_kept_is_told() {
    let bridge = TestBridge::start("read -r line; exit 0").await;
    let (mut gateway, _) = bridge.gateway().await;
    let (_, epoch) = gateway.agent_is_up().await;
    gateway.frame(1, "{}").await;
    let (number, ..) = gateway.agent_is_down().await;
    gateway.control(&FromGateway::Ack { n: number }).await;
    gateway.control(&FromGateway::Ping {}).await;
    gateway.pong().await;
    let (_, welcome) = bridge.gateway().await;
    assert_eq!((welcome.agent_epoch, welcome.agent_state), (epoch, AgentState::Down));
    assert_eq!((welcome.first_seq, welcome.last_seq), (3, 2));
}
