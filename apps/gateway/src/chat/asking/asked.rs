//! What an agent asks, read from its request.

use argus_protocol::agent::method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bounds::short;
use super::decide::{self, Choice};
use super::form::{self, Form};

/// A question as it can be put to a chat.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum Asked {
    /// One of several decisions.
    Decide(Decide),
    /// Answers to be given one after the other.
    Fill(Form),
    /// Nothing that a chat can be asked; with the answer that declines it, where its kind has one.
    Unaskable(Option<String>),
}

/// A question that is answered by one decision.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Decide {
    /// What it is about.
    pub(in crate::chat) what: What,
    /// What can be decided, in order.
    pub(in crate::chat) choices: Vec<Choice>,
}

/// What a decision is about.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum What {
    /// A command, or input for one that runs.
    Command {
        command: String,
        cwd: Option<String>,
        reason: Option<String>,
        /// The host that it wants to reach, where that is what is asked.
        host: Option<String>,
        /// What it wants to touch beyond its sandbox.
        beyond: Vec<String>,
        /// Whether it is typed into a command that runs.
        input: bool,
        /// What commands begin with that "always" allows.
        prefix: Option<String>,
    },
    /// Changes of files.
    Files { changes: Vec<Change>, root: Option<String>, reason: Option<String> },
    /// More than the sandbox allows.
    Permissions { beyond: Vec<String>, cwd: Option<String>, reason: Option<String> },
    /// A page to go to.
    Link { server: String, message: String, url: String },
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::chat) struct Change {
    pub(in crate::chat) path: String,
    pub(in crate::chat) kind: Kind,
    pub(in crate::chat) diff: String,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Kind {
    Add,
    Delete,
    Update,
}

impl Kind {
    fn of(word: &str) -> Self {
        match word {
            "add" => Self::Add,
            "delete" => Self::Delete,
            _ => Self::Update,
        }
    }
}

/// The members of all kinds of requests that are read here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Params {
    pub(super) command: Option<Value>,
    cwd: Option<String>,
    reason: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) available_decisions: Option<Vec<Value>>,
    pub(super) proposed_execpolicy_amendment: Option<Vec<String>>,
    pub(super) proposed_network_policy_amendments: Option<Vec<Value>>,
    network_approval_context: Option<Network>,
    additional_permissions: Option<Value>,
    grant_root: Option<String>,
    pub(super) permissions: Option<Value>,
    file_changes: Option<Map<String, Value>>,
    pub(super) questions: Vec<form::UserQuestion>,
    pub(super) server_name: String,
    mode: String,
    pub(super) message: String,
    pub(super) requested_schema: Option<Value>,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Network {
    host: String,
    #[serde(default)]
    protocol: String,
}

/// Reads a request. Whatever it holds, this answers.
pub(in crate::chat) fn read(name: &str, params: &str, item: Option<&str>) -> Asked {
    let Ok(params) = serde_json::from_str::<Params>(params) else { return Asked::Unaskable(declined(name)) };
    let asked = match name {
        method::APPROVE_COMMAND | method::APPROVE_COMMAND_V1 => command(name, params, item),
        method::APPROVE_FILE_CHANGE | method::APPROVE_PATCH_V1 => Some(files(name, params, item)),
        method::APPROVE_PERMISSIONS => permissions(params),
        method::USER_INPUT => form::of_questions(params.questions).map(Asked::Fill),
        method::ELICITATION if params.mode == "url" => Some(link(params)),
        method::ELICITATION if matches!(params.mode.as_str(), "form" | "openai/form" | "openaiForm") => {
            form::of_schema(&params).map(Asked::Fill)
        }
        _ => None,
    };
    asked.unwrap_or_else(|| Asked::Unaskable(declined(name)))
}

/// The answer that declines a request of that kind, where it has one.
pub(super) fn declined(name: &str) -> Option<String> {
    let answer = match name {
        method::APPROVE_COMMAND | method::APPROVE_FILE_CHANGE => json!({ "decision": "decline" }),
        method::APPROVE_COMMAND_V1 | method::APPROVE_PATCH_V1 => json!({ "decision": "denied" }),
        method::APPROVE_PERMISSIONS => json!({ "permissions": {}, "scope": "turn" }),
        method::USER_INPUT => json!({ "answers": {} }),
        method::ELICITATION => json!({ "action": "decline" }),
        _ => return None,
    };
    Some(answer.to_string())
}

