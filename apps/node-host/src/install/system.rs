//! Files written whole, and the system's own commands.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

/// A command of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) program: &'static str,
    words: Vec<String>,
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    NoSuchProgram,
}

impl Line {
    pub(super) fn new<const N: usize>(program: &'static str, words: [&str; N]) -> Self {
        Self { program, words: words.map(str::to_owned).to_vec() }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for word in &self.words {
            let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-:=".contains(&b));
            if plain { write!(f, " {word}")? } else { write!(f, " '{}'", word.replace('\'', "'\\''"))? }
        }
        Ok(())
    }
}

/// Runs a command of the system.
pub(super) fn run(line: &Line) -> anyhow::Result<Outcome> {
    let output = Command::new(line.program).args(&line.words).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(Outcome::Done),
        Ok(output) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!("`{line}` failed ({}): {}", output.status, complaint.trim())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Outcome::NoSuchProgram),
        Err(error) => bail!("cannot run `{line}`: {error}"),
    }
}

/// Puts a file in place of the one before, whole.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let new = path.with_extension(format!("new{}", std::process::id()));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// Removes a file; whether there was one.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
