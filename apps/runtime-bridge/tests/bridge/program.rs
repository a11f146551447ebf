//! The program itself: flags, signals, sudden death.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use argus_protocol::bridge::FromGateway;

use crate::support::{ECHO, Said, TestGateway, fingerprint, is_alive, script, until};

/// A bridge process that does not outlive its test.
struct Program(Child);

impl Program {
    fn start(dir: &Path, agent: &str, more: &[&str]) -> Self {
        Self::launch(dir, agent, more, |_| {})
    }

    fn launch(dir: &Path, agent: &str, more: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let agent = script(dir, agent);
        let agent = shell_words::join(
            [agent.program()].into_iter().chain(agent.arguments().iter().map(String::as_str)),
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_argus-runtime-bridge"));
        command
            .args(["--agent", &agent, "--secret-sha256", &fingerprint()])
            .arg("--listen")
            .arg(format!("unix:{}", dir.join("bridge.sock").display()))
            .arg("--home")
            .arg(dir)
            .args(more)
            .env("ARGUS_TOKEN", "secret")
            .env("TELEGRAM_BOT_TOKEN", "secret")
            .env("GIVEN", "yes")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        change(&mut command);
        Self(command.spawn().unwrap())
    }

    /// Starts one that stands still at a named step until it is killed.
    fn start_held(dir: &Path, agent: &str, point: &str) -> Self {
        Self::launch(dir, agent, &[], |bridge| {
            bridge.env("ARGUS_CRASH_HOLD", point).env("ARGUS_CRASH_DIR", dir);
        })
    }

    async fn gateway(&self, dir: &Path) -> TestGateway {
        let socket = dir.join("bridge.sock");
        until("the bridge listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok()).await;
        TestGateway::welcomed(&socket).await.0
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
    }

    async fn exit(mut self) -> std::process::ExitStatus {
        let mut status = None;
        until("the bridge exits", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_signal_ends_agent_and_bridge_and_removes_the_socket() {
    for name in ["TERM", "INT"] {
        let dir = tempfile::tempdir().unwrap();
        let program = Program::start(dir.path(), ECHO, &[]);
        let mut gateway = program.gateway(dir.path()).await;
        gateway.agent_is_up().await;
        program.signal(name);
        assert_eq!(gateway.agent_is_down().await.2, "exit 0");
        assert_eq!(gateway.line().await, Said::Closed);
        assert_eq!(program.exit().await.code(), Some(0));
        assert!(!dir.path().join("bridge.sock").exists() && !dir.path().join("bridge.sock.lock").exists());
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_the_agent() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), "trap '' TERM; echo $$; while :; do sleep 0.05; done", &[]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    let agent = gateway.agent_says().await.1;
    program.signal("TERM");
    // Two signals at once would be one: the second is sent until it is seen.
    until("the bridge exits", || {
        program.signal("TERM");
        !is_alive(&program.0.id().to_string())
    })
    .await;
    until("the agent ends", || !is_alive(&agent)).await;
}

#[tokio::test]
async fn the_next_bridge_ends_what_a_killed_one_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    // The agent ends when its input does, as codex does; what it started does not.
    let program = Program::start(dir.path(), "sleep 600 & echo $!; cat > /dev/null", &[]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    let orphan = gateway.agent_says().await.1;
    program.signal("KILL");
    program.exit().await;
    assert!(is_alive(&orphan));
    let program = Program::start(dir.path(), ECHO, &[]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    assert!(!is_alive(&orphan), "it was ended before the new agent began");
}

#[tokio::test]
async fn the_next_bridge_ends_an_agent_that_outlived_a_killed_one() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), "echo $$; while :; do sleep 0.05; done", &[]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    let agent = gateway.agent_says().await.1;
    program.signal("KILL");
    program.exit().await;
    assert!(is_alive(&agent));
    let program = Program::start(dir.path(), ECHO, &[]);
    program.gateway(dir.path()).await.agent_is_up().await;
    assert!(!is_alive(&agent));
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_bridge_killed_with_a_frame_in_hand_has_not_handed_it_on() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start_held(dir.path(), "cat > heard", "bridge.down_taken");
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    gateway.frame(1, "{}").await;
    until("the frame is in hand", || dir.path().join("bridge.down_taken.held").exists()).await;
    let (_, welcome) = TestGateway::welcomed(&dir.path().join("bridge.sock")).await;
    assert_eq!(welcome.last_down_seq, 1);
    program.signal("KILL");
    program.exit().await;
    let program = Program::start(dir.path(), "cat > /dev/null", &[]);
    program.gateway(dir.path()).await;
    assert_eq!(std::fs::read(dir.path().join("workspace/heard")).unwrap(), b"");
    let (_, next) = TestGateway::welcomed(&dir.path().join("bridge.sock")).await;
    assert_eq!((next.last_down_seq, next.boot == welcome.boot), (0, false));
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_bridge_killed_with_a_line_kept_but_unsent_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start_held(dir.path(), "read -r line; echo 1; sleep 600", "bridge.frame_kept");
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    gateway.frame(1, "{}").await;
    until("the line is kept", || dir.path().join("bridge.frame_kept.held").exists()).await;
    program.signal("KILL");
    program.exit().await;
    let program = Program::start(dir.path(), ECHO, &[]);
    let mut gateway = program.gateway(dir.path()).await;
    assert_eq!(gateway.agent_is_up().await.0, 1);
    gateway.frame(1, "1").await;
    assert_eq!(gateway.agent_says().await, (2, r#"{"echo":1}"#.to_owned()));
}

#[tokio::test]
async fn the_agent_sees_its_environment_and_nothing_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let print = r#"echo "[\"$GIVEN\",\"$ARGUS_TOKEN\",\"$TELEGRAM_BOT_TOKEN\",\"$HOME\"]"; cat >/dev/null"#;
    let program = Program::start(dir.path(), print, &["--set-home"]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    assert_eq!(gateway.agent_says().await.1, format!(r#"["yes","","","{}"]"#, dir.path().display()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_agent_cannot_look_into_the_bridge() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), ECHO, &[]);
    let mut gateway = program.gateway(dir.path()).await;
    gateway.agent_is_up().await;
    let owner = std::os::unix::fs::MetadataExt::uid;
    let of = |path: String| owner(&std::fs::metadata(path).unwrap());
    // A process that may be looked into owns its entries itself; one that may not has them owned by root.
    assert_eq!(of(format!("/proc/{}/mem", program.0.id())), 0);
    gateway.control(&FromGateway::Stop { grace_ms: 5000 }).await;
    assert_eq!(program.exit().await.code(), Some(0));
}

#[tokio::test]
async fn mistakes_in_the_flags_are_told() {
    for (flags, told) in [
        (["--listen", "unix:relative", "--agent", "a"], "is no address"),
        (["--listen", "tcp:127.0.0.1:0", "--agent", "a && b"], "no shell runs it"),
        (["--listen", "tcp:127.0.0.1:0", "--agent", "a"], "is not 64 hex digits"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_argus-runtime-bridge"))
            .args(flags)
            .args(["--secret-sha256", "short", "--home", "/nowhere"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(told), "{text}");
        assert_eq!(text.matches(told).count(), 1, "{text}");
    }
}

#[test]
fn mistakes_are_noted_in_the_log_because_nobody_sees_what_a_bridge_prints() {
    let dir = tempfile::tempdir().unwrap();
    for (name, value, told) in [
        ("APP_SERVER_CMD", "FOO=1 codex", "begins with the assignment `FOO=1`"),
        ("ARGUS_BRIDGE_IDLE_EXIT", "soon", "soon"),
        ("ARGUS_BRIDGE_SECRET_SHA256", "short", "is not 64 hex digits"),
    ] {
        let log = dir.path().join(name);
        let bridge = Command::new(env!("CARGO_BIN_EXE_argus-runtime-bridge"))
            .env("ARGUS_BRIDGE_LISTEN", format!("unix:{}", dir.path().join("s").display()))
            .env("ARGUS_BRIDGE_SECRET_SHA256", fingerprint())
            .env("APP_SERVER_CMD", "codex app-server")
            .env("APP_HOME", dir.path())
            .env("ARGUS_BRIDGE_LOG_FILE", &log)
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(bridge.status.code(), Some(64), "{name}");
        let noted = std::fs::read_to_string(&log).unwrap();
        assert!(noted.contains(told), "{noted}");
    }
}

#[tokio::test]
async fn a_port_is_announced_once_it_can_be_called() {
    let dir = tempfile::tempdir().unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_argus-runtime-bridge"))
        .args(["--agent", "cat", "--secret-sha256", &fingerprint(), "--listen", "tcp:127.0.0.1:0"])
        .arg("--home")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut program = Program(program.unwrap());
    let mut line = String::new();
    let mut output = BufReader::new(program.0.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("argus-runtime-bridge: listening on tcp:").unwrap();
    std::net::TcpStream::connect(address).unwrap();
}
