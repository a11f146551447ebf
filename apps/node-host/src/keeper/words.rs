//! What a keeper and the jobs say to each other: the order to keep a job, its beginning, its end, and requests between.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

/// The files of a job's folder.
pub(crate) mod file {
    /// What the job wrote.
    pub(crate) const STDOUT: &str = "stdout.log";
    /// Its complaints.
    pub(crate) const STDERR: &str = "stderr.log";
    /// What the keeper complains of. It is locked for as long as the keeper lives.
    pub(crate) const KEEPER: &str = "keeper.log";
    /// Where the keeper listens.
    pub(crate) const SOCKET: &str = "keeper.sock";
    /// How the job ended.
    pub(crate) const EXIT: &str = "exit.json";
}

/// The order to keep a job, one JSON text on the keeper's standard input. It holds what nobody is to be shown.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    /// The program's file.
    pub(crate) program: OsString,
    /// Its arguments, its own name first.
    pub(crate) argv: Vec<String>,
    /// Where it runs.
    pub(crate) cwd: OsString,
    /// Its whole environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub(crate) input: Input,
    /// Milliseconds after which it is ended.
    pub(crate) timeout_ms: Option<u64>,
    /// Bytes of output at which it is ended.
    pub(crate) output_limit: u64,
}

/// What a job reads.
#[derive(Serialize, Deserialize)]
pub(crate) enum Input {
    /// Nothing.
    Nothing,
    /// This text, then nothing.
    Text(String),
    /// What is written to it while it runs.
    Open,
    /// What is typed on a terminal of that size.
    Terminal(Size),
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    /// Lines.
    pub(crate) rows: u16,
    /// Characters of a line.
    pub(crate) cols: u16,
}

/// The one line that a keeper writes, and what it answers to every [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Report {
    /// The job runs.
    #[serde(rename_all = "camelCase")]
    Running {
        /// The process that leads its group.
        pid: i32,
        /// Unix milliseconds.
        started_at_ms: u64,
    },
    /// It could not be started, or what was asked could not be done: why, for a person.
    Failed(String),
    /// What was to be written found no room: the job does not read.
    Full,
}

/// How a job ended: `exit.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Exit {
    /// The process that led its group; none where it could not be started.
    pub(crate) pid: Option<i32>,
    /// What it returned, where it ended by itself.
    #[serde(rename = "exitCode")]
    pub(crate) code: Option<i64>,
    /// What ended it, such as `SIGKILL`.
    pub(crate) signal: Option<String>,
    /// Why the keeper ended it, where it did.
    pub(crate) cause: Option<Cause>,
    /// Unix milliseconds.
    pub(crate) started_at_ms: Option<u64>,
    /// Unix milliseconds.
    pub(crate) ended_at_ms: u64,
}

/// Why a keeper ends a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Cause {
    /// Somebody asked for it.
    Killed,
    /// It took too long.
    Timeout,
    /// It wrote too much.
    OutputLimit,
}

/// What a keeper can be asked, one JSON line for each connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Request {
    /// Whether it is there. The connection stays open until the keeper ends.
    Watch,
    /// End the job's whole group.
    Kill,
    /// Send the job's group this signal.
    Signal(String),
    /// Give the job something to read.
    #[serde(rename_all = "camelCase")]
    Write {
        /// Bytes as base64.
        base64: String,
        /// Whether nothing comes after them.
        eof: bool,
    },
    /// The terminal has another size.
    Resize(Size),
}

/// The longest [`Request`] in bytes.
pub(crate) const LONGEST_REQUEST: u64 = 1 << 20;

/// Now, as Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
