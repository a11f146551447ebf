//! The owner's file: its shape, and whether it may be believed.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::show::shortened;

/// The largest file in bytes.
const LARGEST: u64 = 256 << 10;

/// What is done about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is done.
    Allow,
    /// The owner is asked.
    Ask,
    /// It is not done.
    Deny,
}

/// The file as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) mode: Option<Action>,
    pub(super) commands: BTreeMap<String, Action>,
    pub(super) run: Vec<WrittenRun>,
    pub(super) folders: WrittenFolders,
    pub(super) env: WrittenEnv,
    pub(super) ask: WrittenAsk,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WrittenRun {
    pub(super) rule: Action,
    pub(super) program: String,
    pub(super) args: Option<Vec<String>>,
    pub(super) args_regex: Option<Vec<String>>,
    pub(super) cwd: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WrittenFolders {
    pub(super) cwd: Option<Vec<String>>,
    pub(super) read: Vec<String>,
    pub(super) write: Vec<String>,
    pub(super) hard_links: Option<Action>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WrittenEnv {
    pub(super) path: Option<String>,
    pub(super) pass: Option<Vec<String>>,
    pub(super) set: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WrittenAsk {
    pub(super) timeout_seconds: Option<u64>,
    pub(super) by: Option<Vec<AskBy>>,
}

/// Where the owner may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskBy {
    /// At the terminal in which the node runs.
    Terminal,
    /// In the owner's chat, through the gateway.
    Chat,
}

/// By what a file that was changed is known: also who owns it and who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64, u64),
    owner: (u32, u32),
    modified: (i64, i64),
    changed: (i64, i64),
    /// Whether it was changed just before it was looked at.
    age: Age,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Young,
    Old,
}

/// Within this, two changes may leave the same times.
const YOUNG: Duration = Duration::from_secs(2);

impl Stamp {
    /// The file's now; none where there is no file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let of = std::fs::metadata(path).ok()?;
        let changed = u64::try_from(of.ctime()).map_or(UNIX_EPOCH, |at| UNIX_EPOCH + Duration::from_secs(at));
        // A time to come is of a clock that was turned back: such a file is looked into each time.
        let old = SystemTime::now().duration_since(changed).is_ok_and(|since| since > YOUNG);
        Some(Self {
            file: (of.dev(), of.ino(), of.size()),
            owner: (of.uid(), of.mode()),
            modified: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
            age: if old { Age::Old } else { Age::Young },
        })
    }

    /// Whether the times may not tell of a change after it.
    pub(super) fn is_young(self) -> bool {
        self.age == Age::Young
    }
}

/// Reads the file, if nobody but its owner could have written it.
pub(super) fn read(path: &Path) -> Result<Written, String> {
    let text = believed(path).map_err(|why| format!("the policy `{}` {why}", path.display()))?;
    toml::from_str(&text).map_err(|error| {
        format!(
            "the policy `{}` is not understood: {}",
            path.display(),
            shortened(error.to_string().trim_end(), 2000)
        )
    })
}

fn believed(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let whole = path.canonicalize().map_err(cannot)?;
    // A pipe in its place would be waited for.
    if !whole.metadata().map_err(cannot)?.is_file() {
        return Err("is not a file".into());
    }
    let mut file = File::open(&whole).map_err(cannot)?;
    let of = file.metadata().map_err(cannot)?;
    if !of.is_file() {
        return Err("is not a file".into());
    }
    only_the_owner_writes(&of).map_err(|why| format!("{why}; make it yours and `chmod go-w` it"))?;
    for named in [path, &whole] {
        let Some(folder) = named.parent() else { continue };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let of = folder.metadata().map_err(cannot)?;
        // In a sticky folder nobody can take another's file away.
        if of.mode() & 0o1000 == 0 {
            only_the_owner_writes(&of).map_err(|why| {
                format!("lies in the folder `{}`, which {why}; `chmod go-w` it", folder.display())
            })?;
        }
    }
    if of.len() > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes"));
    }
    let mut text = String::new();
    file.by_ref().take(LARGEST + 1).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

fn only_the_owner_writes(of: &Metadata) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    if of.uid() != own && of.uid() != 0 {
        return Err(format!("belongs to another user (number {})", of.uid()));
    }
    if of.mode() & 0o022 != 0 {
        return Err(format!("may be written by others (mode {:04o})", of.mode() & 0o7777));
    }
    Ok(())
}
