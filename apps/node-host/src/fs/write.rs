//! `fs.write`: makes a file, replaces one whole, or adds to its end.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{Error, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use argus_protocol::node::{Fault, code};
use cap_std::fs::{Dir, MetadataExt, OpenOptions};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use super::place::{Last, Place};
use super::read::Encoding;
use super::{LARGEST_PIECE, fault, place};
use crate::call::{self, Answer, Call, told};
use crate::policy::Policy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    path: String,
    mode: Mode,
    content: String,
    encoding: Option<Encoding>,
    /// For `append`: how large the file is before.
    offset: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// There must not be one.
    Create,
    /// There may be one: others see the old or the new content, never a part.
    Replace,
    /// At the end of one that is as large as `offset`; 0 makes one.
    Append,
}

#[derive(Serialize)]
struct Told {
    path: String,
    /// How large the file is now.
    size: u64,
}

/// Writes it; what is told to be written is on the disk.
pub(super) fn write(policy: &Policy, call: &Call) -> Answer {
    let asked: Asked = call::read(call)?;
    let bytes = bytes(&asked)?;
    let failed = |error: Error| fault::of(&asked.path, &error);
    let size = match (asked.mode, asked.offset) {
        (Mode::Append, None) => {
            let words = "`append` takes an `offset`: how large the file is before, 0 for a new one";
            return Err(Fault::new(code::BAD_INPUT, words));
        }
        (Mode::Append, Some(offset)) => append(policy, &asked.path, offset, &bytes)?,
        (Mode::Create, _) => {
            let place = place::find(policy, "fs.write", &asked.path, Last::Itself)?;
            let (folder, name) = folder_of(&place, &asked.path)?;
            let mut file = folder
                .open_with(name, OpenOptions::new().write(true).create_new(true))
                .map_err(failed)?
                .into_std();
            if let Err(error) = filled(&mut file, &bytes) {
                // Half a file is none.
                let _ = folder.remove_file(name);
                return Err(failed(error));
            }
            kept(&folder).map_err(failed)?;
            bytes.len() as u64
        }
        (Mode::Replace, _) => {
            let place = place::find(policy, "fs.write", &asked.path, Last::Itself)?;
            let (folder, name) = folder_of(&place, &asked.path)?;
            replace(&folder, name, &asked.path, &bytes)?;
            bytes.len() as u64
        }
    };
    told(&Told { path: asked.path, size })
}

fn bytes(asked: &Asked) -> Result<Vec<u8>, Fault> {
    let bad = |words: String| Fault::new(code::BAD_INPUT, words);
    let bytes = match asked.encoding {
        None | Some(Encoding::Utf8) => asked.content.clone().into_bytes(),
        Some(Encoding::Base64) => BASE64
            .decode(asked.content.as_bytes())
            .map_err(|error| bad(format!("`content` is no Base64 with padding: {error}")))?,
    };
    if bytes.len() > LARGEST_PIECE {
        return Err(bad(format!("`content` is more than {LARGEST_PIECE} bytes; add the rest with `append`")));
    }
    Ok(bytes)
}

/// The folder in which the file is or will be, opened, and its name there.
fn folder_of<'a>(place: &'a Place, path: &str) -> Result<(Dir, &'a OsStr), Fault> {
    let name = place.rest.file_name().ok_or_else(|| fault::kind(path, "is a folder"))?;
    let parent =
        place.rest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = place.root.open_dir(parent).map_err(|error| fault::of(path, &error))?;
    Ok((folder, name))
}

fn replace(folder: &Dir, name: &OsStr, path: &str, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |error: Error| fault::of(path, &error);
    let old = folder.symlink_metadata(name);
    let permissions = match old {
        Ok(of) if of.is_dir() => return Err(fault::kind(path, "is a folder")),
        // A link is replaced, and what it leads to stays. Never kept: to run as somebody else.
        Ok(of) if of.is_file() => Some(of.mode() & 0o777),
        Ok(of) if of.file_type().is_symlink() => None,
        Ok(_) => return Err(fault::kind(path, "is no ordinary file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| failed(Error::other(error.to_string())))?;
    let new = format!(".argus-{}", HEXLOWER.encode(&random));
    let opened = folder.open_with(&new, OpenOptions::new().write(true).create_new(true));
    let mut file = opened.map_err(failed)?.into_std();
    let done = filled(&mut file, bytes)
        .and_then(|()| permissions.map_or(Ok(()), |own| file.set_permissions(Permissions::from_mode(own))))
        .and_then(|()| folder.rename(&new, folder, name));
    if let Err(error) = done {
        let _ = folder.remove_file(&new);
        return Err(failed(error));
    }
    kept(folder).map_err(failed)
}

fn append(policy: &Policy, path: &str, offset: u64, bytes: &[u8]) -> Result<u64, Fault> {
    let failed = |error: Error| fault::of(path, &error);
    let place = place::find(policy, "fs.write", path, Last::Followed)?;
    let mut options = OpenOptions::new();
    options.append(true).create(offset == 0);
    let mut file = place.file(path, policy, &mut options)?;
    // Two at once would both find the size they expect.
    let alone = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    if alone.is_err() {
        return Err(Fault { code: code::BUSY.into(), ..fault::kind(path, "is being written to; try again") });
    }
    let size = file.metadata().map_err(failed)?.len();
    if size != offset {
        return Err(fault::kind(path, &format!("has {size} bytes, and `offset` says {offset}")));
    }
    if let Err(error) = filled(&mut file, bytes) {
        // What was added in part is taken back, so that the same call can be made again.
        let _ = file.set_len(offset);
        return Err(failed(error));
    }
    if offset == 0 {
        let (folder, _) = folder_of(&place, path)?;
        kept(&folder).map_err(failed)?;
    }
    Ok(size + bytes.len() as u64)
}

fn filled(file: &mut File, bytes: &[u8]) -> Result<(), Error> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// The folder's entry is on the disk too.
fn kept(folder: &Dir) -> Result<(), Error> {
    // What a folder is opened with to find files in it cannot be written to the disk.
    folder.open(".")?.sync_all()
}
