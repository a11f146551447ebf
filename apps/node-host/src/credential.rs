//! What enrolment gives this machine: the gateway's address, the node's id and its token, in a file of its owner's.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};

/// A token or a code: never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for who has to say it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What enrolment gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Where the gateway is.
    pub url: String,
    /// As whom this machine may come.
    pub node_id: String,
    /// With what.
    pub token: Secret,
}

impl Credential {
    /// Where it is kept below the folder of all node-hosts of this user.
    pub fn path(root: &Path) -> PathBuf {
        root.join("credential.json")
    }

    /// Reads it; none where there is no such file. The error is words.
    pub fn load(root: &Path) -> Result<Option<Self>, String> {
        let path = Self::path(root);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
        };
        if fs::metadata(&path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
            let shown = path.display();
            return Err(format!("`{shown}` can be read by others on this machine: `chmod 600 '{shown}'`"));
        }
        let kept = serde_json::from_slice(&text).map_err(|error| {
            format!("`{}` is no credential: {error}; enrol this machine again", path.display())
        })?;
        Ok(Some(kept))
    }

    /// Puts it in place of the one before, readable by this user only; durable when this returns.
    pub fn store(&self, root: &Path) -> io::Result<PathBuf> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        let (path, new) = (Self::path(root), root.join(format!(".credential.{}", std::process::id())));
        let written = self.write(&new).and_then(|()| fs::rename(&new, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        fs::File::open(root)?.sync_all()?;
        Ok(path)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        // One that an earlier process with this number left.
        let _ = fs::remove_file(path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// Removes it; whether there was one.
    pub fn forget(root: &Path) -> io::Result<bool> {
        match fs::remove_file(Self::path(root)) {
            Ok(()) => fs::File::open(root)?.sync_all().map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(token: &str) -> Credential {
        Credential { url: "wss://h/nodes/ws".into(), node_id: "n".into(), token: Secret::new(token) }
    }

    #[test]
    fn a_credential_is_kept_for_its_owner_alone_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a/b");
        assert_eq!(Credential::load(&root), Ok(None));
        for token in ["one", "two"] {
            let path = credential(token).store(&root).unwrap();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(Credential::load(&root), Ok(Some(credential(token))));
        }
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
        assert!(Credential::forget(&root).unwrap());
        assert!(!Credential::forget(&root).unwrap());
    }

    #[test]
    fn a_credential_that_others_can_read_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = credential("t").store(dir.path()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Credential::load(dir.path()).unwrap_err();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_token_is_never_shown() {
        assert!(!format!("{:?}", credential("sesame")).contains("sesame"));
    }
}
