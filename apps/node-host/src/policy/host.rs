//! What the policy knows of the process it decides for.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where programs are looked for when neither the policy nor the environment says it.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The environment, the home and the folder of this process, as they were when it began.
#[derive(Clone)]
pub struct Host {
    /// Its environment.
    pub env: Vec<(OsString, OsString)>,
    /// Its owner's home, which `~` means.
    pub home: PathBuf,
    /// The folder in which it was started.
    pub cwd: PathBuf,
    /// What no file command may touch, wherever the owner's folders are: this program's own folders, with its
    /// credential and its audit, and what shows processes. The policy's file is closed without being named here.
    pub closed: Vec<PathBuf>,
}

// Values of an environment are nobody's business.
impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { env: _, home, cwd, closed } = self;
        let mut shown = f.debug_struct("Host");
        shown.field("home", home).field("cwd", cwd).field("closed", closed).finish_non_exhaustive()
    }
}

impl Host {
    /// This process.
    pub fn of_process() -> Self {
        let env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let home = std::env::home_dir().filter(|home| home.is_absolute()).unwrap_or_else(|| "/".into());
        let cwd = std::env::current_dir().unwrap_or_else(|_| home.clone());
        // There this program would read its own memory and environment, with the token, for whoever asks.
        Self { env, home, cwd, closed: vec!["/proc".into()] }
    }

    /// One variable of the environment.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_os_str())
    }

    /// Where programs are looked for.
    pub fn path(&self) -> OsString {
        self.var("PATH").filter(|path| !path.is_empty()).unwrap_or(OsStr::new(USUAL_PATH)).to_owned()
    }

    /// A path as an owner writes it: absolute, or in the home by `~/`. None: neither.
    pub fn absolute(&self, written: &str) -> Option<PathBuf> {
        if written.contains('\0') {
            return None;
        }
        match written.strip_prefix('~') {
            Some("") => Some(self.home.clone()),
            Some(rest) => rest.strip_prefix('/').map(|rest| self.home.join(rest.trim_start_matches('/'))),
            None => Path::new(written).is_absolute().then(|| written.into()),
        }
    }
}
