//! Puts the version before the last change in the place of a `state.json` that cannot be used.

use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use super::{StateError, backup, check, read};
use crate::store::durable;
use crate::store::home::{Home, HomeError};

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The file that has its former content again.
    pub path: PathBuf,
    /// Where its last content is kept; `None` where there was none.
    pub kept: Option<PathBuf>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is no former version.
    #[error("there is no `{0}`, and nothing to put in place")]
    NoBackup(PathBuf),
    /// The former version cannot be used either.
    #[error("`{path}` is no better, and nothing was changed: {reason}")]
    Bad {
        /// It.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A gateway has the home, or nobody can use it.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A file cannot be read or written.
    #[error("`{path}` cannot be put in place, and `state.json` is as it was: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Does it in that home. What was there is kept beside it under a name with that time, unix seconds.
pub fn restore(home: &Path, now_s: u64) -> Result<Restored, RestoreError> {
    let own = home.join("gateway");
    if !own.is_dir() {
        return Err(RestoreError::NoBackup(backup(&own.join("state.json"))));
    }
    let home = Home::open(home)?;
    let path = home.state();
    let former = backup(&path);
    let Some(bytes) = read(&former).map_err(bad)? else { return Err(RestoreError::NoBackup(former)) };
    check::check(&former, &bytes).map_err(bad)?;
    let last = match std::fs::read(&path) {
        Ok(last) => Some(last),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(RestoreError::File { path, source }),
    };
    // A copy first, then one replacement: whenever it is broken off there is a `state.json`.
    let kept = last.map(|last| keep(&path, &last, now_s)).transpose()?;
    durable::replace(&path, &bytes).map_err(|source| RestoreError::File { path: path.clone(), source })?;
    for made in [Some(own.join("lock")), Some(path.clone()), kept.clone()].into_iter().flatten() {
        give(&own, &made).map_err(|source| RestoreError::File { path: made, source })?;
    }
    Ok(Restored { path, kept })
}

/// Gives a file to whose the folder is: root may help out, and the gateway has to read what came of it.
fn give(folder: &Path, file: &Path) -> io::Result<()> {
    let (folder, has) = (std::fs::metadata(folder)?, std::fs::symlink_metadata(file)?);
    if (folder.uid(), folder.gid()) == (has.uid(), has.gid()) {
        return Ok(());
    }
    lchown(file, Some(folder.uid()), Some(folder.gid()))
}

/// Of the file before it is said only what is wrong: what to do about one that is in use does not help here.
fn bad(error: StateError) -> RestoreError {
    match error {
        StateError::Invalid { path, reason } => RestoreError::Bad { path, reason },
        StateError::Version { path, found } => {
            RestoreError::Bad { path, reason: format!("it has version {found}") }
        }
        StateError::Write { path, source } => RestoreError::File { path, source },
    }
}

fn keep(path: &Path, bytes: &[u8], now_s: u64) -> Result<PathBuf, RestoreError> {
    let mut second = now_s;
    let kept = loop {
        let kept = durable::beside(path, &format!(".bad-{second}"));
        if kept.symlink_metadata().is_err() {
            break kept;
        }
        second += 1;
    };
    match durable::replace(&kept, bytes) {
        Ok(()) => Ok(kept),
        Err(source) => Err(RestoreError::File { path: kept, source }),
    }
}
