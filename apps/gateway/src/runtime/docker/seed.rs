//! What a session with files of its own begins with: the operator's configuration and credentials of the agent.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

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
    for entry in entries {
        let entry = entry?;
        let told = entry.metadata()?;
        if !told.is_file() || told.len() > LARGEST {
            continue;
        }
        let text = fs::read(entry.path())?;
        // The folder is the session's: whatever stands there, a link too, is not written through.
        let new = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(target.join(entry.file_name()));
        match new {
            Ok(mut file) => file.write_all(&text)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
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
}
