//! The folders of jobs: `<jobs>/<id>/meta.json` and the files of their keepers.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ids;
use super::meta::{Fate, Meta};
use crate::keeper::words::file;

/// The longest `meta.json` in bytes.
const LONGEST: u64 = 4 << 20;

/// How long the folder of a program that was killed may be held.
const LET_GO: Duration = Duration::from_secs(2);

/// The longest path that a socket's address can be on any system that we know.
const ADDRESS: usize = 100;

/// The folders of all jobs, held by one program at a time.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// The same folder by a short name, where its own is too long for a socket's address.
    short: Option<(tempfile::TempDir, PathBuf)>,
    changing: Mutex<()>,
    _held: File,
}

impl Store {
    /// Opens the folder, making it where there is none.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let folder = folder.canonicalize()?;
        let lock = folder.join(".lock");
        let held = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        hold(&held).map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => {
                let words = format!(
                    "the jobs in `{}` are another running node's: stop that one, or use another folder",
                    folder.display()
                );
                io::Error::new(io::ErrorKind::WouldBlock, words)
            }
        })?;
        let short = shorten(&folder)?;
        Ok(Self { folder, short, changing: Mutex::new(()), _held: held })
    }

    /// The folder of a job.
    pub(crate) fn folder(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// The address of a job's keeper.
    pub(crate) fn socket(&self, id: &str) -> PathBuf {
        let folder = self.short.as_ref().map_or(&self.folder, |(_, short)| short);
        folder.join(id).join(file::SOCKET)
    }

    /// The jobs that are there. Folders that are none, or were never finished, are left out.
    pub(crate) fn scan(&self) -> io::Result<Vec<Meta>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if name.starts_with(".new-") {
                let _ = std::fs::remove_dir_all(self.folder.join(&name));
            } else if !ids::is_one(&name) {
                if !name.starts_with('.') {
                    tracing::warn!(folder = name, "this is no job's folder; it stays as it is");
                }
            } else {
                match self.read(&name) {
                    Ok(meta) => found.push(meta),
                    Err(error) => {
                        tracing::warn!(%error, folder = name, "this job's folder cannot be read; it stays as it is");
                    }
                }
            }
        }
        Ok(found)
    }

    /// What is known of a job.
    pub(crate) fn read(&self, id: &str) -> io::Result<Meta> {
        let mut text = String::new();
        File::open(self.folder(id).join("meta.json"))?.take(LONGEST).read_to_string(&mut text)?;
        let meta: Meta = serde_json::from_str(&text)?;
        if meta.job_id == id { Ok(meta) } else { Err(io::Error::other("it tells of another job")) }
    }

    /// Puts a new job into its folder, and opens what its keeper complains to, locked. It is safe from a failing machine
    /// only once it is [settled](Self::settle).
    pub(crate) fn create(&self, meta: &Meta) -> io::Result<File> {
        let making = self.folder.join(format!(".new-{}", meta.job_id));
        DirBuilder::new().mode(0o700).create(&making)?;
        let made = write(&making.join("meta.json"), meta).and_then(|_| {
            let lock =
                OpenOptions::new().append(true).create(true).mode(0o600).open(making.join(file::KEEPER))?;
            lock.lock()?;
            std::fs::rename(&making, self.folder(&meta.job_id))?;
            Ok(lock)
        });
        if made.is_err() {
            let _ = std::fs::remove_dir_all(&making);
        }
        made
    }

    /// Makes durable that there is this job.
    pub(crate) fn settle(&self, id: &str) -> io::Result<()> {
        let folder = self.folder(id);
        File::open(folder.join("meta.json"))?.sync_all()?;
        File::open(folder)?.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    /// Changes what is known of a job, durably.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Meta)) -> io::Result<Meta> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meta = self.read(id)?;
        let before = meta.clone();
        change(&mut meta);
        if meta != before {
            let (folder, making) = (self.folder(id), self.folder(id).join("meta.json.new"));
            write(&making, &meta)?.sync_all()?;
            std::fs::rename(&making, folder.join("meta.json"))?;
            File::open(&folder)?.sync_all()?;
        }
        Ok(meta)
    }

    /// What became of a job that was running.
    pub(crate) fn fate(&self, id: &str) -> Fate {
        if let Some(exit) = self.exit(id) {
            return Fate::Ended(exit);
        }
        // Whoever can lock it knows that no keeper lives; how it ended may have been told just before.
        let lock = File::open(self.folder(id).join(file::KEEPER));
        match lock.map_err(TryLockError::Error).and_then(|lock| lock.try_lock()) {
            Ok(()) => self.exit(id).map_or(Fate::Orphaned, Fate::Ended),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.exit(id).map_or(Fate::Orphaned, Fate::Ended)
            }
            // Whatever else keeps us from knowing it says nothing of the job.
            Err(_) => Fate::Running,
        }
    }

    fn exit(&self, id: &str) -> Option<crate::keeper::words::Exit> {
        let text = std::fs::read(self.folder(id).join(file::EXIT)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Bytes that a job has written: its output and its complaints.
    pub(crate) fn written(&self, id: &str) -> (u64, u64) {
        let size = |name| std::fs::metadata(self.folder(id).join(name)).map_or(0, |found| found.len());
        (size(file::STDOUT), size(file::STDERR))
    }

    /// Forgets a job and all that it wrote.
    pub(crate) fn remove(&self, id: &str) {
        // Under another name first, so that half of a folder is never taken for a job.
        let going = self.folder.join(format!(".new-{id}"));
        let gone = std::fs::rename(self.folder(id), &going).and_then(|()| std::fs::remove_dir_all(&going));
        if let Err(error) = gone {
            tracing::warn!(%error, job = id, "a job's folder cannot be removed");
        }
    }
}

/// Locks a file for this program. One that was just killed may hold it for a moment longer: by the copy of itself that
/// was to become a keeper and had not yet.
fn hold(file: &File) -> Result<(), TryLockError> {
    let until = Instant::now() + LET_GO;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            held => return held,
        }
    }
}

fn write(path: &Path, meta: &Meta) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec(meta)?)?;
    Ok(file)
}

fn shorten(folder: &Path) -> io::Result<Option<(tempfile::TempDir, PathBuf)>> {
    // An id has 36 characters.
    if folder.as_os_str().len() + 1 + 36 + 1 + file::SOCKET.len() <= ADDRESS {
        return Ok(None);
    }
    let short = tempfile::Builder::new().prefix("argus-").tempdir_in("/tmp")?;
    let link = short.path().join("jobs");
    std::os::unix::fs::symlink(folder, &link)?;
    Ok(Some((short, link)))
}
