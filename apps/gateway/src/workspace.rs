//! Reads files that an agent may have written: never through a link that leads out of its reach, never without end.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use argus_protocol::SessionId;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

/// A folder whose files are an agent's.
#[derive(Clone, Debug)]
pub enum Workspace {
    /// The agent runs as our own user: what it can name it can read itself.
    Open(PathBuf),
    /// The agent sees less than we do, and may have put a link where a folder or file was. Below `root`, which is out of
    /// its hands, none is followed.
    Walled {
        /// The folder that the agent cannot replace.
        root: PathBuf,
        /// The workspace below it.
        below: PathBuf,
    },
}

/// Whose workspace is where.
#[derive(Clone, Debug)]
pub enum Workspaces {
    /// All sessions share one.
    Shared(Workspace),
    /// Each has its own.
    Own {
        /// `<home>/sessions`.
        sessions: PathBuf,
    },
}

impl Workspaces {
    /// The workspace of a session.
    pub fn of(&self, session: &SessionId) -> Workspace {
        match self {
            Self::Shared(workspace) => workspace.clone(),
            Self::Own { sessions } => Workspace::Walled {
                root: sessions.join(session.as_str()).join("workspace"),
                below: PathBuf::new(),
            },
        }
    }
}

/// The beginning of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// At most as many bytes as were asked for.
    pub bytes: Vec<u8>,
    /// How many there are in all.
    pub length: u64,
}

impl Workspace {
    /// A workspace of agents in containers: below the home that they share, or a folder of its own.
    pub fn walled(home: &Path, workspace: &Path) -> Self {
        match workspace.strip_prefix(home) {
            Ok(below) => Self::Walled { root: home.to_owned(), below: below.to_owned() },
            Err(_) => Self::Walled { root: workspace.to_owned(), below: PathBuf::new() },
        }
    }

    /// The first `limit` bytes of a file. What is no plain file is an error: opening a pipe would wait for its writer.
    pub fn head(&self, name: &str, limit: u64) -> io::Result<Head> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match self {
            Self::Open(folder) => openat(CWD, folder.join(name), flags, Mode::empty())?,
            Self::Walled { root, below } => open_below(root, &below.join(name), flags)?,
        };
        let told = fstat(&file)?;
        if FileType::from_raw_mode(told.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        File::from(file).take(limit).read_to_end(&mut bytes)?;
        Ok(Head { bytes, length: u64::try_from(told.st_size).unwrap_or(0) })
    }
}

/// Opens what is at `path` below `root` without following any link on the way.
fn open_below(root: &Path, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, folder, Mode::empty())?;
    let mut steps = path.components().peekable();
    while let Some(step) = steps.next() {
        let Component::Normal(name) = step else {
            return Err(io::Error::other("the path leads out of the workspace"));
        };
        let flags = if steps.peek().is_some() { folder } else { flags };
        here = openat(&here, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| match error {
            rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
                io::Error::other("a link or a file stands where a folder or a file is expected")
            }
            error => error.into(),
        })?;
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        /// `gateway/token` beside `workspace/AGENTS.md`.
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            for folder in ["gateway", "workspace"] {
                fs::create_dir(home.path().join(folder)).unwrap();
            }
            fs::write(home.path().join("gateway/token"), "secret").unwrap();
            fs::write(home.path().join("gateway/AGENTS.md"), "secret").unwrap();
            fs::write(home.path().join("workspace/AGENTS.md"), "0123456789").unwrap();
            Self(home)
        }

        fn walled(&self) -> Workspace {
            Workspace::walled(self.0.path(), &self.0.path().join("workspace"))
        }
    }

    #[test]
    fn the_beginning_of_a_file_is_read_with_the_length_of_the_whole() {
        let home = Home::new();
        let head = Head { bytes: b"0123".to_vec(), length: 10 };
        assert_eq!(home.walled().head("AGENTS.md", 4).unwrap(), head);
        assert_eq!(Workspace::Open(home.0.path().join("workspace")).head("AGENTS.md", 4).unwrap(), head);
        let missing = home.walled().head("SOUL.md", 4).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() {
        let home = Home::new();
        for target in ["../gateway/token", "/etc/hostname", "AGENTS.md"] {
            let link = home.0.path().join("workspace/SOUL.md");
            symlink(target, &link).unwrap();
            assert!(home.walled().head("SOUL.md", 99).is_err(), "{target}");
            fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_workspace_is_not_followed() {
        let home = Home::new();
        let workspace = home.0.path().join("workspace");
        fs::remove_dir_all(&workspace).unwrap();
        symlink("gateway", &workspace).unwrap();
        assert!(home.walled().head("AGENTS.md", 99).is_err());
    }

    #[test]
    fn a_folder_and_a_pipe_are_no_files() {
        let home = Home::new();
        let workspace = home.0.path().join("workspace");
        fs::create_dir(workspace.join("SOUL.md")).unwrap();
        let pipe = workspace.join("USER.md");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR).unwrap();
        for workspace in [home.walled(), Workspace::Open(workspace)] {
            assert_eq!(workspace.head("SOUL.md", 9).unwrap_err().to_string(), "it is no file");
            assert_eq!(workspace.head("USER.md", 9).unwrap_err().to_string(), "it is no file");
        }
    }
}
