//! Threads as files, so that another process of the scripted agent can go on with them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A thread with its turns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) cwd: String,
    pub(crate) preview: String,
    /// Seconds since 1970.
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) archived: bool,
    pub(crate) approval_policy: Value,
    pub(crate) sandbox: Value,
    pub(crate) turns: Vec<Turn>,
}

/// A turn as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) items: Vec<Value>,
    pub(crate) error: Option<Value>,
    pub(crate) started_at: u64,
    pub(crate) completed_at: Option<u64>,
    pub(crate) duration_ms: Option<u64>,
}

/// How a turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    InProgress,
    Completed,
    Interrupted,
    Failed,
}

/// The right to write one thread; given up when dropped, also by a killed process.
#[derive(Debug)]
pub(crate) struct Writer {
    _locked: File,
}

/// Why a thread could not be taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Nothing is stored of it.
    Unknown,
    /// Another process has it loaded.
    Busy,
}

/// The folder of threads.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Takes the right to write `id`, which need not exist yet.
    pub(crate) fn writer(&self, id: &str) -> Result<Writer, NotTaken> {
        let file = File::create(self.folder.join(format!("{id}.lock"))).map_err(|_| NotTaken::Unknown)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| NotTaken::Busy)?;
        Ok(Writer { _locked: file })
    }

    /// Reads a stored thread; a turn that nobody finished counts as interrupted.
    pub(crate) fn read(&self, id: &str) -> Option<Thread> {
        let mut thread: Thread = serde_json::from_slice(&fs::read(self.path(id)).ok()?).ok()?;
        for turn in thread.turns.iter_mut().filter(|turn| turn.status == Status::InProgress) {
            turn.status = Status::Interrupted;
        }
        Some(thread)
    }

    /// Stores a thread; a reader sees the old or the new one.
    pub(crate) fn write(&self, thread: &Thread) -> io::Result<()> {
        let fresh = self.folder.join(format!("{}.{}.new", thread.id, std::process::id()));
        fs::write(&fresh, serde_json::to_vec(thread)?)?;
        fs::rename(fresh, self.path(&thread.id))
    }

    /// The ids of every stored thread.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned())).collect()
    }
}
