//! Which file a program's name means.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A program that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The file: absolute, without links.
    pub(super) file: PathBuf,
    /// The name by which it was called: the last part of what was written.
    pub(super) called: OsString,
    /// The file's device and number: the same under each of its names.
    pub(super) identity: (u64, u64),
    /// Its permissions.
    pub(super) mode: u32,
}

/// Finds a program: a name in `path`, what has a `/` from `cwd` on. None: there is no executable file.
pub(super) fn find(written: &str, cwd: &Path, path: &OsStr) -> Option<Found> {
    if written.is_empty() || written.contains('\0') {
        return None;
    }
    if written.contains('/') {
        at(&cwd.join(written))
    } else {
        in_path(written, path).and_then(|found| at(&found))
    }
}

/// Where a name is in `path`, links as they are.
pub(crate) fn in_path(name: &str, path: &OsStr) -> Option<PathBuf> {
    if name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
        return None;
    }
    // Relative folders in it would make the name mean another file in every folder.
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// The program at that path.
pub(super) fn at(path: &Path) -> Option<Found> {
    let called = path.file_name()?.to_owned();
    let file = path.canonicalize().ok()?;
    let of = file.metadata().ok()?;
    is_executable(&file).then_some(Found { file, called, identity: (of.dev(), of.ino()), mode: of.mode() })
}

fn is_executable(file: &Path) -> bool {
    let regular = file.metadata().is_ok_and(|of| of.is_file() && of.mode() & 0o111 != 0);
    regular && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Programs that do whatever their arguments say.
const DO_ANYTHING: &str = "\
    python pypy ash awk bash bun busybox chroot csh dash deno doas docker ed emacs env expect fish find gawk gdb \
    ionice jshell ksh launchctl lldb lua make mawk nc ncat nice node nohup nsenter open osascript \
    parallel perl php podman ruby rsync screen script sed setsid sh socat ssh stdbuf strace su sudo \
    systemd-run tar tclsh tcsh time timeout tmux toybox unshare vi vim watch xargs xterm zsh pkexec \
    runuser";

/// Whether a program of that name does whatever its arguments say; versions (`python3.13`) count as the name.
pub(super) fn does_anything(name: &str) -> bool {
    let plain = name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.' || char == '-');
    DO_ANYTHING.split_ascii_whitespace().any(|own| own == name || own == plain)
}
