//! What the agent says of its work within a turn: items that begin, thoughts, tokens.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// `params` of `item/started`, the item as it is written.
#[derive(Debug, Deserialize)]
pub struct StartedNotice<'a> {
    /// The whole item, JSON text.
    #[serde(borrow)]
    pub item: &'a RawValue,
}

/// An item that begins, as far as it can be shown.
#[derive(Debug, Deserialize)]
pub struct StartedItem<'a> {
    /// `commandExecution`, `fileChange`, …
    #[serde(rename = "type", borrow, default)]
    pub kind: Cow<'a, str>,
    /// Its id.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
    /// Of a `commandExecution`.
    #[serde(default)]
    pub command: Option<Words>,
    /// Of a `fileChange`.
    #[serde(default)]
    pub changes: Vec<ChangedFile>,
    /// Of a `webSearch`.
    #[serde(default)]
    pub query: Option<String>,
    /// Of a `mcpToolCall`: whose tool it is.
    #[serde(default)]
    pub server: Option<String>,
    /// Of a `dynamicToolCall`: whose tool it is.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Of a tool's call.
    #[serde(default)]
    pub tool: Option<String>,
}

/// A command as one text or word by word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// As a shell reads it.
    Text(String),
    /// As a program is started with it.
    List(Vec<String>),
}

/// One file of a `fileChange`.
#[derive(Debug, Deserialize)]
pub struct ChangedFile {
    /// Which.
    #[serde(default)]
    pub path: String,
}

/// Parameters that name an item.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemRef<'a> {
    /// Its id.
    #[serde(borrow)]
    pub item_id: Cow<'a, str>,
}

/// `params` of `thread/tokenUsage/updated`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageNotice {
    /// The counts.
    pub token_usage: TokenUsage,
}

/// Tokens of a thread.
#[derive(Debug, Deserialize)]
pub struct TokenUsage {
    /// Since the thread began.
    pub total: Tokens,
    /// Of the newest request to the model.
    pub last: Tokens,
}

/// Counted tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tokens {
    /// Read, with those from the cache.
    pub input_tokens: u64,
    /// Of these from the cache.
    pub cached_input_tokens: u64,
    /// Written, with those of reasoning.
    pub output_tokens: u64,
}
