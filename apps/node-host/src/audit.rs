//! What was asked of this device, what was said, and what came of it: one line each, for its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Where a file ends and the next begins, in bytes; one older file is kept.
const LARGEST: u64 = 8 << 20;

/// The audit. Clones are handles to the same file.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    size: u64,
    largest: u64,
    /// Whether the last line was written to its end.
    last: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Whole,
    Torn,
}

/// A call, when it is known whether it is done.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun<'a> {
    /// The call.
    pub call: &'a str,
    /// The session that asks; none: the gateway's operator.
    pub session: Option<&'a str>,
    /// The command.
    pub command: &'a str,
    /// With what, in short: a command line, a path.
    pub what: &'a str,
    /// What the rules say: `allow`, `ask` or `deny`.
    pub verdict: &'a str,
    /// Who said yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
    /// The code of the fault, if it is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    /// The fault in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

/// How a call ended that was done.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended<'a> {
    /// The call.
    pub call: &'a str,
    /// `OK`, or the code of the fault.
    pub outcome: &'a str,
    /// The job that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dated<'a, T> {
    at_ms: u64,
    #[serde(flatten)]
    line: &'a T,
}

impl Audit {
    /// Opens `<folder>/audit.log`, for its owner's eyes only.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::open_with(folder, LARGEST)
    }

    /// The same, with files of another size in bytes.
    pub fn open_with(folder: &Path, largest: u64) -> io::Result<Self> {
        let path = folder.join("audit.log");
        let (file, size) = open(&path)?;
        Ok(Self(Arc::new(Mutex::new(Open { path, file, size, largest, last: Line::Whole }))))
    }

    /// Notes a call before it is done, or that it is not.
    pub fn begun(&self, line: &Begun) -> io::Result<()> {
        self.note(line)
    }

    /// Notes how a call ended.
    pub fn ended(&self, line: &Ended) -> io::Result<()> {
        self.note(line)
    }

    fn note<T: Serialize>(&self, line: &T) -> io::Result<()> {
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let dated = Dated { at_ms: u64::try_from(at_ms).unwrap_or(u64::MAX), line };
        let mut text = serde_json::to_vec(&dated)?;
        text.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(&text)
    }
}

impl Open {
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        // Somebody may have taken the file away: a line in it would be seen by nobody.
        let there = std::fs::symlink_metadata(&self.path);
        let same = self.file.metadata().is_ok_and(|own| there.is_ok_and(|there| there.ino() == own.ino()));
        if !same {
            (self.file, self.size) = open(&self.path)?;
        }
        if self.size > 0 && self.size + text.len() as u64 > self.largest {
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
            (self.file, self.size) = open(&self.path)?;
        }
        if self.last == Line::Torn {
            self.file.write_all(b"\n")?;
        }
        self.last = Line::Torn;
        self.file.write_all(text)?;
        self.last = Line::Whole;
        self.size += text.len() as u64;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let links = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(i32::try_from(links.bits()).unwrap_or_default())
        .open(path)?;
    let of = file.metadata()?;
    if !of.is_file() {
        return Err(io::Error::other(format!("`{}` is not a file", path.display())));
    }
    if of.mode() & 0o077 != 0 {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    Ok((file, of.len()))
}