fn command(name: &str, params: Params, item: Option<&str>) -> Option<Asked> {
    let input = params.kind.as_deref() == Some("writeStdin");
    let command = match &params.command {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            shell_words::join(words)
        }
        _ => of_item(item, "command")?,
    };
    let choices = match name {
        method::APPROVE_COMMAND_V1 => decide::in_the_first_words(),
        _ => decide::of_command(&params),
    };
    // Of several offers a button stands for the first.
    let prefix = choices.iter().find_map(|choice| decide::prefix(choice.result.get("decision")?));
    let what = What::Command {
        command,
        cwd: params.cwd,
        reason: params.reason,
        host: params.network_approval_context.map(|network| match network.protocol.as_str() {
            "" => short(&network.host),
            protocol => short(&format!("{protocol}://{}", network.host)),
        }),
        beyond: params.additional_permissions.as_ref().map(beyond).unwrap_or_default(),
        input,
        prefix: prefix.map(shell_words::join),
    };
    Some(Asked::Decide(Decide { what, choices }))
}

fn of_item(item: Option<&str>, member: &str) -> Option<String> {
    let item: Value = serde_json::from_str(item?).ok()?;
    item.get(member)?.as_str().map(str::to_owned)
}

fn files(name: &str, params: Params, item: Option<&str>) -> Asked {
    let (changes, choices) = match name {
        method::APPROVE_PATCH_V1 => {
            let changes = params.file_changes.unwrap_or_default();
            let changes = changes.into_iter().map(|(path, change)| {
                let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default();
                let diff =
                    if text("unified_diff").is_empty() { text("content") } else { text("unified_diff") };
                Change { path, kind: Kind::of(text("type")), diff: diff.to_owned() }
            });
            (changes.collect(), decide::in_the_first_words())
        }
        _ => (changes_of_item(item), decide::of_files()),
    };
    let what = What::Files { changes, root: params.grant_root, reason: params.reason };
    Asked::Decide(Decide { what, choices })
}

fn changes_of_item(item: Option<&str>) -> Vec<Change> {
    #[derive(Deserialize)]
    struct Item {
        #[serde(default)]
        changes: Vec<Value>,
    }
    let item = item.and_then(|item| serde_json::from_str::<Item>(item).ok());
    let changes = item.map(|item| item.changes).unwrap_or_default();
    let one = |change: Value| {
        let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = change.get("kind").and_then(|kind| kind.get("type").unwrap_or(kind).as_str());
        Change { path: text("path"), kind: Kind::of(kind.unwrap_or_default()), diff: text("diff") }
    };
    changes.into_iter().map(one).collect()
}

fn permissions(params: Params) -> Option<Asked> {
    let asked = params.permissions.filter(Value::is_object)?;
    let choices = decide::of_permissions(&asked);
    let what = What::Permissions { beyond: beyond(&asked), cwd: params.cwd, reason: params.reason };
    Some(Asked::Decide(Decide { what, choices }))
}

fn link(params: Params) -> Asked {
    let what = What::Link { server: short(&params.server_name), message: params.message, url: params.url };
    Asked::Decide(Decide { what, choices: decide::of_link() })
}

/// What a permission profile opens, one thing a line.
fn beyond(profile: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if profile.pointer("/network/enabled").and_then(Value::as_bool) == Some(true) {
        lines.push("network".to_owned());
    }
    let Some(files) = profile.get("fileSystem") else { return lines };
    let entries = files.get("entries").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let access = entry.get("access").and_then(Value::as_str).unwrap_or("?");
        lines.push(format!("{access} {}", place(entry.get("path").unwrap_or(&Value::Null))));
    }
    // The older form says the same again where both are there.
    if entries.is_none_or(Vec::is_empty) {
        for access in ["read", "write"] {
            let paths = files.get(access).and_then(Value::as_array).into_iter().flatten();
            lines.extend(paths.filter_map(Value::as_str).map(|path| format!("{access} {path}")));
        }
    }
    lines
}

fn place(path: &Value) -> String {
    let text = |name: &str| path.get(name).and_then(Value::as_str);
    match (text("path").or_else(|| text("pattern")), path.get("value")) {
        (Some(path), _) => path.to_owned(),
        (None, Some(special)) => {
            let kind = special.get("kind").and_then(Value::as_str).unwrap_or("?");
            let below = special.get("path").or_else(|| special.get("subpath")).and_then(Value::as_str);
            below.map_or_else(|| kind.to_owned(), |below| format!("{kind} {below}"))
        }
        (None, None) => path.to_string(),
    }
}
