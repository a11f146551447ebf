//! `argus/chat/receive`: a channel hands over one message of a person, or tells that a chat has another
//! key. Answered once it is durable.

use serde::{Deserialize, Serialize};

use crate::ids::ChatKey;

/// The method's name.
pub const RECEIVE: &str = "argus/chat/receive";

/// Its parameters.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receive {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel: for Telegram its numeric id.
    pub bot: String,
    /// The chat inside the channel.
    pub chat_key: ChatKey,
    /// Private or not.
    pub chat_kind: ChatKind,
    /// Who wrote.
    pub user: User,
    /// The channel's id of the message.
    pub message_id: String,
    /// The text; may be empty when there are attachments only.
    #[serde(default)]
    pub text: String,
    /// What came with it, as the channel names it (`photo`, `voice`, …).
    #[serde(default)]
    pub attachments: Vec<String>,
    /// The message it answers.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// Names this very message: the same key again has no second effect.
    pub idempotency_key: String,
}

/// `argus/chat/moved`: a channel gave a chat another key. Answered once it is durable; again, it changes nothing.
pub const MOVED: &str = "argus/chat/moved";

/// Its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// The key it had.
    pub from: ChatKey,
    /// The key it has.
    pub to: ChatKey,
}

/// What kind of chat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChatKind {
    /// One person and the bot.
    Private,
    /// Several people.
    Group,
}

/// A person, as the channel knows them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The channel's id.
    pub id: String,
    /// How they call themselves.
    #[serde(default)]
    pub name: String,
    /// Their language as an IETF tag, where the channel tells.
    #[serde(default)]
    pub language: Option<String>,
}

/// Its result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Received {
    /// Always true.
    pub ok: bool,
    /// What became of the message.
    pub disposition: Disposition,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Disposition {
    /// A submission: the agent will answer.
    Submitted,
    /// The gateway answers itself (a command, a refusal, a pairing).
    Answered,
    /// Nothing to do.
    Ignored,
    /// Its idempotency key was seen before.
    Repeated,
}
