//! An agent behind a TCP port, as `socat` makes one: a process of its own for every connection.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argus_testkit::app_server;
use argus_testkit::gateway::Gateway;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    /// On a free port.
    pub(crate) async fn of(agent: Agent) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), agent)
    }

    pub(crate) fn at(listener: TcpListener, agent: Agent) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (taken, cuts) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(0));
        let (count, cut) = (taken.clone(), cuts.subscribe());
        let door = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, agent.clone(), cut.clone()));
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

    /// A gateway that has only this upstream.
    pub(crate) fn behind(&self, gateway: Gateway) -> Gateway {
        gateway.with("ARGUS_PROVISION_MODE", "static").with("ARGUS_TCP_PORT", self.port.to_string())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// Relays between the connection and an agent of its own, until one of them ends or it is cut.
async fn serve(stream: TcpStream, agent: Agent, mut cut: watch::Receiver<u32>) {
    cut.mark_unchanged();
    stream.set_nodelay(true).unwrap();
    let mut child = agent.command().spawn().expect("the agent can be started");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut from, mut to) = stream.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from, &mut input) => {}
        _ = tokio::io::copy(&mut output, &mut to) => {}
        // Gone with whoever holds the other end, or cut.
        _ = cut.changed() => {}
    }
}
