//! Where jobs are kept, and how much of them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What [`super::Jobs`] needs to know.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// The folder of the jobs; it is made.
    pub folder: PathBuf,
    /// Whose jobs they are.
    pub node_id: String,
    /// The command line of a keeper: the program, absolute, and its arguments.
    pub keeper: Vec<OsString>,
    /// How much is kept.
    pub limits: Limits,
}

/// How much is kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs that run at once; one more is `BUSY`.
    pub running: usize,
    /// Jobs that have ended and been told of.
    pub told: usize,
    /// Jobs that have ended and could not be told of.
    pub untold: usize,
    /// Bytes of output of all jobs that have ended.
    pub bytes: u64,
    /// Bytes of output of one job, at which it is ended.
    pub output: u64,
    /// How long a result that was given to the link counts as on its way.
    pub delivery: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            running: 32,
            told: 200,
            untold: 1000,
            bytes: 4 << 30,
            output: 1 << 30,
            delivery: Duration::from_mins(1),
        }
    }
}

impl JobsConfig {
    /// The jobs of that node below its folder of state, kept by this very program.
    pub fn new(state: &Path, node_id: impl Into<String>) -> io::Result<Self> {
        let program = std::env::current_exe()?.into_os_string();
        Ok(Self {
            folder: state.join("jobs"),
            node_id: node_id.into(),
            keeper: vec![program, crate::keeper::ARGUMENT.into()],
            limits: Limits::default(),
        })
    }
}
