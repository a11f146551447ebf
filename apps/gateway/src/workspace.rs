//! An agent's files: read and made never through a link that leads out of its reach, read never without end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use argus_protocol::SessionId;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, fsync, mkdirat, openat, renameat_with,
    statat, unlinkat,
};
use rustix::io::Errno;

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

impl Workspace {
    /// How long the plain file of that name in these folders is; `None` where there is none.
    pub fn length_of(&self, folders: &[&str], name: &str) -> Option<u64> {
        let folder = self.folder(folders, Missing::Stays).ok()?;
        let told = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(told.st_mode) == FileType::RegularFile;
        u64::try_from(told.st_size).ok().filter(|_| is_file)
    }

    /// Makes a file of that name in these folders, which are made where they are missing, and fills it from `content`.
    /// A file that is there already stays. No link is followed, and none of the names may lead elsewhere.
    pub fn put(&self, folders: &[&str], name: &str, content: &mut impl Read) -> io::Result<()> {
        let folder = self.folder(folders, Missing::IsMade)?;
        let name = plain(name)?;
        let unfinished = format!(".{name}.part");
        match unlinkat(&folder, &unfinished, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = openat(&folder, &unfinished, flags, Mode::from_raw_mode(0o644))?;
        // Whoever the agent runs as may read it, whatever our umask says.
        fchmod(&made, Mode::from_raw_mode(0o644))?;
        let mut file = File::from(made);
        let filled = io::copy(content, &mut file).and_then(|_| file.sync_all()).and_then(|()| {
            match renameat_with(&folder, &unfinished, &folder, name, RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::EXIST) => Ok(()),
                Err(error) => Err(error.into()),
            }
        });
        // Where it was renamed there is nothing to remove.
        _ = unlinkat(&folder, &unfinished, AtFlags::empty());
        filled?;
        Ok(fsync(&folder)?)
    }

    /// A folder in the workspace, without following any link on the way.
    fn folder(&self, folders: &[&str], missing: Missing) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let (root, below) = match self {
            Self::Open(folder) => (folder.as_path(), Path::new("")),
            Self::Walled { root, below } => (root.as_path(), below.as_path()),
        };
        let mut here = openat(CWD, root, flags, Mode::empty())?;
        for step in below.components().chain(folders.iter().flat_map(|name| Path::new(name).components())) {
            let Component::Normal(name) = step else { return Err(out_of_reach()) };
            let made = match missing {
                Missing::IsMade => mkdirat(&here, name, Mode::from_raw_mode(0o755)),
                Missing::Stays => Err(Errno::EXIST),
            };
            match made {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            here = openat(&here, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(no_link)?;
            if made.is_ok() {
                // As with files: whatever our umask says.
                fchmod(&here, Mode::from_raw_mode(0o755))?;
            }
        }
        Ok(here)
    }
}

/// What becomes of a folder that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It is made.
    IsMade,
    /// It is an error.
    Stays,
}

/// A name that names something in its folder and nowhere else.
fn plain(name: &str) -> io::Result<&str> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(out_of_reach()),
    }
}

fn out_of_reach() -> io::Error {
    io::Error::other("the path leads out of the workspace")
}

fn no_link(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::NOTDIR => {
            io::Error::other("a link or a file stands where a folder or a file is expected")
        }
        error => error.into(),
    }
}

impl Workspace {
    /// Opens a plain file of the workspace to read it, with its length in bytes. No link is followed on the way, so that
    /// none leads out; of the workspace's own place only where that is the agent's to choose.
    pub fn open(&self, path: &Path) -> io::Result<(File, u64)> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match self {
            Self::Open(folder) => open_below(folder, path, flags)?,
            Self::Walled { root, below } => open_below(root, &below.join(path), flags)?,
        };
        let told = fstat(&file)?;
        if FileType::from_raw_mode(told.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        Ok((File::from(file), u64::try_from(told.st_size).unwrap_or(0)))
    }

    /// The folder, as we see it.
    pub fn place(&self) -> PathBuf {
        match self {
            Self::Open(folder) => folder.clone(),
            Self::Walled { root, below } => root.join(below),
        }
    }
}

/// Opens what is at `path` below `root` without following any link on the way.
fn open_below(root: &Path, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, folder, Mode::empty())?;
    let mut steps = path.components().peekable();
    while let Some(step) = steps.next() {
        let Component::Normal(name) = step else { return Err(out_of_reach()) };
        let flags = if steps.peek().is_some() { folder } else { flags };
        here = openat(&here, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(no_link)?;
    }
    Ok(here)
}

#[cfg(test)]
mod tests;
