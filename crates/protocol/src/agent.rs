//! The words of `codex app-server` that the gateway itself says or reads. Everything else passes unread.
//!
//! Source: the schema printed by `codex app-server generate-json-schema`, v2 of the protocol.

mod experimental;
mod items;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

pub use experimental::{EXPERIMENTAL, is_experimental};
pub use items::{ChangedFile, ItemRef, StartedItem, StartedNotice, TokenUsage, Tokens, UsageNotice, Words};

/// Method names.
pub mod method {
    /// Once per connection, before anything else.
    pub const INITIALIZE: &str = "initialize";
    /// Notification after [`INITIALIZE`].
    pub const INITIALIZED: &str = "initialized";
    /// Who is logged in at the model provider.
    pub const ACCOUNT_READ: &str = "account/read";
    /// A new thread.
    pub const THREAD_START: &str = "thread/start";
    /// Loads a thread that has at least one turn.
    pub const THREAD_RESUME: &str = "thread/resume";
    /// Starts a turn, or steers the one that runs.
    pub const TURN_START: &str = "turn/start";
    /// Tells the turn that runs something more.
    pub const TURN_STEER: &str = "turn/steer";
    /// Ends a turn early.
    pub const TURN_INTERRUPT: &str = "turn/interrupt";
    /// Notification: a turn runs.
    pub const TURN_STARTED: &str = "turn/started";
    /// Notification: a turn ended.
    pub const TURN_COMPLETED: &str = "turn/completed";
    /// Notification: an item begins.
    pub const ITEM_STARTED: &str = "item/started";
    /// Notification: an item is complete.
    pub const ITEM_COMPLETED: &str = "item/completed";
    /// Notification: more text of an answer.
    pub const AGENT_MESSAGE_DELTA: &str = "item/agentMessage/delta";
    /// Notification: more of the summary of what the agent thinks.
    pub const SUMMARY_DELTA: &str = "item/reasoning/summaryTextDelta";
    /// Notification: another part of that summary begins.
    pub const SUMMARY_PART: &str = "item/reasoning/summaryPartAdded";
    /// Notification: how many tokens a thread has taken.
    pub const TOKEN_USAGE: &str = "thread/tokenUsage/updated";
    /// Notification: something went wrong, perhaps to be tried again.
    pub const ERROR: &str = "error";
    /// Notification: a thread was loaded.
    pub const THREAD_STARTED: &str = "thread/started";
    /// Notification: a thread was unloaded.
    pub const THREAD_CLOSED: &str = "thread/closed";
    /// Notification only for clients that asked for experimental ones.
    pub const READ_STATE_CHANGED: &str = "thread/readState/changed";
    /// Notification: a server request has its answer or needs none any more.
    pub const SERVER_REQUEST_RESOLVED: &str = "serverRequest/resolved";
    /// Server request that the gateway answers itself.
    pub const CURRENT_TIME_READ: &str = "currentTime/read";
    /// Server request: may this command run?
    pub const APPROVE_COMMAND: &str = "item/commandExecution/requestApproval";
    /// Server request: may these files change?
    pub const APPROVE_FILE_CHANGE: &str = "item/fileChange/requestApproval";
    /// Server request: may more be touched than the sandbox allows?
    pub const APPROVE_PERMISSIONS: &str = "item/permissions/requestApproval";
    /// Server request: what [`APPROVE_COMMAND`] was in the first version of the protocol.
    pub const APPROVE_COMMAND_V1: &str = "execCommandApproval";
    /// Server request: what [`APPROVE_FILE_CHANGE`] was in the first version of the protocol.
    pub const APPROVE_PATCH_V1: &str = "applyPatchApproval";
    /// Server request: the agent asks the person something.
    pub const USER_INPUT: &str = "item/tool/requestUserInput";
    /// Server request: an MCP server asks for input.
    pub const ELICITATION: &str = "mcpServer/elicitation/request";
}

