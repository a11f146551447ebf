//! `fs.stat` and `fs.list`: what is there.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::UNIX_EPOCH;

use argus_protocol::node::{Fault, code};
use cap_std::fs::{Dir, Metadata, MetadataExt};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::place::Last;
use super::{fault, place};
use crate::call::{self, Answer, Call, told};
use crate::policy::Policy;

/// How many entries a page has where the caller does not say it, and at most.
const USUAL_PAGE: usize = 200;
const LARGEST_PAGE: usize = 1000;
/// The largest folder that is listed.
const LARGEST_FOLDER: usize = 100_000;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Folder,
    Link,
    Other,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    kind: Kind,
    size: u64,
    modified_at_ms: Option<u64>,
    /// Its permissions in octal, such as `0644`.
    permissions: String,
}

impl Of {
    fn new(of: &Metadata) -> Self {
        let kind = match of.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::Other,
        };
        let modified = of.modified().ok().and_then(|at| at.into_std().duration_since(UNIX_EPOCH).ok());
        Self {
            kind,
            size: of.len(),
            modified_at_ms: modified.and_then(|since| u64::try_from(since.as_millis()).ok()),
            permissions: format!("{:04o}", of.mode() & 0o7777),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatAsked {
    path: String,
}

#[derive(Serialize)]
struct StatTold {
    path: String,
    #[serde(flatten)]
    of: Of,
    /// Where it leads to, if it is a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// Looks at a file, a folder or a link; a link is not followed.
pub(super) fn stat(policy: &Policy, call: &Call) -> Answer {
    let StatAsked { path } = call::read(call)?;
    let place = place::find(policy, "fs.stat", &path, Last::Itself)?;
    let of = place.root.symlink_metadata(&place.rest).map_err(|error| fault::of(&path, &error))?;
    let of = Of::new(&of);
    let target = (of.kind == Kind::Link).then(|| place.root.read_link_contents(&place.rest).ok()).flatten();
    told(&StatTold { path, of, target: target.map(|to| to.to_string_lossy().into_owned()) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListAsked {
    path: String,
    /// The last name of the page before.
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct ListTold {
    path: String,
    /// How many there are in all.
    total: usize,
    entries: Vec<Entry>,
    /// Say this as `after` for the next page; none: this was the last.
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    /// The name's bytes, if they are no UTF-8: such a file cannot be named in a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_base64: Option<String>,
    #[serde(flatten)]
    of: Option<Of>,
}

/// Lists a folder, by name, in pages.
pub(super) fn list(policy: &Policy, call: &Call) -> Answer {
    let asked: ListAsked = call::read(call)?;
    let limit = asked.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Fault::new(code::BAD_INPUT, format!("`limit` is 1 to {LARGEST_PAGE}")));
    }
    let failed = |error: std::io::Error| fault::of(&asked.path, &error);
    let place = place::find(policy, "fs.list", &asked.path, Last::Followed)?;
    if !place.root.metadata(&place.rest).map_err(failed)?.is_dir() {
        return Err(fault::kind(&asked.path, "is no folder"));
    }
    let folder = place.root.open_dir(&place.rest).map_err(failed)?;
    let mut names: Vec<OsString> = Vec::new();
    for entry in folder.entries().map_err(failed)? {
        if names.len() == LARGEST_FOLDER {
            let words = format!("has more than {LARGEST_FOLDER} entries");
            return Err(Fault { code: code::TOO_LARGE.into(), ..fault::kind(&asked.path, &words) });
        }
        names.push(entry.map_err(failed)?.file_name());
    }
    // By what is told of a name, since that is what the next page is asked for with.
    names.sort_by_cached_key(|name| name.to_string_lossy().into_owned());
    let total = names.len();
    let after = asked.after.unwrap_or_default();
    let mut rest = names.into_iter().filter(|name| *name.to_string_lossy() > *after || after.is_empty());
    let entries: Vec<Entry> = rest.by_ref().take(limit).map(|name| entry(&folder, &name)).collect();
    let next = rest.next().and_then(|_| entries.last()).map(|last| last.name.clone());
    told(&ListTold { path: asked.path, total, entries, next })
}

fn entry(folder: &Dir, name: &OsString) -> Entry {
    let base64 = name.to_str().is_none().then(|| BASE64.encode(name.as_bytes()));
    let of = folder.symlink_metadata(name).ok().map(|of| Of::new(&of));
    Entry { name: name.to_string_lossy().into_owned(), name_base64: base64, of }
}
