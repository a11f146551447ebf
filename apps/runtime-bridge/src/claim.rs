//! One living bridge for one address: a locked file beside the socket, which also names the agent's process group.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

use crate::leftover::Leftover;
use crate::{Listen, Settings};

/// The right to be the bridge of an address, given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim(Option<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: File,
}

impl Claim {
    /// Claims the address, and ends what an earlier bridge left behind when it was killed.
    pub(crate) async fn take(settings: &Settings) -> anyhow::Result<Self> {
        let Some(path) = claim_path(settings) else { return Ok(Self(None)) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        let mut held = lock(&path).with_context(|| format!("cannot claim `{}`", path.display()))?;
        let mut text = String::new();
        if held.file.read_to_string(&mut text).is_ok()
            && let Ok(leftover) = serde_json::from_str::<Leftover>(&text)
        {
            leftover.end().await;
        }
        held.write("");
        Ok(Self(Some(held)))
    }

    /// Notes whose group must be ended should this bridge be killed.
    pub(crate) fn note(&mut self, group: rustix::process::Pid) {
        let Some(held) = &mut self.0 else { return };
        let text = Leftover::of(group).and_then(|leftover| serde_json::to_string(&leftover).ok());
        held.write(&text.unwrap_or_default());
    }

    /// No agent runs any more.
    pub(crate) fn clear(&mut self) {
        if let Some(held) = &mut self.0 {
            held.write("");
        }
    }
}

impl Held {
    fn write(&mut self, text: &str) {
        let written = self
            .file
            .rewind()
            .and_then(|()| self.file.set_len(0))
            .and_then(|()| self.file.write_all(text.as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, path = %self.path.display(), "cannot note the agent's process group");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed while locked, so that nobody else's file can be meant; `lock` looks whether its file still has a name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Beside the socket; a port has no folder, so there the spill folder serves.
fn claim_path(settings: &Settings) -> Option<PathBuf> {
    match &settings.listen {
        Listen::Unix(path) => {
            let mut path = path.clone().into_os_string();
            path.push(".lock");
            Some(path.into())
        }
        Listen::Tcp(_) => settings.spill_dir.as_ref().map(|dir| dir.join("bridge.lock")),
    }
}

fn lock(path: &Path) -> anyhow::Result<Held> {
    for _ in 0..10 {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another bridge is running there");
        }
        // An ending bridge may have removed the name between our opening and locking.
        let still_named = std::fs::metadata(path).is_ok_and(|named| {
            file.metadata().is_ok_and(|ours| (named.dev(), named.ino()) == (ours.dev(), ours.ino()))
        });
        if still_named {
            return Ok(Held { path: path.to_owned(), file });
        }
    }
    bail!("bridges come and go there too fast");
}
