//! An engine of this run's own: Debian's `dockerd` with its own data, ended with the run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::answers;
use crate::{debian, workspace};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it may take to end its containers and itself.
const GRACE: Duration = Duration::from_secs(30);

/// A running `dockerd`; dropping it ends it.
pub(super) struct OwnEngine {
    /// Where it listens.
    pub(super) url: String,
    child: Child,
    _run: TempDir,
}

/// Starts one and waits until it answers. Its images stay in `.tools/engine` for the next run.
pub(super) fn start() -> anyhow::Result<OwnEngine> {
    let why = "no Docker engine answers here";
    if !debian::is_root() {
        bail!("{why}, and only root can start one: start Docker, or name its socket in DOCKER_HOST");
    }
    if dockerd().is_none() {
        debian::install(why, &["docker.io", "iptables"])?;
    }
    let program = dockerd().context("`dockerd` is not there although its package is")?;
    let folder = workspace::root().join(".tools/engine");
    fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    // The paths of its sockets must be short, and the repository's may be long.
    let run = tempfile::Builder::new().prefix("argus-engine-").tempdir().context("no temporary folder")?;
    let url = format!("unix://{}", run.path().join("docker.sock").display());
    let log = folder.join("dockerd.log");
    let output = File::create(&log).with_context(|| format!("`{}` cannot be made", log.display()))?;
    let child = Command::new(program)
        .args(["--host", &url])
        .arg("--data-root")
        .arg(folder.join("data"))
        .arg("--exec-root")
        .arg(run.path().join("exec"))
        .arg("--pidfile")
        .arg(run.path().join("pid"))
        .stdin(Stdio::null())
        .stdout(output.try_clone().context("a file can be shared")?)
        .stderr(output)
        .spawn()
        .context("`dockerd` cannot be started")?;
    let mut engine = OwnEngine { url, child, _run: run };
    engine.wait(&log)?;
    Ok(engine)
}

impl OwnEngine {
    fn wait(&mut self, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !answers(&self.url) {
            let ended = self.child.try_wait().context("`dockerd` cannot be watched")?;
            if ended.is_some() || Instant::now() > deadline {
                let told = fs::read_to_string(log).unwrap_or_default();
                let last = told.lines().last().unwrap_or_default().to_owned();
                bail!("`dockerd` does not start here ({last}); its log is {}", log.display());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        let deadline = Instant::now() + GRACE;
        while asked && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        // What it left is in folders of its own, and nothing else can be done about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian keeps it where only root looks.
fn dockerd() -> Option<PathBuf> {
    let usual = ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"];
    let usual = usual.into_iter().map(PathBuf::from).find(|file| workspace::is_program(file));
    workspace::on_path("dockerd").or(usual)
}
