//! What is run, as it was decided: nothing of it is looked up again.

use std::ffi::OsString;
use std::path::PathBuf;

/// The program of a job and all that it gets.
#[derive(Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// The program's file, absolute.
    pub program: PathBuf,
    /// Its arguments, its own name first, as it was asked for.
    pub argv: Vec<String>,
    /// The folder in which it runs, absolute.
    pub cwd: PathBuf,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
}

// Values of an environment are nobody's business.
impl std::fmt::Debug for RunPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RunPlan { program, argv, cwd, env: _ } = self;
        let mut shown = f.debug_struct("RunPlan");
        shown.field("program", program).field("argv", argv).field("cwd", cwd).finish_non_exhaustive()
    }
}
