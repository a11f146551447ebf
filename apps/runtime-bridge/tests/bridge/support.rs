//! A bridge in a folder of its own, and a gateway to talk to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argus_jsonl::{Line, LineCodec};
use argus_protocol::bridge::{self, AgentState, Event, FromBridge, FromGateway, Given};
use argus_protocol::token::Secret;
use argus_runtime_bridge::{AgentCommand, Bridge, Limits, Listen, Log, Settings};
use bytes::Bytes;
use futures::StreamExt as _;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

/// The secret of every bridge here.
pub(crate) const SECRET: &str = "the bridge's secret";

/// No wait in these tests may take longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// An agent that answers every line with `{"echo":<line>}`.
pub(crate) const ECHO: &str = r#"while read -r line; do printf '{"echo":%s}\n' "$line"; done"#;

pub(crate) fn fingerprint() -> String {
    Secret::parse(SECRET).unwrap().fingerprint()
}

/// Writes a script and tells the command that runs it.
pub(crate) fn script(dir: &Path, text: &str) -> AgentCommand {
    let path = dir.join("agent.sh");
    std::fs::write(&path, text).unwrap();
    format!("sh '{}'", path.display()).parse().unwrap()
}

/// Settings for a bridge in `dir` that runs the script `agent`.
pub(crate) fn settings(dir: &Path, agent: &str) -> Settings {
    Settings {
        listen: Listen::Unix(dir.join("bridge.sock")),
        secret_fingerprint: fingerprint(),
        agent: script(dir, agent),
        environment: std::env::vars_os().collect(),
        home: None,
        workspace: dir.join("workspace"),
        session: Some("s1".to_owned()),
        node: Vec::new(),
        spill_dir: None,
        idle_exit: None,
        log: Log::file(&dir.join("bridge.log"), 1 << 20).unwrap(),
        limits: Limits::default(),
    }
}

/// A bridge served within the test.
pub(crate) struct TestBridge {
    pub(crate) dir: TempDir,
    task: JoinHandle<()>,
}

impl TestBridge {
    pub(crate) async fn start(agent: &str) -> Self {
        Self::start_with(agent, |_| {}).await
    }

    pub(crate) async fn start_with(agent: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path(), agent);
        change(&mut settings);
        let bridge = Bridge::open(settings).await.unwrap();
        let task = tokio::spawn(bridge.serve(CancellationToken::new()));
        Self { dir, task }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("bridge.sock")
    }

    /// Says a good hello; tells the welcome too.
    pub(crate) async fn gateway(&self) -> (TestGateway, Welcome) {
        TestGateway::welcomed(&self.socket()).await
    }

    /// Drops the bridge in the middle of its work.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }

    /// Waits until the bridge ends by itself.
    pub(crate) async fn ended(self) -> TempDir {
        tokio::time::timeout(LIMIT, self.task).await.expect("the bridge ends").unwrap();
        self.dir
    }
}

/// What a bridge said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Frame(u64, String),
    Event(u64, Event),
    Control(FromBridge),
    Oversized(u64),
    Closed,
}

/// The numbers of a welcome.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) boot: String,
    pub(crate) agent_epoch: u64,
    pub(crate) agent_state: AgentState,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    pub(crate) last_down_seq: u64,
    pub(crate) free: bool,
}

pub(crate) struct TestGateway {
    lines: FramedRead<OwnedReadHalf, LineCodec>,
    output: OwnedWriteHalf,
}

impl TestGateway {
    pub(crate) async fn dial(socket: &Path) -> Self {
        let (input, output) = UnixStream::connect(socket).await.unwrap().into_split();
        Self { lines: FramedRead::new(input, LineCodec::new(256 << 20)), output }
    }

    pub(crate) async fn welcomed(socket: &Path) -> (Self, Welcome) {
        let mut gateway = Self::dial(socket).await;
        gateway.hello(bridge::VERSION, SECRET).await;
        let said = gateway.next().await;
        let Said::Control(FromBridge::Welcome {
            v: bridge::VERSION,
            boot,
            agent_epoch,
            agent_state,
            first_seq,
            last_seq,
            last_down_seq,
            free,
        }) = said
        else {
            panic!("no welcome but {said:?}")
        };
        (gateway, Welcome { boot, agent_epoch, agent_state, first_seq, last_seq, last_down_seq, free })
    }

