//! The disk part of the kept lines: one file used as a ring, without a name so that nothing stays behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use super::LINE_OVERHEAD;

/// Lines in the order they were pushed, forgotten in the same order.
#[derive(Debug)]
pub(super) struct Spill {
    dir: PathBuf,
    limit: u64,
    /// There while a line is on disk.
    file: Option<File>,
    lines: u64,
    /// Where the oldest line begins and the newest ends, counted as if the file had no end.
    begin: u64,
    end: u64,
}

impl Spill {
    pub(super) fn new(dir: PathBuf, limit: u64) -> Self {
        Self { dir, limit, file: None, lines: 0, begin: 0, end: 0 }
    }

    /// Whether some line would fit. The cost of keeping its place in memory is counted as if it lay on disk.
    pub(super) fn has_room(&self) -> bool {
        self.free() > LINE_OVERHEAD as u64
    }

    fn free(&self) -> u64 {
        self.limit.saturating_sub(self.end - self.begin + self.lines * LINE_OVERHEAD as u64)
    }

    /// Writes a line and tells its place, or `None` when it does not fit or the disk refuses it.
    pub(super) fn push(&mut self, line: &[u8]) -> Option<u64> {
        if line.len() as u64 + LINE_OVERHEAD as u64 > self.free() {
            return None;
        }
        match self.write(line) {
            Ok(()) => {
                let at = self.end;
                self.end += line.len() as u64;
                self.lines += 1;
                Some(at)
            }
            Err(error) => {
                tracing::error!(%error, dir = %self.dir.display(), "cannot keep a line on disk");
                self.close_if_empty();
                None
            }
        }
    }

    /// The `length` bytes at `at`.
    pub(super) fn read(&self, at: u64, length: u64) -> io::Result<Vec<u8>> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut part = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let start = at % self.limit;
        let (near, far) = part.split_at_mut(until_wrap(self.limit - start, length));
        file.read_exact_at(near, start)?;
        file.read_exact_at(far, 0)?;
        Ok(part)
    }

    /// Gives back the place of the oldest line.
    pub(super) fn forget(&mut self, at: u64, bytes: u64) {
        self.begin = at + bytes;
        self.lines -= 1;
        self.close_if_empty();
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let start = self.end % self.limit;
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(nameless(&self.dir)?),
        };
        let (near, far) = line.split_at(until_wrap(self.limit - start, line.len() as u64));
        file.write_all_at(near, start)?;
        file.write_all_at(far, 0)
    }

    fn close_if_empty(&mut self) {
        if self.lines == 0 {
            self.file = None;
            (self.begin, self.end) = (0, 0);
        }
    }

    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }
}

/// How much of `length` bytes stands before the file's end.
fn until_wrap(room: u64, length: u64) -> usize {
    usize::try_from(room.min(length)).unwrap_or(usize::MAX)
}

/// A file that no other process can open by name, and that is gone when we are, however we end.
fn nameless(dir: &std::path::Path) -> io::Result<File> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join(format!(".kept-{}", std::process::id()));
    let open = || OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(&path)?;
            open()
        }
        opened => opened,
    }?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
