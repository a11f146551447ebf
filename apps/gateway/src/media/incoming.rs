//! A file on its way: in a folder of our own, until it is laid where it belongs.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::too_large;
use crate::telegram::{DownloadError, Files};

/// How often a download is tried.
const TRIES: u32 = 6;
/// The first wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that Telegram may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Makes the folder, or takes out of it what a former run left there.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The file; it is gone with this value.
#[derive(Debug)]
pub(super) struct Incoming(PathBuf);

impl Incoming {
    /// A new, empty one. Its name ends as the given one does, by which others may know what it is.
    pub(super) fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(format!("{}-{name}", crate::clock::new_epoch()));
        File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn open(&self) -> io::Result<File> {
        File::open(&self.0)
    }

    /// Whether it begins as a picture does that agents can look at.
    pub(super) fn is_image(&self) -> bool {
        let mut head = [0; 12];
        let read = self.open().and_then(|file| file.take(12).read(&mut head));
        read.is_ok() && is_image(&head)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "a file on its way could not be removed");
        }
    }
}

/// Whether these first bytes are those of a picture that agents can look at.
pub(super) fn is_image(head: &[u8]) -> bool {
    head.starts_with(b"\x89PNG\r\n\x1a\n")
        || head.starts_with(b"\xff\xd8\xff")
        || head.starts_with(b"GIF8")
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
}

/// Fetches a file into this one, and tries again where that may help. An error is in words.
pub(super) async fn fetch(
    files: &Files,
    source: &str,
    limit: u64,
    incoming: &Incoming,
) -> Result<u64, String> {
    let mut wait = FIRST_WAIT;
    let mut tries = 0;
    loop {
        // From its beginning: what came before is overwritten.
        let mut file = tokio::fs::File::create(incoming.path()).await.map_err(|error| error.to_string())?;
        let (words, pause) = match files.fetch(source, limit, &mut file).await {
            Ok(length) => return Ok(length),
            Err(DownloadError::TooLarge) => return Err(too_large(limit)),
            Err(DownloadError::Passing(words, pause)) => (words, pause),
            Err(lasting @ (DownloadError::Gone(_) | DownloadError::Disk(_))) => {
                return Err(lasting.to_string());
            }
        };
        tries += 1;
        if tries == TRIES {
            return Err(format!("Telegram could not be reached: {words}"));
        }
        tracing::debug!(words, tries, "a file is fetched again");
        let asked = pause.map(|seconds| Duration::from_secs(u64::from(seconds)).min(LONGEST_WAIT));
        tokio::time::sleep(asked.unwrap_or(wait)).await;
        wait *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_how_it_begins() {
        for (head, expected) in [
            (b"\x89PNG\r\n\x1a\n\0\0\0\0", true),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0\0", true),
            (b"GIF89a\0\0\0\0\0\0", true),
            (b"RIFF\0\0\0\0WEBP", true),
            (b"RIFF\0\0\0\0WAVE", false),
            (b"#!/bin/sh\n\n\n", false),
        ] {
            assert_eq!(is_image(head), expected);
        }
    }

    #[test]
    fn what_a_former_run_left_is_removed_and_what_is_done_goes_by_itself() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("incoming");
        clear(&folder).unwrap();
        fs::write(folder.join("left"), "x").unwrap();
        clear(&folder).unwrap();
        let incoming = Incoming::new(&folder, "a.ogg").unwrap();
        assert!(incoming.path().exists() && incoming.path().to_str().unwrap().ends_with("-a.ogg"));
        drop(incoming);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
