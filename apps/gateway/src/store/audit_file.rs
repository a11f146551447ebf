//! The audit's file: lines at its end, its owner's alone, and never more than two files of a bounded size.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::durable;

/// With more bytes than this the file becomes `<name>.1`, and a new one begins.
const LARGEST: u64 = 8 << 20;

/// The file. Opened for each line: it may have been moved away, or the disk may have been full.
#[derive(Clone, Debug)]
pub struct AuditFile {
    path: PathBuf,
    largest: u64,
}

impl AuditFile {
    /// The file at `path`; made with the first line.
    pub fn new(path: PathBuf) -> Self {
        Self { path, largest: LARGEST }
    }

    /// Another file, in the same folder and as large.
    #[must_use]
    pub fn beside(&self, name: &str) -> Self {
        Self { path: self.path.with_file_name(name), largest: self.largest }
    }

    /// Puts lines at its end. They are on the disk when this answers.
    pub fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = self.open()?;
        let length = file.metadata()?.len();
        if length > 0 && length + lines.len() as u64 > self.largest {
            durable::rename(&self.path, &durable::beside(&self.path, ".1"))?;
            file = self.open()?;
        } else if length > 0 && !ends_with_a_line(&self.path, length)? {
            // A crash has cut the last line off; the next one must not hang on it.
            file.write_all(b"\n")?;
        }
        file.write_all(lines)?;
        file.sync_data()
    }

    fn open(&self) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }
}

fn ends_with_a_line(path: &Path, length: u64) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut last = [0];
    File::open(path)?.read_exact_at(&mut last, length - 1)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_its_owners_alone_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "").unwrap();
        let file = AuditFile { path: path.clone(), largest: 12 };
        for line in ["one\n", "two\n", "three\n", "four\n", "a line longer than the file\n", "six\n"] {
            file.append(line.as_bytes()).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let read = |ending| std::fs::read_to_string(durable::beside(&path, ending)).unwrap();
        assert_eq!((read(""), read(".1")), ("six\n".to_owned(), "a line longer than the file\n".to_owned()));
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "{\"at\":1}\n{\"a").unwrap();
        AuditFile::new(path.clone()).append(b"{\"at\":2}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"at\":1}\n{\"a\n{\"at\":2}\n");
    }
}
