//! What was said to everybody in a session, as a file that survives the gateway: appended to, bounded, never synced,
//! since the bridge and its agent do not survive the machine either.
//!
//! A head, then one line for each frame: `<number> <bridge process or -> <line of the bridge> <frame>`. At half of the
//! room the file is put aside and a new one begun; both are read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argus_protocol::SessionId;
use argus_session::{KeptFrame, KeptHistory};
use bytes::Bytes;

/// The size at which a file is put aside, in bytes; there are two.
const SEGMENT: u64 = 8 << 20;
/// What is written at once, in bytes.
const AT_ONCE: usize = 256 << 10;

/// Where the histories of all sessions are.
#[derive(Clone, Debug)]
pub struct Histories {
    /// `<home>/sessions`.
    sessions: PathBuf,
    /// Names the time since the machine started; `None` where that cannot be told, and nothing is kept.
    machine: Option<String>,
}

impl Histories {
    /// Below this folder.
    pub fn new(sessions: PathBuf) -> Self {
        let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self { sessions, machine: machine.map(|id| id.trim().to_owned()) }
    }

    /// What is kept of a session, and the file to go on with; `fresh` names the numbering where nothing is. Whatever
    /// cannot be read counts as gone.
    pub fn open(&self, session: &SessionId, fresh: &str) -> (KeptHistory, HistoryFile) {
        let path = self.path(session);
        let kept = self.machine.as_deref().and_then(|machine| read(&path, machine));
        let kept = kept.unwrap_or_else(|| {
            // What is there is of another time: it must not be read together with what follows.
            forget(&path);
            KeptHistory { epoch: fresh.to_owned(), first: 1, ..KeptHistory::default() }
        });
        let head = self.machine.as_deref().map(|machine| head(&kept.epoch, machine));
        let next = Some(kept.first + kept.frames.len() as u64);
        let file = HistoryFile { path, head, open: None, next };
        (kept, file)
    }

    /// Forgets a session.
    pub fn remove(&self, session: &SessionId) -> io::Result<()> {
        let path = self.path(session);
        [aside(&path), path].into_iter().try_for_each(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    fn path(&self, session: &SessionId) -> PathBuf {
        self.sessions.join(session.as_str()).join("history")
    }
}

/// One session's file.
#[derive(Debug)]
pub struct HistoryFile {
    path: PathBuf,
    /// The first line; `None` where nothing is kept.
    head: Option<String>,
    open: Option<(File, u64)>,
    /// The number that follows what is in it.
    next: Option<u64>,
}

impl HistoryFile {
    /// Appends frames. Where some before them were left out, only these are kept. After an error nothing more is kept, and
    /// what was is gone: a history with a hole would be told as one without.
    pub fn append<'a>(&mut self, frames: impl IntoIterator<Item = &'a KeptFrame>) -> io::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        let mut frames = frames.into_iter().peekable();
        let (Some(first), next) = (frames.peek().map(|frame| frame.number), &mut self.next) else {
            return Ok(());
        };
        if next.is_some_and(|next| next != first) {
            self.open = None;
            forget(&self.path);
        }
        let written = write(&self.path, head, &mut self.open, next, frames);
        if written.is_err() {
            (self.head, self.open) = (None, None);
            forget(&self.path);
        }
        written
    }
}

/// Removes both files.
fn forget(path: &Path) {
    for path in [aside(path), path.to_owned()] {
        _ = fs::remove_file(path);
    }
}

fn write<'a>(
    path: &Path,
    head: &str,
    open: &mut Option<(File, u64)>,
    next: &mut Option<u64>,
    frames: impl Iterator<Item = &'a KeptFrame>,
) -> io::Result<()> {
    let full = open.as_ref().is_some_and(|(_, size)| *size >= SEGMENT);
    if full {
        *open = None;
        fs::rename(path, aside(path))?;
    }
    let (file, size) = match open {
        Some(open) => open,
        None => open.insert(begin(path, head)?),
    };
    let mut text = Vec::with_capacity(AT_ONCE);
    for frame in frames {
        let boot = if frame.boot.is_empty() { "-" } else { &frame.boot };
        write!(text, "{} {boot} {} ", frame.number, frame.line)?;
        if text.len() + frame.text.len() > AT_ONCE {
            file.write_all(&text)?;
            *size += text.len() as u64;
            text.clear();
        }
        text.extend_from_slice(&frame.text);
        text.push(b'\n');
        *next = Some(frame.number + 1);
    }
    file.write_all(&text)?;
    *size += text.len() as u64;
    Ok(())
}

/// Opens the file to go on with, without the line that our last owner did not finish.
fn begin(path: &Path, head: &str) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut whole = 0;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        whole += line.len() as u64;
        line.clear();
    }
    file.set_len(whole)?;
    if whole == 0 {
        file.write_all(head.as_bytes())?;
        whole = head.len() as u64;
    }
    Ok((file, whole))
}

fn head(epoch: &str, machine: &str) -> String {
    format!("argus-history 1 {epoch} {machine}\n")
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("old")
}

/// Both files as one history; `None` where there is none of this time.
fn read(path: &Path, machine: &str) -> Option<KeptHistory> {
    let mut kept: Option<KeptHistory> = None;
    for path in [aside(path), path.to_owned()] {
        let Ok(file) = File::open(path) else { continue };
        let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        let epoch = epoch_of(&lines.next()?, machine)?;
        let history =
            kept.get_or_insert_with(|| KeptHistory { epoch: epoch.clone(), ..KeptHistory::default() });
        if history.epoch != epoch {
            return None;
        }
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            let frame = match parse(&line) {
                Some(frame) => frame,
                // Our last owner did not finish it.
                None if lines.peek().is_none() => break,
                None => return None,
            };
            if history.frames.is_empty() {
                history.first = frame.number;
            } else if frame.number != history.first + history.frames.len() as u64 {
                return None;
            }
            history.line = (!frame.boot.is_empty())
                .then(|| (frame.boot.to_string(), frame.line))
                .or(history.line.take());
            history.frames.push(frame.text);
        }
    }
    kept.filter(|history| !history.frames.is_empty())
}

