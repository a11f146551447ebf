//! The bridge's log: its own messages beside the agent's error output, bounded by rotation.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A log that may be shared and cloned.
#[derive(Clone, Debug)]
pub struct Log(Arc<Mutex<Sink>>);

#[derive(Debug)]
enum Sink {
    Stderr,
    File(Rotating),
}

/// A file that becomes `<name>.1` when it is full; what was `<name>.1` is gone then.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
}

impl Log {
    /// Standard error.
    pub fn stderr() -> Self {
        Self(Arc::new(Mutex::new(Sink::Stderr)))
    }

    /// A file only this user can read, continued if it exists and rotated at `limit_bytes`.
    pub fn file(path: &Path, limit_bytes: u64) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Sink::File(Rotating::open(path.to_owned(), limit_bytes)?)))))
    }

    /// Writes one line of a child's error output.
    pub(crate) fn line_of(&self, whose: &str, text: &[u8]) {
        let line = [whose.as_bytes(), b": ", text, b"\n"].concat();
        self.write_whole(&line);
    }

    /// What the bridge itself has to say before its messages go here.
    pub(crate) fn note(&self, text: &str) {
        self.write_whole(format!("{}\n", text.trim_end()).as_bytes());
    }

    fn write_whole(&self, text: &[u8]) {
        // A log that cannot be written must not stop the agent; there is nowhere to say so either.
        let _ = match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Stderr => io::stderr().write_all(text),
            Sink::File(file) => file.write_all(text),
        };
    }
}

impl Rotating {
    fn open(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes, limit })
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + text.len() as u64 > self.limit {
            let mut previous = self.path.clone().into_os_string();
            previous.push(".1");
            std::fs::rename(&self.path, previous)?;
            *self = Self::open(self.path.clone(), self.limit)?;
        }
        self.file.write_all(text)?;
        self.bytes += text.len() as u64;
        Ok(())
    }
}

/// One message of our own.
#[derive(Debug)]
pub struct Message(Log);

impl Write for Message {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write_whole(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Message;

    fn make_writer(&self) -> Message {
        Message(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_keeps_one_previous_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bridge.log");
        let log = Log::file(&path, 40).unwrap();
        for n in 0..10 {
            log.line_of("agent", format!("line {n}").as_bytes());
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("bridge.log"), "agent: line 8\nagent: line 9\n");
        assert_eq!(read("bridge.log.1"), "agent: line 6\nagent: line 7\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_is_continued_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bridge.log");
        for text in ["one", "two"] {
            Log::file(&path, 1000).unwrap().line_of("agent", text.as_bytes());
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), "agent: one\nagent: two\n");
    }
}
