//! A child process and all it starts: one process group, with one end.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How long a group may take to end after it was asked.
const TERMINATE_TIME: Duration = Duration::from_secs(2);

/// A process that leads its own group. Dropped alive, the group is killed.
///
/// A process that left the group (a daemon with its own session) is out of reach here; only a container's end, or the
/// person whose machine it is, ends that one.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    id: Pid,
    /// What the leader left, once it is gone.
    status: Option<io::Result<ExitStatus>>,
    ended: bool,
}

/// The child's ends of its standard streams.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

/// How a group comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its leader is gone already.
    Exited,
    /// It is asked, and killed if it does not listen.
    Terminate,
    /// It is killed.
    Kill,
}

impl Group {
    /// Starts a command as the leader of a group of its own.
    pub(crate) fn lead(mut command: Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or_else(|| io::Error::other("it has no number"))?;
        Ok(Self { child, id, status: None, ended: false })
    }

    /// The leader's standard streams, once, as far as they are pipes.
    pub(crate) fn pipes(&mut self) -> Option<Pipes> {
        let child = &mut self.child;
        let (stdin, stdout, stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
        Some(Pipes { stdin, stdout, stderr })
    }

    /// The group's number, which is its leader's.
    pub(crate) fn id(&self) -> Pid {
        self.id
    }

    /// Waits until the leader is gone. May be cancelled.
    pub(crate) async fn exited(&mut self) {
        if self.status.is_none() {
            self.status = Some(self.child.wait().await);
        }
    }

    /// Ends the whole group; tells how its leader ended.
    pub(crate) async fn end(&mut self, ending: Ending) -> String {
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