    pub(crate) async fn hello(&mut self, v: u32, secret: &str) {
        self.control(&FromGateway::Hello { v, secret: secret.into(), gateway: "test".into(), given: None })
            .await;
    }

    /// Says a good hello that gives something, and reads the welcome.
    pub(crate) async fn giving(socket: &Path, given: Given) -> Self {
        let mut gateway = Self::dial(socket).await;
        let hello = FromGateway::Hello {
            v: bridge::VERSION,
            secret: SECRET.into(),
            gateway: "test".into(),
            given: Some(given),
        };
        gateway.control(&hello).await;
        assert!(matches!(gateway.next().await, Said::Control(FromBridge::Welcome { .. })));
        gateway
    }

    pub(crate) async fn control(&mut self, line: &FromGateway) {
        self.raw(&(serde_json::to_string(line).unwrap() + "\n")).await;
    }

    pub(crate) async fn frame(&mut self, number: u64, json: &str) {
        self.raw(&format!("{number} {json}\n")).await;
    }

    pub(crate) async fn raw(&mut self, text: &str) {
        tokio::time::timeout(LIMIT, self.output.write_all(text.as_bytes())).await.unwrap().unwrap();
    }

    /// Sends what may not be read any more.
    pub(crate) async fn raw_in_vain(&mut self, text: &str) {
        let _ = self.output.write_all(text.as_bytes()).await;
    }

    /// The next line of any kind.
    pub(crate) async fn next(&mut self) -> Said {
        let line = tokio::time::timeout(LIMIT, self.lines.next()).await.expect("the bridge says something");
        match line {
            Some(Ok(Line::Text(line))) => read(&line),
            Some(Ok(Line::Oversized { bytes, .. })) => Said::Oversized(bytes),
            Some(Err(_)) | None => Said::Closed,
        }
    }

    /// The next numbered line.
    pub(crate) async fn line(&mut self) -> Said {
        loop {
            match self.next().await {
                Said::Control(FromBridge::Ack { .. } | FromBridge::Ping {}) => {}
                said => return said,
            }
        }
    }

    /// The next numbered line, which must be the agent's.
    pub(crate) async fn agent_says(&mut self) -> (u64, String) {
        match self.line().await {
            Said::Frame(number, json) => (number, json),
            said => panic!("no frame but {said:?}"),
        }
    }

    /// The next numbered line, which must tell that the agent is up; its number and epoch.
    pub(crate) async fn agent_is_up(&mut self) -> (u64, u64) {
        match self.line().await {
            Said::Event(number, Event::Agent { state: AgentState::Up, epoch, .. }) => (number, epoch),
            said => panic!("the agent is not up: {said:?}"),
        }
    }

    /// The next numbered line, which must tell that the agent is down; its number, epoch, exit and error output.
    pub(crate) async fn agent_is_down(&mut self) -> (u64, u64, String, Option<String>) {
        match self.line().await {
            Said::Event(number, Event::Agent { state: AgentState::Down, epoch, exit, stderr_tail }) => {
                (number, epoch, exit.unwrap_or_default(), stderr_tail)
            }
            said => panic!("the agent is not down: {said:?}"),
        }
    }

    /// Waits for a pong.
    pub(crate) async fn pong(&mut self) {
        while self.next().await != Said::Control(FromBridge::Pong {}) {}
    }

    /// Waits for the ack of frame `number`.
    pub(crate) async fn acked(&mut self, number: u64) {
        loop {
            match self.next().await {
                Said::Control(FromBridge::Ack { n }) if n >= number => return,
                Said::Closed => panic!("closed before frame {number} was acknowledged"),
                _ => {}
            }
        }
    }
}

fn read(line: &Bytes) -> Said {
    let text = |json: &[u8]| String::from_utf8(json.to_vec()).unwrap();
    match bridge::parse_line(line).unwrap() {
        bridge::Line::Frame(number, json) => Said::Frame(number, text(json)),
        bridge::Line::Event(number, json) => Said::Event(number, serde_json::from_slice(json).unwrap()),
        bridge::Line::Control(json) => Said::Control(serde_json::from_slice(json).unwrap()),
    }
}

/// Whether a process of this number runs; one that nobody has waited for yet is dead.
pub(crate) fn is_alive(pid: &str) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let held = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, held).await.is_ok(), "not in time: {what}");
}
