//! The real agent with a model that writes at a steady pace: through us, and by the agent's own socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use argus_testkit::gateway::Gateway;
use argus_testkit::programs;
use serde_json::{Value, json};

use crate::figures::{Measured, percentile};
use crate::model::Model;
use crate::relays::{Ending, door};
use crate::socket::{Door, Socket, frame};

/// The figures of a measurement.
pub(crate) const FIGURES: &[&str] = &["p50 µs", "p99 µs"];

/// Both ways to the agent, each with one of its own.
pub(crate) struct Agents {
    /// Through us, in process mode.
    pub(crate) ours: Thread,
    /// By its own socket.
    pub(crate) own: Thread,
    model: Model,
    _gateway: Gateway,
    _agent: Ending,
    _home: tempfile::TempDir,
}

/// A client with a thread.
pub(crate) struct Thread {
    socket: Socket,
    id: String,
}

impl Agents {
    /// Starts both; `None` where there is no codex.
    pub(crate) async fn start() -> io::Result<Option<Self>> {
        let Some(codex) = programs::real_codex() else { return Ok(None) };
        let model = Model::start().await?;
        let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return Ok(None) };
        let gateway = gateway.start().await;
        let home = tempfile::tempdir()?;
        std::fs::write(home.path().join("config.toml"), model.codex_config())?;
        let (agent, address) = listen(&codex, home.path())?;
        let own = Door { address, path: "/".to_owned(), head: String::new() };
        let (ours, own) = (Thread::open(&door(&gateway)?).await?, Thread::open(&own).await?);
        Ok(Some(Self { ours, own, model, _gateway: gateway, _agent: agent, _home: home }))
    }

    /// One turn through us, and one by the agent's own socket.
    pub(crate) async fn measure(&mut self, deltas: u32) -> io::Result<[Measured; 2]> {
        self.model.say(deltas);
        Ok([self.ours.turn(&self.model).await?, self.own.turn(&self.model).await?])
    }
}

/// Starts an agent that listens by itself.
fn listen(codex: &Path, home: &Path) -> io::Result<(Ending, SocketAddr)> {
    // Free a moment ago: the agent says nowhere which one it took.
    let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut command = Command::new(codex);
    command
        .args(["app-server", "--listen", &format!("ws://{address}")])
        .current_dir(home)
        .env_clear()
        .envs(programs::clean_environment())
        .env("CODEX_HOME", home)
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok((Ending(command.spawn()?), address))
}

impl Thread {
    async fn open(door: &Door) -> io::Result<Self> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let socket = loop {
            match Socket::connect(door).await {
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                Ok(socket) => break socket,
            }
        };
        let mut thread = Self { socket, id: String::new() };
        let client = json!({ "clientInfo": { "name": "bench", "title": "bench", "version": "1" } });
        thread.call("initialize", &client).await?;
        thread.socket.say(&frame(r#"{"method":"initialized"}"#)).await?;
        let reply = thread.call("thread/start", &json!({})).await?;
        reply["result"]["thread"]["id"].as_str().unwrap_or_default().clone_into(&mut thread.id);
        Ok(thread)
    }

    async fn call(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let request = json!({ "id": method, "method": method, "params": params });
        self.socket.say(&frame(&request.to_string())).await?;
        loop {
            let said: Value = serde_json::from_slice(self.socket.next().await?)?;
            if said["id"] == method {
                return Ok(said);
            }
        }
    }

    /// From the model's write of each delta to its receipt.
    async fn turn(&mut self, model: &Model) -> io::Result<Measured> {
        let input = json!([{ "type": "text", "text": "go" }]);
        let request = json!({ "id": "turn", "method": "turn/start", "params": { "threadId": self.id, "input": input } });
        self.socket.say(&frame(&request.to_string())).await?;
        let mut times = Vec::new();
        loop {
            let said = self.socket.next().await?;
            let now = model.now();
            let has = |what: &[u8]| memchr::memmem::find(said, what);
            if let Some(at) = has(br#""delta":"@"#).and_then(|at| said.get(at + 10..at + 22)) {
                let at: Option<u64> = std::str::from_utf8(at).ok().and_then(|digits| digits.parse().ok());
                times.extend(at.and_then(|at| u32::try_from(now.saturating_sub(at)).ok()));
            } else if has(br#""method":"turn/completed""#).is_some() {
                break;
            }
        }
        let figures = vec![percentile(&mut times, 50), percentile(&mut times, 99)];
        Ok(Measured { figures, cpu_us: None })
    }
}
