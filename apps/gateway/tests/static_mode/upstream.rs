//! Agents behind TCP ports: one process for each connection, as `socat` makes them; one for all; one played by hand.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argus_testkit::app_server;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where agents are started and what they are.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

impl Agent {
    /// The scripted one, with its threads and notes in the home of that gateway.
    pub(crate) fn scripted(home: &Path) -> Self {
        let path = |name: &str| OsString::from(home.join(name));
        let environment = vec![("SCRIPTED_STATE", path("threads")), ("SCRIPTED_LOG", path("turns.jsonl"))];
        Self { program: app_server::binary(), arguments: Vec::new(), environment }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// A port behind which agents are. It is closed, and they end, with this.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    taken: Arc<AtomicUsize>,
    cuts: watch::Sender<u32>,
    door: JoinHandle<()>,
}

impl Upstream {
    /// A process for each connection, on a free port.
    pub(crate) async fn of(agent: Agent) -> Self {
        Self::at(free_port().await, agent)
    }

    /// The same, on that port.
    pub(crate) fn at(listener: TcpListener, agent: Agent) -> Self {
        Self::open(listener, move |stream, cut| serve(stream, agent.clone(), cut))
    }

    /// One process for all connections, one at a time: it outlives each of them.
    pub(crate) async fn shared(agent: Agent) -> Self {
        let mut child = agent.command().spawn().expect("the agent can be started");
        let ends = (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child);
        let ends = Arc::new(Mutex::new(ends));
        Self::open(free_port().await, move |stream, mut cut| {
            let ends = ends.clone();
            async move {
                let (input, output, _) = &mut *ends.lock().await;
                cut.mark_unchanged();
                relay(stream, input, output, cut).await;
            }
        })
    }

    fn open<F: Future<Output = ()> + Send + 'static>(
        listener: TcpListener,
        serve: impl Fn(TcpStream, watch::Receiver<u32>) -> F + Send + 'static,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (taken, cuts) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(0));
        let (count, cut) = (taken.clone(), cuts.subscribe());
        let door = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(stream, cut.clone()));
            }
        });
        Self { port, taken, cuts, door }
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Every connection ends, and with it its agent.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// The same, and the gateway has noticed it.
    pub(crate) async fn cut_from(&self, gateway: &Gateway) {
        let before = noticed(gateway);
        self.cut();
        eventually("the gateway notices", async || (noticed(gateway) > before).then_some(())).await;
    }

    /// A gateway that has only this upstream.
    pub(crate) fn behind(&self, gateway: Gateway) -> Gateway {
        behind(self.port, gateway)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// A gateway whose only upstream is on that port.
pub(crate) fn behind(port: u16, gateway: Gateway) -> Gateway {
    gateway.with("ARGUS_PROVISION_MODE", "static").with("ARGUS_TCP_PORT", port.to_string())
}

/// How many connections the gateway saw end.
pub(crate) fn noticed(gateway: &Gateway) -> usize {
    gateway.log().matches("the link to the runtime ended").count()
}

/// A port that nobody has.
pub(crate) async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn serve(stream: TcpStream, agent: Agent, mut cut: watch::Receiver<u32>) {
    cut.mark_unchanged();
    let mut child = agent.command().spawn().expect("the agent can be started");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    relay(stream, &mut input, &mut output, cut).await;
}

/// Relays between a connection and an agent until one of them ends, or until it is cut.
async fn relay(
    stream: TcpStream,
    input: &mut ChildStdin,
    output: &mut ChildStdout,
    mut cut: watch::Receiver<u32>,
) {
    let (mut from, mut to) = stream.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from, input) => {}
        _ = tokio::io::copy(output, &mut to) => {}
        _ = cut.changed() => {}
    }
}

/// The agent's end of a connection, played by the test.
pub(crate) struct Played {
    said: Lines<BufReader<OwnedReadHalf>>,
    to: OwnedWriteHalf,
}

impl Played {
    /// Takes the gateway's connection, and is greeted.
    pub(crate) async fn take(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("it is dialed").unwrap();
        let mut played = Self::over(stream);
        let result = json!({ "userAgent": "argus_gateway/0.1 (Played)", "codexHome": "/c" });
        played.answer("initialize", result).await;
        played.answer("account/read", json!({ "account": null, "requiresOpenaiAuth": false })).await;
        played
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        let (from, to) = stream.into_split();
        Self { said: BufReader::new(from).lines(), to }
    }

    /// The next request of that method, answered.
    pub(crate) async fn answer(&mut self, method: &str, result: Value) {
        let id = self.asked(method).await;
        self.write(format!("{}\n", json!({ "id": id, "result": result })).as_bytes()).await;
    }

    /// The id of the next request of that method.
    pub(crate) async fn asked(&mut self, method: &str) -> Value {
        loop {
            let line = timeout(PATIENCE, self.said.next_line()).await.expect("a line comes").unwrap();
            let line: Value = serde_json::from_str(&line.expect("the connection lives")).unwrap();
            if line["method"] == method {
                return line["id"].clone();
            }
        }
    }

    /// Says these bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).await.unwrap();
    }

    /// Leaves, and the gateway notices.
    pub(crate) async fn leave(self, gateway: &Gateway) {
        let before = noticed(gateway);
        drop(self);
        eventually("the gateway notices", async || (noticed(gateway) > before).then_some(())).await;
    }

    /// Waits until the gateway hangs up.
    pub(crate) async fn hung_up(&mut self) {
        let end = async { while let Ok(Some(_)) = self.said.next_line().await {} };
        timeout(PATIENCE, end).await.expect("it hangs up");
    }
}
