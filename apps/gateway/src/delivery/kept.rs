//! Files that are kept until they are sent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::store::ledger::Body;

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
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, name, "a sent file could not be removed");
                }
                _ => {}
            }
        }
    }

    /// Removes all but these: what was kept for rows that were never stored, or are done with.
    pub(super) async fn keep_only(&self, names: &[String]) -> std::io::Result<usize> {
        let wanted: BTreeSet<_> = names.iter().map(|name| self.path(name)).collect();
        let mut entries = match tokio::fs::read_dir(&self.0).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
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
