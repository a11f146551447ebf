//! `argus/message/send`: text and files for a chat, from whoever speaks for a session.

use serde::{Deserialize, Serialize};

use super::input::Source;

/// The method's name.
pub const SEND: &str = "argus/message/send";

/// Its parameters. It says a text, files, or both.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Send {
    /// Markdown; before the files.
    #[serde(default)]
    pub text: Option<String>,
    /// Files of the session's workspace; several photos and videos become an album.
    #[serde(default)]
    pub files: Vec<SendFile>,
    /// To which chat; absent: the chat that the session spoke with last.
    #[serde(default)]
    pub to: Option<Source>,
    /// The same key again sends nothing again.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// On `POST /rpc`: which session.
    #[serde(default)]
    pub session_id: Option<String>,
}

/// A file to send.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendFile {
    /// Where it is: within the session's workspace, or by its whole path there as the agent sees it.
    pub path: String,
    /// As what; absent: by the ending of its name.
    #[serde(default)]
    pub kind: Option<SendKind>,
    /// What is said below it, as Markdown.
    #[serde(default)]
    pub caption: Option<String>,
}

/// As what a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SendKind {
    /// A picture to look at.
    Photo,
    /// A film.
    Video,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A file as it is.
    Document,
}

/// Its result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Always true: what is to be sent is durable.
    pub ok: bool,
    /// How many messages that makes; 0 where the key was seen before.
    pub messages: usize,
}
