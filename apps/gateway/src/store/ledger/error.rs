//! How the ledger can fail.

use std::path::PathBuf;
use std::sync::Arc;

use argus_protocol::SubmissionId;

/// A failure of the ledger. Whatever was asked has then not been stored, not even in part.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file is not a sound ledger. It has not been touched.
    #[error(
        "the ledger `{path}` is damaged and was left untouched: {reason}; put back a copy of it, or move it away \
         (with its `-wal` and `-shm`) to begin anew"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer version of this program has written it. It has not been touched.
    #[error(
        "the ledger `{path}` has schema {found} and this version knows {known} at most; use the newer version again, \
         or put back the copy beside it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// The file cannot be read, copied or made.
    #[error("the ledger `{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Arc<std::io::Error>,
    },
    /// A migration failed; a copy from before it lies beside the ledger.
    #[error("the ledger's schema cannot be brought up to date: {0}")]
    Migration(Arc<sqlx::migrate::MigrateError>),
    /// No space is left. It works again as soon as there is some.
    #[error("the disk that holds the ledger is full: free some space")]
    DiskFull,
    /// The database refused.
    #[error("the ledger failed: {0}")]
    Database(Arc<sqlx::Error>),
    /// A stored value is not what was written there.
    #[error("the ledger holds {what} that cannot be read: {reason}")]
    Unreadable {
        /// Which kind of value.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The submission is unknown, or settled already.
    #[error("submission `{0}` is not open")]
    NotOpen(SubmissionId),
    /// What was asked for met a defect of this program.
    #[error(
        "the ledger met a defect of this program, and nothing was stored; please report it with the log around it"
    )]
    Panicked,
    /// It has been closed: the program is stopping.
    #[error("the ledger is closed")]
    Closed,
}

/// `SQLITE_FULL`, and `SQLITE_IOERR_SHMSIZE`: the index of the log could not grow.
const NO_SPACE: [&str; 2] = ["13", "4874"];

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned));
        match code {
            Some(code) if NO_SPACE.contains(&code.as_str()) => Self::DiskFull,
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl LedgerError {
    pub(super) fn unreadable(what: &'static str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Unreadable { what, reason: reason.to_string() }
    }
}
