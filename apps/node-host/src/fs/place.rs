//! From a path to a file below one of the owner's folders.

use std::fs::File;
use std::io::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use argus_protocol::node::Fault;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use super::fault;
use crate::policy::{Action, Policy};

/// Where something is: an opened folder out of which nothing leads, and the way from there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: Dir,
    pub(super) rest: PathBuf,
}

/// What a path means that is itself a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// What the link leads to.
    Followed,
    /// The link.
    Itself,
}

/// Finds the place of a path for that command.
pub(super) fn find(policy: &Policy, command: &str, path: &str, last: Last) -> Result<Place, Fault> {
    let mut below = policy.below(command, path)?;
    // Links that lead into an opened folder are followed by name first, so that absolute ones work too. What that says
    // may be wrong a moment later: the walls are the opened folder's, below.
    if let Some(real) = real(&below.root.join(&below.rest), last) {
        below = policy.below_real(command, &real).ok_or_else(|| fault::outside(path))?;
    }
    let root =
        Dir::open_ambient_dir(&below.root, ambient_authority()).map_err(|error| fault::of(path, &error))?;
    Ok(Place { root, rest: below.rest })
}

fn real(whole: &Path, last: Last) -> Option<PathBuf> {
    match (last, whole.file_name(), whole.parent()) {
        (Last::Itself, Some(name), Some(folder)) => Some(folder.canonicalize().ok()?.join(name)),
        // What is not there yet has a folder that is.
        (Last::Followed, Some(name), Some(folder)) => {
            whole.canonicalize().or_else(|_| Ok::<_, Error>(folder.canonicalize()?.join(name))).ok()
        }
        _ => whole.canonicalize().ok(),
    }
}

impl Place {
    /// Opens an ordinary file; pipes, devices and sockets are not even touched.
    pub(super) fn file(&self, path: &str, policy: &Policy, options: &mut OpenOptions) -> Result<File, Fault> {
        let is_new = |error: &Error| error.kind() == std::io::ErrorKind::NotFound;
        match self.root.metadata(&self.rest) {
            Ok(of) if of.is_dir() => return Err(fault::kind(path, "is a folder")),
            Ok(of) if !of.is_file() => return Err(fault::kind(path, "is no ordinary file")),
            Ok(_) => {}
            // It may be about to be made.
            Err(error) if is_new(&error) => {}
            Err(error) => return Err(fault::of(path, &error)),
        }
        // Where it was put in another's place meanwhile, it does not make us wait.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        let opened = self.root.open_with(&self.rest, options).map_err(|error| fault::of(path, &error))?;
        let file = opened.into_std();
        let of = file.metadata().map_err(|error| fault::of(path, &error))?;
        if !of.is_file() {
            return Err(fault::kind(path, "is no ordinary file"));
        }
        if of.nlink() > 1 && policy.hard_links() != Action::Allow {
            return Err(fault::hard_link(path));
        }
        Ok(file)
    }
}