fn epoch_of(head: &[u8], machine: &str) -> Option<String> {
    let words: Vec<&str> = std::str::from_utf8(head).ok()?.split(' ').collect();
    match words[..] {
        ["argus-history", "1", epoch, of] if of == machine => Some(epoch.to_owned()),
        _ => None,
    }
}

/// A whole line; `None` for one that was not finished.
fn parse(line: &[u8]) -> Option<KeptFrame> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(words.next()?).ok();
    let (number, boot, at, text) = (word()?.parse().ok()?, word()?, word()?.parse().ok()?, word()?);
    let boot = if boot == "-" { Arc::default() } else { Arc::from(boot) };
    let finished = text.trim_ascii_start().starts_with('{') && text.trim_ascii_end().ends_with('}');
    finished.then(|| KeptFrame { number, boot, line: at, text: Bytes::copy_from_slice(text.as_bytes()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64) -> KeptFrame {
        let text = format!("{{\"n\":{number},\"x\":\"a b\"}} \t").into();
        KeptFrame { number, boot: "b-1".into(), line: number * 10, text }
    }

    fn kept(epoch: &str, numbers: std::ops::RangeInclusive<u64>) -> KeptHistory {
        let line = Some(("b-1".to_owned(), numbers.end() * 10));
        let first = *numbers.start();
        KeptHistory { epoch: epoch.to_owned(), first, frames: numbers.map(|n| frame(n).text).collect(), line }
    }

    struct Folder(tempfile::TempDir, SessionId);

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("s1")).unwrap();
            Self(dir, "s1".parse().unwrap())
        }

        fn open(&self, fresh: &str) -> (KeptHistory, HistoryFile) {
            Histories::new(self.0.path().to_owned()).open(&self.1, fresh)
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("s1/history")
        }
    }

    #[test]
    fn what_was_kept_is_there_for_the_next_owner_and_numbers_go_on() {
        let folder = Folder::new();
        let (nothing, mut file) = folder.open("e1");
        assert_eq!(nothing, KeptHistory { epoch: "e1".into(), first: 1, ..KeptHistory::default() });
        file.append(&[frame(1), frame(2)]).unwrap();
        let (first, mut file) = folder.open("e2");
        assert_eq!(first, kept("e1", 1..=2));
        file.append(&[frame(3)]).unwrap();
        assert_eq!(folder.open("e3").0, kept("e1", 1..=3));
    }

    #[test]
    fn a_line_that_was_not_finished_is_left_out() {
        let folder = Folder::new();
        folder.open("e1").1.append(&[frame(1), frame(2)]).unwrap();
        let text = fs::read(folder.file()).unwrap();
        fs::write(folder.file(), &text[..text.len() - 4]).unwrap();
        let (one, mut file) = folder.open("e2");
        assert_eq!(one, kept("e1", 1..=1));
        file.append(&[frame(2), frame(3)]).unwrap();
        assert_eq!(folder.open("e3").0, kept("e1", 1..=3));
    }

    #[test]
    fn what_follows_frames_that_were_left_out_is_kept_alone() {
        let folder = Folder::new();
        let (_, mut file) = folder.open("e1");
        file.append(&[frame(1), frame(2)]).unwrap();
        file.append(&[frame(5), frame(6)]).unwrap();
        file.append(&[frame(7)]).unwrap();
        let (found, mut file) = folder.open("e2");
        assert_eq!(found, kept("e1", 5..=7));
        file.append(&[frame(9)]).unwrap();
        assert_eq!(folder.open("e3").0, kept("e1", 9..=9));
    }

    #[test]
    fn the_oldest_give_way() {
        let folder = Folder::new();
        let (_, mut file) = folder.open("e1");
        let long = |number| KeptFrame {
            text: format!("{{\"x\":\"{}\"}}", "y".repeat(3 << 20)).into(),
            ..frame(number)
        };
        for number in 1..=10 {
            file.append(&[long(number)]).unwrap();
        }
        let (kept, _) = folder.open("e2");
        assert_eq!((kept.first, kept.frames.len(), kept.epoch.as_str()), (7, 4, "e1"));
    }

    #[test]
    fn what_is_of_another_time_or_damaged_counts_as_gone() {
        for spoil in [
            |text: String| text.replacen("argus-history 1", "argus-history 2", 1),
            |text: String| text.replace("\n2 ", "\n7 "),
            |_| "garbage".to_owned(),
            |text: String| text.replace("{\"n\":1", "\"n\":1"),
            |text: String| {
                let head = text.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned();
                format!("{head} another-machine\n")
            },
        ] {
            let folder = Folder::new();
            folder.open("e1").1.append(&[frame(1), frame(2)]).unwrap();
            let text = fs::read_to_string(folder.file()).unwrap();
            fs::write(folder.file(), spoil(text)).unwrap();
            let (fresh, mut file) = folder.open("e2");
            assert_eq!((fresh.epoch.as_str(), fresh.frames.len()), ("e2", 0));
            file.append(&[frame(1)]).unwrap();
            assert_eq!(folder.open("e3").0, kept("e2", 1..=1));
        }
    }
}
