//! The gateway's own folder in the home: one process at a time, its operator token, its signing key.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use argus_protocol::token::{Secret, SigningKey};

use super::durable;

/// Why the home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process has it.
    #[error(
        "the home `{home}` is in use by another gateway{by}: stop that one, or give this one another home \
         (`ARGUS_HOME` or `--home`)"
    )]
    InUse {
        /// The home.
        home: PathBuf,
        /// ` (process 123)`, where the other one has told.
        by: String,
    },
    /// A file or folder of it cannot be read or made.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The stored token could never be sent, or has no end.
    #[error(
        "`{path}` was left untouched: {reason}; write another token into it, or remove it to get a new one"
    )]
    Token {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The signing key is not one.
    #[error(
        "the signing key `{path}` has {length} bytes instead of 32 and was left untouched: put back a copy, or move it \
         away to get a new one (every derived token is then void)"
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// Its length, as far as it was read.
        length: usize,
    },
}

/// The home, locked for this process until it is dropped.
#[derive(Debug)]
pub struct Home {
    root: PathBuf,
    _lock: File,
}

/// A token file with more than this many bytes is something else.
const LONGEST_TOKEN: usize = 1024;

impl Home {
    /// Makes the folders that are missing (readable by their owner only) and takes the lock.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        let own = root.join("gateway");
        DirBuilder::new().recursive(true).mode(0o700).create(&own).map_err(at(&own))?;
        std::fs::set_permissions(&own, Permissions::from_mode(0o700)).map_err(at(&own))?;
        let lock = lock(root, &own.join("lock"))?;
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    /// The home itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The gateway's own folder in it.
    pub fn own(&self) -> PathBuf {
        self.root.join("gateway")
    }

    /// Where the ledger is.
    pub fn ledger(&self) -> PathBuf {
        self.own().join("ledger.db")
    }

    /// Where `state.json` is.
    pub fn state(&self) -> PathBuf {
        self.own().join("state.json")
    }

    /// Where the audit is.
    pub fn audit(&self) -> PathBuf {
        self.own().join("audit.log")
    }

    /// Where the operator token is stored: in `file`, without one in `gateway/token`.
    pub fn token_path(&self, file: Option<&Path>) -> PathBuf {
        file.map_or_else(|| self.own().join("token"), Path::to_owned)
    }

    /// The operator token stored in `file`, without one in `gateway/token`; made at the first call. A blank file counts
    /// as none.
    pub fn token(&self, file: Option<&Path>) -> Result<Secret, HomeError> {
        let path = self.token_path(file);
        let stored = read(&path)?.unwrap_or_default();
        if stored.len() > LONGEST_TOKEN {
            let reason = format!("it is longer than {LONGEST_TOKEN} bytes");
            return Err(HomeError::Token { path, reason });
        }
        match Secret::bearer(&String::from_utf8_lossy(&stored)) {
            Ok(Some(token)) => return Ok(token),
            Ok(None) => {}
            Err(why) => return Err(HomeError::Token { path, reason: why.to_string() }),
        }
        renew_token(&path)
    }

    /// The stored signing key, made at the first call.
    pub fn signing_key(&self) -> Result<SigningKey, HomeError> {
        let path = self.own().join("key");
        let bytes = if let Some(stored) = read(&path)? {
            let length = stored.len();
            <[u8; 32]>::try_from(stored).map_err(|_| HomeError::Key { path, length })?
        } else {
            let fresh = random(&path)?;
            durable::replace(&path, &fresh).map_err(at(&path))?;
            fresh
        };
        Ok(SigningKey::new(bytes))
    }
}

/// Stores a new token in place of the one that is there.
pub fn renew_token(path: &Path) -> Result<Secret, HomeError> {
    let text = data_encoding::HEXLOWER.encode(&random(path)?);
    durable::replace(path, format!("{text}\n").as_bytes()).map_err(at(path))?;
    Ok(Secret::parse(&text).expect("64 hex digits are not blank"))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::File { path, source }
}

/// The lock file also tells whose it is, for the message to the one that comes second.
fn lock(home: &Path, path: &Path) -> Result<File, HomeError> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = open.map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let owner =
                (&mut file).take(20).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            let by = owner.map(|pid: u32| format!(" (process {pid})")).unwrap_or_default();
            return Err(HomeError::InUse { home: home.to_owned(), by });
        }
        Err(TryLockError::Error(error)) => return Err(at(path)(error)),
    }
    // Only a courtesy: on a full disk the lock holds without it.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// The first kilobyte of a file and a byte more, where there is one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, HomeError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST_TOKEN as u64 + 1).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(Some(bytes))
}

fn random(path: &Path) -> Result<[u8; 32], HomeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| at(path)(error.into()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_on_the_same_home_is_told_which_one_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Home::open(dir.path()).unwrap();
        let second = Home::open(dir.path()).unwrap_err().to_string();
        let home = dir.path().display();
        let pid = std::process::id();
        assert!(
            second.contains(&format!("`{home}` is in use by another gateway (process {pid})")),
            "{second}"
        );
        drop(first);
        Home::open(dir.path()).unwrap();
    }

    #[test]
    fn token_and_key_are_made_once_and_are_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let (token, key) = (home.token(None).unwrap(), home.signing_key().unwrap());
        drop(home);
        let home = Home::open(dir.path()).unwrap();
        assert_eq!(home.token(None).unwrap(), token);
        assert_eq!(home.signing_key().unwrap().derive("a", "b"), key.derive("a", "b"));
        let mode =
            |name: &str| std::fs::metadata(home.own().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("lock"), mode("token"), mode("key")], [0o700, 0o600, 0o600, 0o600]);
    }

    #[test]
    fn a_token_that_somebody_wrote_is_taken_and_a_blank_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        std::fs::write(home.own().join("token"), "mine\n").unwrap();
        assert!(home.token(None).unwrap().matches("mine"));
        std::fs::write(home.own().join("token"), " \n").unwrap();
        assert_eq!(home.token(None).unwrap().reveal().len(), 64);
    }

    #[test]
    fn the_token_may_be_kept_elsewhere_and_is_made_there() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (home, file) = (Home::open(dir.path()).unwrap(), other.path().join("token"));
        let token = home.token(Some(&file)).unwrap();
        assert_eq!(home.token(Some(&file)).unwrap(), token);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!home.own().join("token").exists());
    }

    #[test]
    fn a_token_file_that_nobody_could_use_stops_the_start_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let path = home.own().join("token");
        for (held, why) in [
            (b"two words".to_vec(), "holds white space"),
            (b"\xff\xfe".to_vec(), "holds a character outside ASCII"),
            (vec![b'a'; 1025], "is longer than 1024 bytes"),
        ] {
            std::fs::write(&path, &held).unwrap();
            let error = home.token(None).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("two words"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), held);
        }
    }

    #[test]
    fn a_damaged_key_stops_the_start_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        std::fs::write(home.own().join("key"), [1; 31]).unwrap();
        let error = home.signing_key().unwrap_err().to_string();
        assert!(error.contains("has 31 bytes instead of 32"), "{error}");
        assert_eq!(std::fs::read(home.own().join("key")).unwrap(), [1; 31]);
    }
}
