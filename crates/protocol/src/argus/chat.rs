//! `argus/chat/*`: what a channel's adapter hands over: messages of people, presses of buttons, chats with another key.
//! Each is answered once it is durable.

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
    /// The files that came with it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// What came with it and cannot be handed over, as the channel names it (`poll`, `dice`, …).
    #[serde(default)]
    pub unsupported: Vec<String>,
    /// The message it answers.
    #[serde(default)]
    pub reply_to: Option<Replied>,
    /// The album it is a part of: messages with the same one are one message.
    #[serde(default)]
    pub album: Option<String>,
    /// What role it has in the chat.
    #[serde(default)]
    pub manner: Manner,
    /// Names this very message: the same key again has no second effect.
    pub idempotency_key: String,
}

/// A file that came with a message. Its bytes are fetched by the gateway when they are needed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// What it is to the person who sent it.
    pub kind: AttachmentKind,
    /// By what the channel gives it out: for Telegram the `file_id`.
    pub source: String,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its media type, where the channel tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Its size in bytes, where the channel tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What a file is to the person who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AttachmentKind {
    /// A picture to look at.
    Photo,
    /// Spoken into the phone.
    Voice,
    /// Music or a recording.
    Audio,
    /// A film, an animation, a round video.
    Video,
    /// Any file.
    Document,
}

/// The message that one answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replied {
    /// The channel's id of it.
    pub message_id: String,
    /// Whether it is one of ours.
    #[serde(default)]
    pub ours: bool,
    /// Who wrote it, where that is known.
    #[serde(default)]
    pub name: String,
    /// What it says, or the part of it that was quoted; may be empty.
    #[serde(default)]
    pub text: String,
}

/// What role a message has in its chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Manner {
    /// It is said to us.
    #[default]
    Addressed,
    /// It was said to us before and has another text now.
    Edited,
    /// It is said to others in a chat that we are in.
    Overheard,
}

/// `argus/chat/press`: somebody pressed a button under one of our messages. Answered with [`Pressed`].
pub const PRESS: &str = "argus/chat/press";

/// Its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Press {
    /// `telegram`.
    pub channel: String,
    /// Which bot of the channel.
    pub bot: String,
    /// The chat of the message.
    pub chat_key: ChatKey,
    /// Private or not.
    pub chat_kind: ChatKind,
    /// Who pressed.
    pub user: User,
    /// The channel's id of the message with the button.
    pub message_id: String,
    /// What the button stands for, as it was sent with the message.
    pub data: String,
    /// Names this very press: the same key again has no second effect.
    pub idempotency_key: String,
}

/// What the person who pressed is to see at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pressed {
    /// Always true.
    pub ok: bool,
    /// A short line, at most 200 characters.
    #[serde(default)]
    pub notice: Option<String>,
    /// Whether it has to be seen: it stays until it is dismissed.
    #[serde(default)]
    pub alert: bool,
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
