//! Why something with a file failed, in words.

use std::io::{Error, ErrorKind};

use argus_protocol::node::{Fault, code};

use crate::policy::show::{quoted, shortened};

/// What went wrong with that path.
pub(super) fn of(path: &str, error: &Error) -> Fault {
    let name = shown(path);
    match error.kind() {
        // Only the walls around the folder say so without an error of the system's.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => outside(path),
        ErrorKind::NotFound => Fault::new(code::NOT_FOUND, format!("there is no `{name}`")),
        ErrorKind::AlreadyExists => {
            Fault::new(code::FAILED, format!("`{name}` is there already; `mode` `replace` would replace it"))
        }
        _ => Fault::new(code::FAILED, format!("`{name}`: {error}")),
    }
}

/// The path leads out of the owner's folders.
pub(super) fn outside(path: &str) -> Fault {
    let words = format!("`{}` leads out of the folders that the owner of this device opened", shown(path));
    Fault::new(code::DENIED, words)
}

/// The path is not of the kind the command takes.
pub(super) fn kind(path: &str, what: &str) -> Fault {
    Fault::new(code::BAD_INPUT, format!("`{}` {what}", shown(path)))
}

/// The file has a second name.
pub(super) fn hard_link(path: &str) -> Fault {
    let words = format!(
        "`{}` has a second name (a hard link), perhaps outside the opened folders; `folders.hardLinks` decides",
        shown(path)
    );
    Fault::new(code::DENIED, words)
}

fn shown(path: &str) -> String {
    shortened(&quoted(path), 300)
}
