//! A child process and all it starts: one process group, with one end.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::Settings;

/// How long a group may take to end after it was asked.
const TERMINATE_TIME: Duration = Duration::from_secs(2);

/// A process that leads its own group. Dropped alive, the group is killed.
///
/// A process that left the group (a daemon with its own session) is out of reach here; only a container's end, or the
/// person whose machine it is, ends that one.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Pid,
    /// What the leader left, once it is gone.
    status: Option<io::Result<ExitStatus>>,
    ended: bool,
}

/// The child's ends of its standard streams.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// How a group comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its leader is gone already.
    Exited,
    /// It is asked, and killed if it does not listen.
    Terminate,
    /// It is killed.
    Kill,
}

impl Group {
    /// Starts the agent, or tells in words why it cannot be.
    pub(super) fn spawn(settings: &Settings) -> Result<(Self, Pipes), String> {
        let program = settings.agent.program();
        if !settings.workspace.is_dir() {
            let workspace = settings.workspace.display();
            return Err(format!(
                "cannot start `{program}`: its folder `{workspace}` is missing and cannot be made"
            ));
        }
        let mut child = Command::new(program)
            .args(settings.agent.arguments())
            .env_clear()
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&settings.workspace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| cannot_start(program, &error))?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(id), (Some(stdin), Some(stdout), Some(stderr))) = (id, pipes) else {
            return Err(format!("cannot start `{program}`: it has no number or no pipes"));
        };
        Ok((Self { child, id, status: None, ended: false }, Pipes { stdin, stdout, stderr }))
    }

    /// The group's number, which is its leader's.
    pub(super) fn id(&self) -> Pid {
        self.id
    }

    /// Waits until the leader is gone. May be cancelled.
    pub(super) async fn exited(&mut self) {
        if self.status.is_none() {
            self.status = Some(self.child.wait().await);
        }
    }

    /// Ends the whole group; tells how its leader ended.
    pub(super) async fn end(&mut self, ending: Ending) -> String {
        if ending == Ending::Terminate {
            self.signal(Signal::TERM);
            let _ = tokio::time::timeout(TERMINATE_TIME, self.exited()).await;
        }
        // Right after its leader was waited for, the number is not given to anybody else yet: they go round.
        self.signal(Signal::KILL);
        self.exited().await;
        self.ended = true;
        match &self.status {
            Some(Ok(status)) => in_words(*status),
            Some(Err(error)) => format!("unknown: {error}"),
            None => "unknown".to_owned(),
        }
    }

    fn signal(&self, signal: Signal) {
        // It fails only when nobody is left in the group.
        let _ = kill_process_group(self.id, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.ended {
            self.signal(Signal::KILL);
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

fn cannot_start(program: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            "not found, or the interpreter its first line names is not; check the path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)"
                .to_owned()
        }
        io::ErrorKind::NotFound => {
            "not found on PATH; install it, or name its path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)".to_owned()
        }
        io::ErrorKind::PermissionDenied => "not allowed; is it an executable file?".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot start `{program}`: {reason}")
}
