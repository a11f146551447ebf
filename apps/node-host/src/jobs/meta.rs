//! What is known of a job: its `meta.json`.

use serde::{Deserialize, Serialize};

use crate::keeper::words::{Cause, Exit};

/// The last bytes of a stream that a result carries; what is longer is called truncated.
pub(crate) const STREAM: u64 = 2 << 20;

/// A job, as the reference writes it, and what we know beyond. Neither environment nor input are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the file's members, as the reference names them")]
pub(crate) struct Meta {
    pub(crate) version: u32,
    pub(crate) job_id: String,
    pub(crate) node_id: String,
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: String,
    pub(crate) stdin_text_bytes: usize,
    pub(crate) created_at_ms: u64,
    pub(crate) started_at_ms: Option<u64>,
    pub(crate) ended_at_ms: Option<u64>,
    pub(crate) pid: Option<i32>,
    pub(crate) running: bool,
    pub(crate) orphaned: bool,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) yield_ms: u64,
    pub(crate) notify_on_exit: Option<bool>,
    pub(crate) notify_on_exit_mode: Notify,
    pub(crate) exit_code: Option<i64>,
    pub(crate) signal: Option<String>,
    pub(crate) timed_out: bool,
    pub(crate) stdout_bytes: u64,
    pub(crate) stderr_bytes: u64,
    pub(crate) stdout_truncated: bool,
    pub(crate) stderr_truncated: bool,
    /// Why its keeper ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Cause>,
    /// Whether it runs on a terminal.
    pub(crate) pty: bool,
    /// Whether its end has been told, or need not be. The reference's jobs do not know.
    pub(crate) told: Option<bool>,
    /// The call that began it.
    pub(crate) call_id: String,
    /// What makes a repeated call the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<String>,
    /// With what that session can be told. Nobody is shown it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
}

/// Who is told of a job's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Notify {
    /// The session, unless the call's result told it.
    #[default]
    Auto,
    /// The session, also where the result told it.
    Always,
    /// Nobody.
    Never,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its keeper lives.
    Running,
    /// It ended, like that.
    Ended(Exit),
    /// Nobody knows how it ended.
    Orphaned,
}

impl Meta {
    /// Whether its end is yet to be told.
    pub(crate) fn is_untold(&self) -> bool {
        !self.running && self.told == Some(false)
    }

    /// The job has ended, at the latest by now, having written so much.
    pub(crate) fn end(&mut self, exit: Option<Exit>, now_ms: u64, written: (u64, u64)) {
        self.running = false;
        self.orphaned = exit.is_none();
        let exit = exit.unwrap_or(Exit { ended_at_ms: now_ms, ..Exit::default() });
        self.ended_at_ms = Some(exit.ended_at_ms);
        self.pid = exit.pid.or(self.pid);
        self.started_at_ms = exit.started_at_ms.or(self.started_at_ms);
        (self.exit_code, self.signal) = (exit.code, exit.signal);
        self.timed_out = exit.cause == Some(Cause::Timeout);
        self.cause = exit.cause;
        (self.stdout_bytes, self.stderr_bytes) = written;
        (self.stdout_truncated, self.stderr_truncated) = (written.0 > STREAM, written.1 > STREAM);
        self.told = Some(self.told.unwrap_or(false) || self.notify_on_exit_mode == Notify::Never);
    }
}
