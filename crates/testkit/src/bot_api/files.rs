//! Files that people sent: the bot asks where they are and fetches them.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::params::Params;
use super::reply::Refusal;
use super::state::State;

/// The most a bot may fetch, in bytes.
const LARGEST: usize = 20 * 1024 * 1024;

/// Everything stored, by file id.
#[derive(Debug, Default)]
pub(crate) struct Files {
    kept: HashMap<String, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    path: String,
    bytes: Bytes,
}

impl Files {
    /// Keeps a file, and names it.
    pub(crate) fn store(&mut self, bytes: Bytes) -> String {
        let number = self.kept.len();
        let id = format!("AgACAgIAAxkBAAI{number:06}");
        self.kept.insert(id.clone(), Kept { path: format!("files/file_{number}"), bytes });
        id
    }

    /// Forgets what a file id names, as the service does after a while.
    pub(crate) fn forget(&mut self, id: &str) {
        self.kept.remove(id);
    }

    /// A file by its id.
    pub(crate) fn bytes(&self, id: &str) -> Option<Bytes> {
        self.kept.get(id).map(|kept| kept.bytes.clone())
    }

    /// A file by the path that `getFile` told.
    pub(crate) fn at(&self, path: &str) -> Option<Bytes> {
        self.kept.values().find(|kept| kept.path == path).map(|kept| kept.bytes.clone())
    }
}

/// `getFile`.
pub(super) fn get_file(state: &State, params: &Params) -> Result<Value, Refusal> {
    let id = params.text("file_id").unwrap_or_default();
    let Some(kept) = state.files.kept.get(id) else {
        return Err(Refusal::bad_request("wrong file_id or the file is temporarily unavailable"));
    };
    if kept.bytes.len() > LARGEST {
        return Err(Refusal::bad_request("file is too big"));
    }
    Ok(
        json!({ "file_id": id, "file_unique_id": unique(id), "file_size": kept.bytes.len(), "file_path": kept.path }),
    )
}

/// How a message shows a file of that kind.
pub(super) fn shown(kind: &str, id: &str, name: &str, size: usize) -> Value {
    let mut file = json!({ "file_id": id, "file_unique_id": unique(id), "file_size": size });
    match kind {
        "photo" => {
            file["width"] = json!(640);
            file["height"] = json!(480);
            return json!([file]);
        }
        "video" | "animation" => {
            file["width"] = json!(640);
            file["height"] = json!(480);
            file["duration"] = json!(2);
        }
        "voice" | "audio" => file["duration"] = json!(2),
        _ => {}
    }
    if kind != "voice" {
        file["file_name"] = json!(name);
    }
    file
}

fn unique(id: &str) -> String {
    format!("u{id}")
}
