//! What the bot did, as a test reads it.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::entities::Entity;

/// A message the bot sent, or the new state an edit gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The chat it went to.
    pub chat_id: i64,
    /// The forum topic it went to.
    pub topic: Option<i64>,
    /// Its number in that chat.
    pub message_id: i64,
    /// What a person reads.
    pub text: String,
    /// What the bot wrote, markup included.
    pub raw_text: String,
    /// `HTML`, when one was named.
    pub parse_mode: Option<String>,
    /// What is marked in `text`.
    pub entities: Vec<Entity>,
    /// The message it answers.
    pub reply_to: Option<i64>,
    /// Whether links show a preview.
    pub preview: Preview,
    /// Buttons and the like, as they came.
    pub reply_markup: Option<Value>,
    /// The file it is; its text is what stands below it then.
    pub file: Option<SentFile>,
    /// The album it belongs to.
    pub album: Option<String>,
    /// When it was accepted.
    pub at: Instant,
}

/// A file the bot sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFile {
    /// `photo`, `document`, `voice`, `audio`, `video`, `animation`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

impl Sent {
    /// The buttons below it, row by row: what each shows, and what comes back when it is pressed.
    pub fn buttons(&self) -> Vec<Vec<(String, String)>> {
        let rows = self.reply_markup.as_ref().and_then(|markup| markup["inline_keyboard"].as_array());
        let text = |button: &Value, name: &str| button[name].as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| {
            let buttons = row.as_array().into_iter().flatten();
            buttons.map(|button| (text(button, "text"), text(button, "callback_data"))).collect()
        };
        rows.into_iter().flatten().map(row).collect()
    }
}

/// Whether links in a message show a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// Nothing was said against it.
    Shown,
    /// Switched off.
    Disabled,
}

/// "The bot is typing", told to a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The chat.
    pub chat_id: i64,
    /// The forum topic.
    pub topic: Option<i64>,
    /// `typing` and others.
    pub action: String,
    /// When it was told.
    pub at: Instant,
}

/// A message shown while it is still being written (`sendMessageDraft`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The private chat.
    pub chat_id: i64,
    /// The topic.
    pub topic: Option<i64>,
    /// Which draft; the same number again replaces it.
    pub draft_id: i64,
    /// What a person reads.
    pub text: String,
    /// What is marked in `text`.
    pub entities: Vec<Entity>,
    /// When it was accepted.
    pub at: Instant,
}

/// One `setMyCommands`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// The language it is for; none for all others.
    pub language: Option<String>,
    /// The scope's type, `default` when none was named.
    pub scope: String,
    /// Command and description.
    pub list: Vec<(String, String)>,
}

/// A press of a button that the bot acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The press.
    pub callback_query_id: String,
    /// What the person was shown.
    pub text: Option<String>,
}

/// Any call, accepted or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method in lower case.
    pub method: String,
    /// Its parameters.
    pub params: Map<String, Value>,
    /// When it came.
    pub at: Instant,
}
