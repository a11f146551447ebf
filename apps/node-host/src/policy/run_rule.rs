//! One rule of the owner's about programs.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::file::Action;
use super::folders::Folder;
use super::host::Host;
use super::pattern::{Arguments, Glob};
use super::program::{self, Found};

/// A rule about programs.
#[derive(Clone, Debug)]
pub(super) struct RunRule {
    pub(super) action: Action,
    /// The program as the owner writes it.
    pub(super) written: String,
    pub(super) meant: Meant,
    /// What the arguments must be; none: any.
    pub(super) arguments: Option<Arguments>,
    /// Where it must run; none: anywhere.
    pub(super) cwd: Option<Vec<Folder>>,
}

/// Which program a rule means.
#[derive(Clone, Debug)]
pub(super) enum Meant {
    /// The one that is found by this name.
    Name(String),
    /// The one at this path, links followed.
    File(PathBuf),
    /// Those whose path, without links, begins with this folder's and goes on as the pattern says.
    Files { folder: PathBuf, rest: Glob },
}

impl Meant {
    pub(super) fn read(written: &str, host: &Host) -> Result<Self, String> {
        if written.is_empty() || written.contains('\0') {
            return Err("it is empty or has NUL in it".into());
        }
        if !written.contains('/') && written != "~" {
            return if Glob::new(written).is_plain() {
                Ok(Self::Name(written.to_owned()))
            } else {
                Err(format!("`{written}` has a wildcard; those are for whole paths, such as `/opt/tools/*`"))
            };
        }
        let wrong = || format!("`{written}` is neither a name, nor absolute, nor begins with `~/`");
        let path = host.absolute(written).ok_or_else(wrong)?;
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(format!("`{written}` has `..` in it"));
        }
        let is_pattern = |part: &Component| !Glob::new(&part.as_os_str().to_string_lossy()).is_plain();
        let folder: PathBuf = path.components().take_while(|part| !is_pattern(part)).collect();
        if folder == path {
            return Ok(Self::File(path));
        }
        let rest = path.strip_prefix(&folder).unwrap_or(&path).to_string_lossy();
        Ok(Self::Files { rest: Glob::new(&rest), folder })
    }
}

impl RunRule {
    /// Whether it speaks of this program with these arguments in this folder.
    ///
    /// A rule that allows means the file under its own name only: a file that is many programs is another one under
    /// another name. One that asks or denies means the file, whatever its names are.
    pub(super) fn means(&self, found: &Found, arguments: &[String], cwd: &Path, path: &OsStr) -> bool {
        let there = self.cwd.as_ref().is_none_or(|folders| folders.iter().any(|folder| folder.holds(cwd)));
        let fit = || self.arguments.as_ref().is_none_or(|patterns| patterns.fit(arguments));
        there && fit() && self.means_file(found, path)
    }

    fn means_file(&self, found: &Found, path: &OsStr) -> bool {
        let own = match &self.meant {
            Meant::Name(name) => program::in_path(name, path).and_then(|file| program::at(&file)),
            Meant::File(file) => program::at(file),
            Meant::Files { folder, rest } => return self.means_below(found, folder, rest),
        };
        let Some(own) = own else { return false };
        match self.action {
            Action::Allow => own.file == found.file && own.called == found.called && !others_write(found),
            Action::Ask | Action::Deny => own.file == found.file || own.identity == found.identity,
        }
    }

    fn means_below(&self, found: &Found, folder: &Path, rest: &Glob) -> bool {
        let Ok(folder) = folder.canonicalize() else { return false };
        let fits = |below: &Path| below.to_str().is_some_and(|below| rest.fits(below));
        let meant = found.file.strip_prefix(&folder).is_ok_and(fits);
        let own_name = found.file.file_name() == Some(&found.called);
        meant && (self.action != Action::Allow || (own_name && !others_write(found)))
    }

    /// What an owner should know of a rule that allows.
    pub(super) fn unwise(&self, path: &OsStr, writable: &[Folder], number: usize) -> Vec<String> {
        let mut words = Vec::new();
        let file = match &self.meant {
            Meant::Name(name) => program::in_path(name, path).and_then(|file| program::at(&file)),
            Meant::File(file) => program::at(file),
            Meant::Files { .. } => None,
        };
        let name = |name: &OsStr| program::does_anything(&name.to_string_lossy());
        let base = Path::new(&self.written).file_name().unwrap_or_default().to_owned();
        let real: OsString =
            file.as_ref().and_then(|found| found.file.file_name()).unwrap_or_default().to_owned();
        if self.arguments.is_none() && (name(&base) || name(&real)) {
            words.push(format!(
                "run rule {number}: `{}` does whatever its arguments say, and the rule takes all of them",
                self.written
            ));
        }
        if let Meant::Files { folder, .. } = &self.meant {
            if writable.iter().any(|own| own.real().is_some_and(|own| folder.starts_with(own))) {
                words.push(format!(
                    "run rule {number}: `{}` lies in a folder of `folders.write`",
                    self.written
                ));
            }
        } else if let Some(found) = &file {
            if writable.iter().any(|folder| folder.holds(&found.file)) {
                words.push(format!(
                    "run rule {number}: `{}` lies in a folder of `folders.write`",
                    self.written
                ));
            }
            if others_write(found) {
                words.push(format!(
                    "run rule {number}: everybody may write `{}`, so it is not taken",
                    found.file.display()
                ));
            }
        } else {
            words.push(format!("run rule {number}: there is no program `{}` now", self.written));
        }
        words
    }
}

fn others_write(found: &Found) -> bool {
    found.mode & 0o002 != 0
}
