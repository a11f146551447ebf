//! What a session with files of its own begins with: the operator's configuration and credentials of the agent.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// A file larger than this is no configuration.
const LARGEST: u64 = 1 << 20;

/// Copies the files of `seed` into `target` as far as they are missing there. Folders and links are left out; without a
/// seed there is nothing to do.
pub(super) fn sow(seed: &Path, target: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(seed) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // The folder is the session's: a link in its place, or in that of a file, is not followed.
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(target, folder, Mode::empty())?;
    let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    for entry in entries {
        let entry = entry?;
        let told = entry.metadata()?;
        if !told.is_file() || told.len() > LARGEST {
            continue;
        }
        let text = fs::read(entry.path())?;
        match rustix::fs::openat(&folder, entry.file_name(), new, Mode::RUSR | Mode::WUSR) {
            Ok(file) => fs::File::from(file).write_all(&text)?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_missing_is_copied_and_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (seed, target) = (dir.path().join("seed"), dir.path().join("target"));
        fs::create_dir(&target).unwrap();
        sow(&seed, &target).unwrap();
        fs::create_dir_all(seed.join("folder")).unwrap();
        for (name, text) in [("config.toml", "model"), ("auth.json", "{}"), ("link", "x")] {
            fs::write(seed.join(name), text).unwrap();
        }
        fs::write(target.join("config.toml"), "own").unwrap();
        symlink("/nowhere/at/all", target.join("link")).unwrap();
        sow(&seed, &target).unwrap();
        let read = |name: &str| fs::read_to_string(target.join(name)).ok();
        assert_eq!([read("config.toml"), read("auth.json")], [Some("own".into()), Some("{}".into())]);
        assert_eq!((read("link"), target.join("folder").exists()), (None, false));
        assert_eq!(fs::metadata(target.join("auth.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_in_the_folders_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (seed, elsewhere) = (dir.path().join("seed"), dir.path().join("elsewhere"));
        fs::create_dir(&seed).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(seed.join("auth.json"), "{}").unwrap();
        symlink(&elsewhere, dir.path().join("target")).unwrap();
        sow(&seed, &dir.path().join("target")).unwrap_err();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }
}