/// The routing members that notifications and requests about turns carry.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Route<'a> {
    /// `threadId`.
    #[serde(borrow, deserialize_with = "borrowed")]
    pub thread_id: Option<Cow<'a, str>>,
    /// `turnId`.
    #[serde(borrow, deserialize_with = "borrowed")]
    pub turn_id: Option<Cow<'a, str>>,
    /// `turn`, of `turn/started` and `turn/completed`.
    #[serde(borrow)]
    pub turn: Option<Turn<'a>>,
    /// `thread`, of `thread/started`.
    pub thread: Option<ThreadRef>,
}

/// Text that is not copied where it has no escapes; by itself serde copies one that may be absent.
fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(input: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Text<'_>>::deserialize(input)?.map(|text| text.0))
}

impl Route<'_> {
    /// The turn's id, wherever it stands.
    pub fn turn(&self) -> Option<&str> {
        self.turn_id.as_deref().or_else(|| self.turn.as_ref().map(|turn| turn.id.as_ref()))
    }
}

/// A turn as notifications show it.
#[derive(Debug, Deserialize)]
pub struct Turn<'a> {
    /// `id`.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// `completed`, `interrupted`, `failed` or `inProgress`.
    #[serde(borrow, default)]
    pub status: Cow<'a, str>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<TurnError>,
    /// Its items as far as this frame carries them.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// Why a turn failed, for a person.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnError {
    /// In words.
    #[serde(default)]
    pub message: String,
}

/// `params` of the `error` notification.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorNotice {
    /// What went wrong.
    pub error: TurnError,
    /// Whether the agent tries again by itself.
    #[serde(default)]
    pub will_retry: bool,
}

/// `params` of [`method::AGENT_MESSAGE_DELTA`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta<'a> {
    /// The item that grows.
    #[serde(borrow, default)]
    pub item_id: Cow<'a, str>,
    /// The new text.
    #[serde(borrow)]
    pub delta: Cow<'a, str>,
}

/// `params` of [`method::ITEM_COMPLETED`].
#[derive(Debug, Deserialize)]
pub struct ItemNotice {
    /// The item.
    pub item: Item,
}

/// An item, as far as it concerns us.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// `agentMessage`, `commandExecution`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The text of an `agentMessage`.
    #[serde(default)]
    pub text: Option<String>,
    /// `commentary` or `final_answer`; may be absent.
    #[serde(default)]
    pub phase: Option<String>,
}

/// `thread` in replies and notifications.
#[derive(Debug, Deserialize)]
pub struct ThreadRef {
    /// `id`.
    pub id: String,
}

/// `turn` in the reply to `turn/start`.
#[derive(Debug, Deserialize)]
pub struct TurnRef {
    /// `id`.
    pub id: String,
}

/// Reply to `thread/start`, `thread/resume` and `thread/fork`.
#[derive(Debug, Deserialize)]
pub struct ThreadReply {
    /// The thread.
    pub thread: ThreadRef,
}

/// Reply to `turn/start`.
#[derive(Debug, Deserialize)]
pub struct TurnReply {
    /// The turn that runs.
    pub turn: TurnRef,
}

/// Reply to `turn/steer`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SteerReply {
    /// The turn that was told.
    pub turn_id: String,
}

/// Reply to `account/read`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReply {
    /// Who is logged in.
    #[serde(default)]
    pub account: Option<serde_json::Value>,
    /// Whether the model provider asks for a login at all.
    #[serde(default)]
    pub requires_openai_auth: bool,
}

/// Words in the agent's error when another process holds a thread.
pub const ACTIVE_WRITER: &str = "active writer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_notice_is_read_whole_and_leniently() {
        let text = r#"{"threadId":"t","turn":{"id":"u","status":"failed","error":{"message":"no","extra":1},"items":[{"type":"agentMessage","text":"hi","phase":null}]},"emittedAtMs":1}"#;
        let route: Route<'_> = serde_json::from_str(text).unwrap();
        let turn = route.turn.as_ref().unwrap();
        assert_eq!((route.thread_id.as_deref(), route.turn()), (Some("t"), Some("u")));
        assert!(matches!(route.thread_id, Some(Cow::Borrowed(_))));
        assert_eq!((turn.status.as_ref(), turn.error.as_ref().unwrap().message.as_str()), ("failed", "no"));
        assert_eq!(turn.items[0].text.as_deref(), Some("hi"));
    }
}
