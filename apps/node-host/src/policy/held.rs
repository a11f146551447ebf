//! The rules as they were read last, and when they are to be read again.

use std::path::Path;
use std::sync::Arc;

use super::Source;
use super::file::{self, Action, Stamp, Written};
use super::host::Host;
use super::rules::Rules;
use super::show::shortened;

/// What was read last.
#[derive(Debug)]
pub(super) struct Held {
    stamp: Option<Stamp>,
    pub(super) rules: Result<Arc<Rules>, String>,
}

impl Held {
    /// Reads it for the first time.
    pub(super) fn new(source: &Source, mode: Option<Action>, host: &Host) -> Self {
        let rules = match source {
            Source::Everything => Ok(Rules::everything(host)),
            Source::Usual(path) if is_missing(path) => understood(&Written::default(), path, host),
            Source::Usual(path) | Source::Named(path) => return Self::read(path, mode, host, None),
        };
        Self { stamp: None, rules: told(rules, mode, None) }
    }

    /// Reads the file again, if it was changed. Where it is gone nothing counts: what it said is not known to be over.
    pub(super) fn refresh(&mut self, path: &Path, mode: Option<Action>, host: &Host) {
        // A file that was changed just before it was read may have been changed once more since.
        if Stamp::of(path) != self.stamp || self.stamp.is_some_and(Stamp::is_young) {
            *self = Self::read(path, mode, host, Some(self));
        }
    }

    fn read(path: &Path, mode: Option<Action>, host: &Host, before: Option<&Self>) -> Self {
        // Before the file itself: what is changed meanwhile is read again.
        let stamp = Stamp::of(path);
        let rules = file::read(path).and_then(|written| understood(&written, path, host));
        Self { stamp, rules: told(rules, mode, before) }
    }
}

/// Whether nothing is there, not even a link that leads nowhere.
fn is_missing(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn understood(written: &Written, path: &Path, host: &Host) -> Result<Rules, String> {
    Rules::understood(written, host).map_err(|mistakes| {
        format!("the policy `{}` has mistakes: {}", path.display(), shortened(&mistakes.join("; "), 4000))
    })
}

/// Logs what came of reading, if it is new; the flag's word comes before the file's.
fn told(
    rules: Result<Rules, String>,
    mode: Option<Action>,
    before: Option<&Held>,
) -> Result<Arc<Rules>, String> {
    let before = before.map(|before| &before.rules);
    match rules {
        Ok(mut rules) => {
            rules.mode = mode.unwrap_or(rules.mode);
            let known = before.and_then(|before| before.as_ref().ok()).map(|before| &before.warnings);
            for words in
                rules.warnings.iter().filter(|words| known.is_none_or(|known| !known.contains(words)))
            {
                tracing::warn!("the policy: {words}");
            }
            Ok(Arc::new(rules))
        }
        Err(why) => {
            if before.and_then(|before| before.as_ref().err()) != Some(&why) {
                tracing::error!("everything is denied until this is repaired: {why}");
            }
            Err(why)
        }
    }
}
