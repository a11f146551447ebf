//! Which folders the owner names: those in which programs run, and those whose files are read and written.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::file::Action;

/// A folder that the owner names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// As it is written, made absolute.
    pub written: PathBuf,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    /// Where programs may run; none: anywhere.
    pub(super) cwd: Option<Vec<Folder>>,
    pub(super) read: Vec<Folder>,
    pub(super) write: Vec<Folder>,
    /// What is done about a file that has a second name, perhaps outside.
    pub(super) hard_links: Action,
}

impl Folder {
    /// The folder without links, as it is now.
    pub(super) fn real(&self) -> Option<PathBuf> {
        self.written.canonicalize().ok().filter(|real| real.is_dir())
    }

    /// Whether a path that has neither links nor `..` is this folder or in it.
    pub(super) fn holds(&self, real: &Path) -> bool {
        self.real().is_some_and(|own| real.starts_with(own))
    }
}

/// A path below one of the owner's folders, not yet followed: links and `..` in it are judged when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The owner's folder, without links.
    pub root: PathBuf,
    /// The way from there; `.` for itself.
    pub rest: PathBuf,
}

/// In which of these folders an absolute path begins; the deepest, where several are meant.
pub(super) fn below(folders: &[Folder], path: &Path) -> Option<Below> {
    let mut found: Option<(usize, Below)> = None;
    for folder in folders {
        let Some(real) = folder.real() else { continue };
        for name in [&real, &folder.written] {
            let Ok(rest) = path.strip_prefix(name) else { continue };
            let depth = name.components().count();
            let deepest = found.as_ref().is_none_or(|(other, _)| depth > *other);
            if deepest {
                let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
                found = Some((depth, Below { root: real.clone(), rest: rest.to_owned() }));
            }
        }
    }
    found.map(|(_, below)| below)
}

/// Whether a path says `..` anywhere.
pub(super) fn climbs(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Whether a path without links is this file or folder, or in it; by what they are, in whatever case they are written.
pub(super) fn is_in(real: &Path, closed: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|of| (of.dev(), of.ino()));
    identity(closed).is_some_and(|closed| real.ancestors().any(|part| identity(part) == Some(closed)))
}
