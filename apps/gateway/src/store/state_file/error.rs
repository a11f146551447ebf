//! Why `state.json` cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the state cannot be used. The file has then not been changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not a state file.
    #[error(
        "`{path}` cannot be read and was left untouched: {reason}; mend it (`argus state check` tells whether it is), \
         put `{path}.bak` in its place with `argus state restore`, or move it away to begin anew"
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another version of this program has written it.
    #[error(
        "`{path}` has version {found} and this program knows version 1 only; it was left untouched: use the program that \
         wrote it, or put `{path}.bak` in its place with `argus state restore`"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its `version`, as it stands there.
        found: String,
    },
    /// It cannot be written.
    #[error("`{path}` cannot be written, and nothing was changed: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
