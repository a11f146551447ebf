//! A command on a node in numbers: `cargo xtask bench nodes`.
//!
//! A gateway and a node as processes of this machine; `system.run true` through `POST /nodes/invoke` over one kept
//! connection: one after the other, and 16 at once. Each is a job on the node's disk, with a process that looks after it.
//! Beside it stand, in the same run, `ssh true` over a connection that is kept open, where an ssh server is installed, and
//! the bare start of a process.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use argus_testkit::device::Device;
use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

/// Calls at the same time.
const AT_ONCE: usize = 16;

#[tokio::main]
async fn main() {
    let calls = if std::env::args().any(|word| word == "--quick") { 100 } else { 500 };
    let gateway = Gateway::new().start().await;
    let mut device = Device::enrolled(&gateway, "bench").await;
    device.start(&gateway).await;
    let caller = Arc::new(Caller::new(&gateway));
    let ssh = Ssh::start(&gateway.home().join("ssh"));
    for _ in 0..20 {
        caller.invoke().await;
    }
    println!("`true`, {calls} times one after the other, then {AT_ONCE} at once:");
    // In turn, so that all meet the same machine.
    let (mut node, mut remote, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..calls {
        node.push(timed(caller.invoke()).await);
        if let Some(ssh) = &ssh {
            remote.push(timed(ssh.run()).await);
        }
        bare.push(timed(spawn()).await);
    }
    let each = calls / AT_ONCE;
    let together = |what: &'static str, took: Duration| (what, rate(each * AT_ONCE, took));
    let mut rates = vec![together(
        "node",
        side_by_side(each, || {
            let caller = caller.clone();
            async move { caller.invoke().await }
        })
        .await,
    )];
    if let Some(ssh) = &ssh {
        rates.push(together(
            "ssh",
            side_by_side(each, || {
                let ssh = ssh.clone();
                async move { ssh.run().await }
            })
            .await,
        ));
    }
    rates.push(together("bare", side_by_side(each, spawn).await));
    for (what, times) in [("node", &mut node), ("ssh", &mut remote), ("bare", &mut bare)] {
        let Some((p50, p99)) = percentiles(times) else {
            println!("  {what}: no ssh server here");
            continue;
        };
        let rate = rates.iter().find(|(name, _)| *name == what).map_or(0.0, |(_, rate)| *rate);
        println!("  {what}: p50 {} p99 {}; at once {rate:.0} in a second", ms(p50), ms(p99));
    }
    println!("  resident: node {}", resident(device.pid()));
    drop(ssh);
}

/// Calls the node through the gateway.
struct Caller {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    fn new(gateway: &Gateway) -> Self {
        let url = format!("{}/nodes/invoke", gateway.url());
        Self { client: reqwest::Client::new(), url, token: gateway.token() }
    }

    async fn invoke(&self) {
        let wish = json!({ "node": "bench", "command": "system.run", "params": { "argv": ["true"] } });
        let sent = self.client.post(&self.url).bearer_auth(&self.token).json(&wish).send().await;
        let told: Value = sent.expect("the gateway answers").json().await.expect("JSON");
        assert_eq!(told["payload"]["exitCode"], 0, "{told}");
    }
}

/// An ssh server of our own on loopback, and a connection to it that is kept open.
#[derive(Clone)]
struct Ssh(Arc<SshParts>);

struct SshParts {
    server: std::sync::Mutex<Child>,
    control: String,
}

impl Ssh {
    /// `None` where there is no server.
    fn start(folder: &Path) -> Option<Self> {
        let program = Path::new("/usr/sbin/sshd");
        if !program.is_file() {
            return None;
        }
        std::fs::create_dir_all(folder).ok()?;
        _ = std::fs::create_dir_all("/run/sshd");
        let at = |name: &str| folder.join(name).display().to_string();
        for key in ["host", "user"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]).status();
            made.ok().filter(std::process::ExitStatus::success)?;
        }
        std::fs::copy(folder.join("user.pub"), folder.join("allowed")).ok()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let server = Command::new(program)
            .args(["-D", "-f", "/dev/null", "-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PidFile=none"])
            .args(["-o", "ListenAddress=127.0.0.1", "-o", "MaxSessions=64", "-o", &format!("Port={port}")])
            // Its shell reads nothing of the person's own.
            .args(["-o", &format!("SetEnv=HOME={}", folder.display())])
            .args(["-o", &format!("HostKey={}", at("host"))])
            .args(["-o", &format!("AuthorizedKeysFile={}", at("allowed"))])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let control = at("control");
        let ssh = Self(Arc::new(SshParts { server: server.into(), control: control.clone() }));
        let open = || {
            Command::new("ssh")
                .args(["-M", "-S", &control, "-o", "ControlPersist=yes", "-o", "StrictHostKeyChecking=no"])
                .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", &at("user")])
                .args(["-p", &port.to_string(), "127.0.0.1", "true"])
                .stdin(Stdio::null())
                .status()
        };
        let open = (0..20).any(|_| {
            let done = open().is_ok_and(|status| status.success());
            if !done {
                std::thread::sleep(Duration::from_millis(100));
            }
            done
        });
        open.then_some(ssh)
    }

    async fn run(&self) {
        let mut command = tokio::process::Command::new("ssh");
        command.args(["-S", &self.0.control, "127.0.0.1", "true"]).stdin(Stdio::null());
        assert!(command.status().await.is_ok_and(|status| status.success()), "ssh runs `true`");
    }
}

impl Drop for SshParts {
    fn drop(&mut self) {
        _ = Command::new("ssh")
            .args(["-S", &self.control, "-O", "exit", "127.0.0.1"])
            .stderr(Stdio::null())
            .status();
        if let Ok(server) = self.server.get_mut() {
            _ = server.kill();
            _ = server.wait();
        }
    }
}

async fn spawn() {
    let status = tokio::process::Command::new("true").stdin(Stdio::null()).status().await;
    assert!(status.is_ok_and(|status| status.success()), "`true` can be run");
}

async fn timed(deed: impl Future<Output = ()>) -> Duration {
    let began = Instant::now();
    deed.await;
    began.elapsed()
}

/// [`AT_ONCE`] tasks, each doing the deed so often.
async fn side_by_side<F>(each: usize, deed: impl Fn() -> F) -> Duration
where
    F: Future<Output = ()> + Send,
{
    let began = Instant::now();
    let tasks = (0..AT_ONCE).map(|_| async {
        for _ in 0..each {
            deed().await;
        }
    });
    futures::future::join_all(tasks).await;
    began.elapsed()
}

fn percentiles(times: &mut [Duration]) -> Option<(Duration, Duration)> {
    times.sort_unstable();
    Some((*times.get(times.len() / 2)?, *times.get(times.len() * 99 / 100)?))
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn resident(pid: u32) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or("?").to_owned();
    [line("VmRSS"), line("RssAnon")].join(", ").replace('\t', " ")
}
