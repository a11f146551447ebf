//! `fs.read`: a piece of a file.

use std::io::{Read, Seek, SeekFrom};

use argus_protocol::node::{Fault, code};
use cap_std::fs::OpenOptions;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::place::Last;
use super::{LARGEST_PIECE, fault, place};
use crate::call::{self, Answer, Call, told};
use crate::policy::Policy;

/// How much is read where the caller does not say it.
const USUAL_PIECE: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    path: String,
    #[serde(default)]
    offset: u64,
    length: Option<usize>,
    encoding: Option<Encoding>,
}

/// How bytes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    /// As the text they are.
    Utf8,
    /// As Base64 with padding.
    Base64,
}

#[derive(Serialize)]
struct Told {
    path: String,
    /// Where the piece begins, and how many bytes of the file it is.
    offset: u64,
    bytes: usize,
    /// The whole file's size now.
    size: u64,
    /// Where to go on; none: this was the end.
    next: Option<u64>,
    encoding: Encoding,
    content: String,
}

/// Reads it.
pub(super) fn read(policy: &Policy, call: &Call) -> Answer {
    let asked: Asked = call::read(call)?;
    let length = asked.length.unwrap_or(USUAL_PIECE);
    if !(1..=LARGEST_PIECE).contains(&length) {
        return Err(Fault::new(code::BAD_INPUT, format!("`length` is 1 to {LARGEST_PIECE}")));
    }
    let failed = |error: std::io::Error| fault::of(&asked.path, &error);
    let place = place::find(policy, "fs.read", &asked.path, Last::Followed)?;
    let mut file = place.file(&asked.path, policy, OpenOptions::new().read(true))?;
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(asked.offset)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes).map_err(failed)?;
    let more = bytes.len() == length;
    let (encoding, content) = written(&mut bytes, asked.encoding, &asked.path)?;
    let next = more.then(|| asked.offset.saturating_add(bytes.len() as u64));
    told(&Told { path: asked.path, offset: asked.offset, bytes: bytes.len(), size, next, encoding, content })
}

/// As text where it is text: a character that the piece's end cuts is left for the next piece.
fn written(bytes: &mut Vec<u8>, wanted: Option<Encoding>, path: &str) -> Result<(Encoding, String), Fault> {
    if wanted == Some(Encoding::Base64) {
        return Ok((Encoding::Base64, BASE64.encode(bytes)));
    }
    if let Err(error) = std::str::from_utf8(bytes)
        && error.error_len().is_none()
        && error.valid_up_to() > 0
    {
        bytes.truncate(error.valid_up_to());
    }
    match (std::str::from_utf8(bytes), wanted) {
        (Ok(text), _) => Ok((Encoding::Utf8, text.to_owned())),
        (Err(_), None) => Ok((Encoding::Base64, BASE64.encode(bytes))),
        (Err(_), Some(_)) => Err(fault::kind(path, "is no UTF-8 here; ask for `encoding` `base64`")),
    }
}
