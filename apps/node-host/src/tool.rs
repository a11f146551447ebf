//! Programs of the system that commands use: with a time limit, little output, and an end when nobody waits any more.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use argus_protocol::node::{Fault, code};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::policy::{Policy, program};

/// How long a tool may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How much of what it complains of is told.
const COMPLAINT: usize = 4096;

/// What tools need of the environment to find the screen they are to use.
const DESKTOP: [&str; 7] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XDG_CURRENT_DESKTOP",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Where tools are found, and what they get: the policy's `PATH` and environment, and the way to the screen.
#[derive(Clone, Debug)]
pub struct Tools(Policy);

/// A tool to be run.
#[derive(Clone, Debug)]
pub struct Tool {
    program: PathBuf,
    arguments: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    limit: Duration,
}

/// What is done with what a tool writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It is kept, up to so many bytes; more is a fault.
    Kept(usize),
    /// It goes nowhere: for tools that leave a process behind, which would hold it open.
    Dropped,
}

impl Tools {
    /// By that policy.
    pub fn new(policy: Policy) -> Self {
        Self(policy)
    }

    /// A variable that tells of the screen; none where it is empty.
    pub fn desktop(&self, name: &str) -> Option<&OsStr> {
        self.0.host().var(name).filter(|value| !value.is_empty())
    }

    /// A tool by its name, if it is there.
    pub fn find(&self, name: &str) -> Option<Tool> {
        let program = program::in_path(name, &self.0.path())?;
        let desktop =
            DESKTOP.iter().filter_map(|name| Some((OsString::from(*name), self.desktop(name)?.to_owned())));
        let mut env = self.0.environment();
        env.retain(|(name, _)| !DESKTOP.iter().any(|own| name == own));
        env.extend(desktop);
        Some(Tool { program, arguments: Vec::new(), env, limit: LIMIT })
    }
}

impl Tool {
    /// With these arguments too; no shell reads them.
    #[must_use]
    pub fn with<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With another time limit.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Runs it to its end with that input, and tells what it wrote. It and all it began is ended when it takes too long
    /// or nobody waits any more.
    pub async fn run(
        self,
        input: Vec<u8>,
        output: Output,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, Fault> {
        let name = self.program.display().to_string();
        let failed = |error: io::Error| Fault::new(code::FAILED, format!("`{name}`: {error}"));
        let piped = || if output == Output::Dropped { Stdio::null() } else { Stdio::piped() };
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .process_group(0)
            .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(piped())
            .stderr(piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let group = Group(child.id());
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let most = if let Output::Kept(most) = output { most } else { 0 };
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A tool that does not want it all may be right.
                let _ = stdin.write_all(&input).await;
            }
        };
        let work = async {
            let ((), told, complaint) = tokio::join!(feed, read(stdout, most), read(stderr, COMPLAINT));
            let status = child.wait().await?;
            Ok::<_, io::Error>((status, told?, complaint.unwrap_or_default()))
        };
        let (status, told, complaint) = tokio::select! {
            done = tokio::time::timeout(self.limit, work) => {
                let Ok(done) = done else {
                    let words = format!("`{name}` took longer than {} s and was ended", self.limit.as_secs());
                    return Err(Fault::new(code::TIMEOUT, words));
                };
                done.map_err(failed)?
            }
            () = cancel.cancelled() => return Err(Fault::new(code::CANCELLED, "nobody waits for it any more")),
        };
        // What it left behind on purpose stays.
        std::mem::forget(group);
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint.bytes).trim().to_owned();
            return Err(Fault::new(code::FAILED, format!("`{name}` ended with {status}: {complaint}")));
        }
        match told.more {
            More::None => Ok(told.bytes),
            More::Dropped => {
                let words = format!("`{name}` told more than {most} bytes");
                Err(Fault::new(code::TOO_LARGE, words))
            }
        }
    }
}

/// What was read of a stream, which is read to its end so that nobody waits for room in it.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    more: More,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum More {
    #[default]
    None,
    Dropped,
}

async fn read(stream: Option<impl AsyncRead + Unpin>, most: usize) -> io::Result<Heard> {
    let mut heard = Heard::default();
    let Some(mut stream) = stream else { return Ok(heard) };
    (&mut stream).take(most as u64).read_to_end(&mut heard.bytes).await?;
    if tokio::io::copy(&mut stream, &mut tokio::io::sink()).await? > 0 {
        heard.more = More::Dropped;
    }
    Ok(heard)
}

/// A process group that is killed when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may be gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
