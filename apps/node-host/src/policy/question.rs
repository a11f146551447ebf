//! What a person is asked before a call is done, and what is noted of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use argus_protocol::node::Ask;
use serde_json::Value;

use super::file::AskBy;
use super::show::{command_line, quoted, shortened, visible};
use super::verdict::Grant;
use crate::call::Call;

/// The longest text of a question in characters.
pub const LONGEST_WHAT: usize = 2000;
/// The longest command line in it, and the longest single argument.
const LONGEST_LINE: usize = 1000;
const LONGEST_ARGUMENT: usize = 400;
/// The longest text of each other kind.
const LONGEST_PART: usize = 200;

/// What the owner is asked. All texts are safe to show: what cannot be seen is written by its number.
#[derive(Clone, Debug)]
pub struct Question {
    /// The call.
    pub id: String,
    /// The command, such as `system.run`.
    pub command: String,
    /// What is to be done: a command line, a path. [`LONGEST_WHAT`] characters at most.
    pub what: String,
    /// The folder in which.
    pub cwd: Option<String>,
    /// The session that asks; none: the gateway's operator.
    pub session_id: Option<String>,
    /// How long the owner has.
    pub wait: Duration,
    /// Where the owner may be asked.
    pub by: Vec<AskBy>,
    /// What a yes permits.
    pub(crate) grant: Grant,
}

impl Question {
    /// The same for the gateway, which asks in the owner's chat.
    pub fn to_ask(&self) -> Ask {
        Ask {
            id: self.id.clone(),
            command: self.command.clone(),
            what: self.what.clone(),
            cwd: self.cwd.clone(),
            session_id: self.session_id.clone(),
            expires_in_ms: u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A command line and what comes with it, for a person.
pub(super) fn run(argv: &[String], program: &Path, env: &BTreeMap<String, String>, params: &Value) -> String {
    let mut lines = vec![shortened(&command_line(argv, LONGEST_ARGUMENT), LONGEST_LINE)];
    lines.push(format!("program: {}", shortened(&quoted(&program.to_string_lossy()), LONGEST_PART)));
    if !env.is_empty() {
        let set = env.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value)));
        let set = set.map(|text| shortened(&text, LONGEST_PART)).collect::<Vec<_>>().join(" ");
        lines.push(format!("environment: {}", shortened(&set, 2 * LONGEST_PART)));
    }
    if let Some(text) = params.get("stdinText").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        let begin = shortened(&quoted(text), LONGEST_PART);
        lines.push(format!("standard input, {} bytes: {begin}", text.len()));
    }
    // What is written to it later is not asked about again.
    if params.get("pty") == Some(&Value::Bool(true))
        || params.get("stdin").is_some_and(|stdin| stdin == "open")
    {
        lines.push("its input stays open: whatever is written to it later is not asked about".to_owned());
    }
    shortened(&lines.join("\n"), LONGEST_WHAT - LONGEST_PART)
}

/// What a file command does, for a person.
pub(super) fn file(command: &str, path: &str, params: &Value) -> String {
    let path = shortened(&quoted(path), LONGEST_LINE);
    let deed = match command {
        "fs.stat" => "look at".to_owned(),
        "fs.list" => "list".to_owned(),
        "fs.read" => "read".to_owned(),
        "fs.write" => {
            let mode = params.get("mode").and_then(Value::as_str).unwrap_or("write");
            format!("{} ", shortened(&visible(mode), LONGEST_PART)).trim_end().to_owned()
        }
        other => visible(other),
    };
    let content = params.get("content").and_then(Value::as_str).filter(|_| command == "fs.write");
    let content = content.map(|text| {
        format!("\nwith {} characters: {}", text.chars().count(), shortened(&quoted(text), 2 * LONGEST_PART))
    });
    format!("{deed} {path}{}", content.unwrap_or_default())
}

/// Any other command, for a person: its parameters.
pub(super) fn other(command: &str, params: &Value) -> String {
    let Some(fields) = params.as_object().filter(|fields| !fields.is_empty()) else {
        return visible(command);
    };
    let told = fields.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| visible(&value.to_string()), quoted);
        format!("{}: {}", visible(name), shortened(&value, 2 * LONGEST_PART))
    });
    shortened(&told.collect::<Vec<_>>().join("\n"), LONGEST_WHAT - LONGEST_PART)
}

/// What the audit notes of a call: the command line or the path; never contents, values of variables or input.
pub fn summary(call: &Call) -> String {
    let params = &call.params;
    let argv = params.get("argv").and_then(Value::as_array);
    let argv = argv.filter(|_| call.command == "system.run").map(|argv| {
        let most =
            argv.iter().take(200).map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
        shortened(&command_line(&most.collect::<Vec<_>>(), LONGEST_PART), 2 * LONGEST_PART)
    });
    if let Some(line) = argv {
        return line;
    }
    let noted = ["bin", "path", "mode", "offset", "length", "jobId", "signal"];
    let told = noted.iter().filter_map(|name| {
        let value = params.get(name)?;
        let value = value.as_str().map_or_else(|| visible(&value.to_string()), quoted);
        Some(format!("{name}={}", shortened(&value, LONGEST_PART)))
    });
    told.collect::<Vec<_>>().join(" ")
}
