//! Files that are kept until they are sent.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::store::ledger::Body;

/// With more than this waiting no further file is taken, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The folder that holds them.
#[derive(Clone, Debug)]
pub struct Kept(PathBuf);

impl Kept {
    /// Those in that folder, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Keeps a copy of what can be read, durably, and answers its name. One of more than `limit` bytes is an error, and so
    /// is one for which there is no room.
    pub(super) fn copy(&self, source: impl Read, limit: u64) -> io::Result<String> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        if self.bytes()? > MOST_BYTES {
            return Err(io::Error::other("too many files wait to be sent already"));
        }
        let name = crate::clock::new_epoch();
        let path = self.0.join(&name);
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            if io::copy(&mut source.take(limit + 1), &mut file)? > limit {
                return Err(io::Error::other("it grew over the limit"));
            }
            file.sync_all()?;
            File::open(&self.0)?.sync_all()
        })();
        if let Err(error) = written {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(name)
    }

    /// How much is kept.
    fn bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.0)? {
            // One that is gone meanwhile was sent.
            bytes += entry?.metadata().map_or(0, |told| told.len());
        }
        Ok(bytes)
    }

    /// Where the one with that name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        // A name is one that we made; whatever else stands in a row leads nowhere.
        self.0.join(name.rsplit('/').next().filter(|name| !name.starts_with('.')).unwrap_or("-"))
    }

    /// Whether it is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    /// Removes the files of a row that is done with.
    pub(super) async fn let_go(&self, body: &Body) {
        if let Body::Files(body) = body {
            let names: Vec<_> = body.files.iter().map(|file| file.kept.clone()).collect();
            self.remove(&names).await;
        }
    }

    /// Removes these.
    pub(super) async fn remove(&self, names: &[String]) {
        for name in names {
            match tokio::fs::remove_file(self.path(name)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, name, "a sent file could not be removed");
                }
                _ => {}
            }
        }
    }

    /// Removes all but these: what was kept for rows that were never stored, or are done with.
    pub(super) async fn keep_only(&self, names: &[String]) -> io::Result<usize> {
        let wanted: BTreeSet<_> = names.iter().map(|name| self.path(name)).collect();
        let mut entries = match tokio::fs::read_dir(&self.0).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut removed = 0;
        while let Some(entry) = entries.next_entry().await? {
            if !wanted.contains(&entry.path()) && entry.file_type().await?.is_file() {
                tokio::fs::remove_file(entry.path()).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
