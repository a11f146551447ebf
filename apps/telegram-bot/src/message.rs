//! A message of a person as the gateway takes it.

use argus_protocol::ChatKey;
use argus_protocol::argus::chat::{ChatKind, Manner, Moved, Receive, User};
use serde::Deserialize;
use serde_json::Value;

use crate::addressed;
use crate::around::{self, Sender};
use crate::config::GroupMode;
use crate::content::Content;
use crate::update::{Me, Reading};

#[derive(Deserialize)]
struct Written {
    message_id: i64,
    #[serde(flatten)]
    place: Place,
    from: Option<Sender>,
    text: Option<String>,
    caption: Option<String>,
    media_group_id: Option<String>,
    /// In a group: the supergroup it became.
    migrate_to_chat_id: Option<i64>,
    /// In a supergroup: the group it was.
    migrate_from_chat_id: Option<i64>,
}

/// Where a message is.
#[derive(Deserialize)]
pub(crate) struct Place {
    chat: Chat,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

impl Place {
    /// Private or not; `None` for what is no chat of people.
    pub(crate) fn kind(&self) -> Option<ChatKind> {
        match self.chat.kind.as_str() {
            "private" => Some(ChatKind::Private),
            "group" | "supergroup" => Some(ChatKind::Group),
            _ => None,
        }
    }

    /// The chat, with its topic where it has one.
    pub(crate) fn key(&self) -> Option<ChatKey> {
        let key = match self.message_thread_id.filter(|_| self.is_topic_message) {
            Some(topic) => format!("{}:{topic}", self.chat.id),
            None => self.chat.id.to_string(),
        };
        key.parse().ok()
    }
}

/// Reads a message that is new (`Addressed`) or has another text now (`Edited`).
pub(crate) fn read(value: &Value, manner: Manner, me: &Me, key: String) -> Reading {
    let Ok(message) = Written::deserialize(value) else { return Reading::Nothing("not readable") };
    let Some(chat_kind) = message.place.kind() else { return Reading::Nothing("not a chat of people") };
    let ids = match (message.migrate_to_chat_id, message.migrate_from_chat_id) {
        (Some(to), _) => Some((message.place.chat.id, to)),
        (None, Some(from)) => Some((from, message.place.chat.id)),
        (None, None) => None,
    };
    if let Some((from, to)) = ids {
        return moved(from, to, me);
    }
    let Some(from) = message.from else { return Reading::Nothing("from nobody") };
    if from.is_bot {
        return Reading::Nothing("from a bot");
    }
    if value["is_automatic_forward"] == true {
        return Reading::Nothing("a channel's post in its group");
    }
    let mut content = Content::of(value);
    if manner == Manner::Edited && content.moves() {
        return Reading::Nothing("a live location that moves on");
    }
    let words = message.text.or(message.caption).unwrap_or_default();
    if words.is_empty() && content.is_empty() {
        return Reading::Nothing("a service message");
    }
    let reply_to = around::replied(value, me.id);
    let heard = match chat_kind {
        ChatKind::Private => Some(addressed::in_private(&words, &me.username)),
        ChatKind::Group => {
            let called = me.groups.mode == GroupMode::All
                || reply_to.as_ref().is_some_and(|replied| replied.ours)
                || names(value, me.id);
            addressed::in_group(&words, &me.username, called)
        }
    };
    let (words, manner) = match heard {
        Some(words) => (words, manner),
        None if manner == Manner::Edited => return Reading::Nothing("an edit not meant for the bot"),
        // Only all parts of an album together tell whether it is meant for us.
        None if message.media_group_id.is_some() => (words, Manner::Overheard),
        None if me.groups.overhears => {
            content.leave_files();
            (words, Manner::Overheard)
        }
        None => return Reading::Nothing("not meant for the bot"),
    };
    let text = [around::forwarded(value), Some(words), Some(content.lines.join("\n"))];
    let text = text.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    if manner == Manner::Overheard && text.is_empty() && content.attachments.is_empty() {
        return Reading::Nothing("not meant for the bot, and without words");
    }
    let Some(chat_key) = message.place.key() else { return Reading::Nothing("not readable") };
    Reading::Message(Box::new(Receive {
        channel: "telegram".to_owned(),
        bot: me.id.to_string(),
        chat_key,
        chat_kind,
        user: from.user(),
        message_id: message.message_id.to_string(),
        text,
        attachments: content.attachments,
        unsupported: content.unsupported,
        reply_to,
        album: message.media_group_id,
        manner,
        idempotency_key: key,
    }))
}

impl Sender {
    /// The person for the gateway.
    pub(crate) fn user(self) -> User {
        User { id: self.id.to_string(), name: self.name(), language: self.language_code }
    }
}

/// Whether the text names us without our user name: apps do so for accounts that have none.
fn names(value: &Value, me: u64) -> bool {
    let entities = ["entities", "caption_entities"].into_iter().filter_map(|name| value[name].as_array());
    entities.flatten().any(|one| one["type"] == "text_mention" && one["user"]["id"].as_u64() == Some(me))
}

fn moved(from: i64, to: i64, me: &Me) -> Reading {
    let (Ok(from), Ok(to)) = (from.to_string().parse(), to.to_string().parse()) else {
        return Reading::Nothing("not readable");
    };
    Reading::Moved(Moved { channel: "telegram".to_owned(), bot: me.id.to_string(), from, to })
}

#[cfg(test)]
mod tests;
