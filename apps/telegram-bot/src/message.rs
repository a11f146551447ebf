//! What of a Telegram update concerns the gateway.
//!
//! Updates are read here, and not by teloxide's types: those turn a message with anything newer than themselves in it
//! (an unknown entity, say) into an empty one, and its text would be lost.

use argus_protocol::argus::chat::{ChatKind, Manner, Moved, Receive, Replied, User};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::addressed;

/// One update, read only so far that nothing inside it can make it unreadable.
#[derive(Debug, Deserialize)]
pub(crate) struct Update {
    #[serde(rename = "update_id")]
    pub(crate) id: i64,
    #[serde(default)]
    message: Option<Value>,
}

/// Who we are to Telegram.
#[derive(Clone, Debug)]
pub(crate) struct Me {
    /// The bot's account number.
    pub(crate) id: u64,
    /// Its user name, without `@`.
    pub(crate) username: String,
}

/// What an update is to us.
#[derive(Debug)]
pub(crate) enum Reading {
    /// A person says something.
    Message(Box<Receive>),
    /// A group became a supergroup, which has another id.
    Moved(Moved),
    /// Nothing for the gateway, and why.
    Nothing(&'static str),
}

/// Content of messages by the names Telegram gives it. What is in no message's content (somebody joined, a pinned
/// message, a payment …) is a service message.
const CONTENT: [&str; 17] = [
    "photo",
    "voice",
    "document",
    "audio",
    "video",
    "video_note",
    "animation",
    "sticker",
    "location",
    "venue",
    "contact",
    "poll",
    "dice",
    "game",
    "story",
    "paid_media",
    "checklist",
];

#[derive(Deserialize)]
struct Written {
    message_id: i64,
    chat: Chat,
    from: Option<Sender>,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
    text: Option<String>,
    caption: Option<String>,
    reply_to_message: Option<Answered>,
    /// In a group: the supergroup it became.
    migrate_to_chat_id: Option<i64>,
    /// In a supergroup: the group it was.
    migrate_from_chat_id: Option<i64>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Sender {
    id: u64,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    first_name: String,
    last_name: Option<String>,
    language_code: Option<String>,
}

#[derive(Deserialize)]
struct Answered {
    message_id: i64,
    from: Option<Sender>,
    forum_topic_created: Option<IgnoredAny>,
}

/// Reads an update for the gateway.
pub(crate) fn read(update: &Update, me: &Me) -> Reading {
    let Some(value) = &update.message else { return Reading::Nothing("no message") };
    let Ok(message) = Written::deserialize(value) else { return Reading::Nothing("not readable") };
    let chat_kind = match message.chat.kind.as_str() {
        "private" => ChatKind::Private,
        "group" | "supergroup" => ChatKind::Group,
        _ => return Reading::Nothing("not a chat of people"),
    };
    let ids = match (message.migrate_to_chat_id, message.migrate_from_chat_id) {
        (Some(to), _) => Some((message.chat.id, to)),
        (None, Some(from)) => Some((from, message.chat.id)),
        (None, None) => None,
    };
    if let Some((from, to)) = ids {
        return moved(from, to, me);
    }
    let Some(from) = message.from else { return Reading::Nothing("from nobody") };
    if from.is_bot {
        return Reading::Nothing("from a bot");
    }
    let text = message.text.or(message.caption).unwrap_or_default();
    let attachments = attachments(value);
    if text.is_empty() && attachments.is_empty() {
        return Reading::Nothing("a service message");
    }
    // In a topic, a message that answers none refers to the one that opened the topic.
    let answered = message.reply_to_message.filter(|answered| answered.forum_topic_created.is_none());
    let text = match chat_kind {
        ChatKind::Private => addressed::in_private(&text, &me.username),
        ChatKind::Group => {
            let author = answered.as_ref().and_then(|answered| answered.from.as_ref());
            let answers_us = author.is_some_and(|author| author.id == me.id);
            let Some(text) = addressed::in_group(&text, &me.username, answers_us) else {
                return Reading::Nothing("not meant for the bot");
            };
            text
        }
    };
    let chat_key = match message.message_thread_id.filter(|_| message.is_topic_message) {
        Some(topic) => format!("{}:{topic}", message.chat.id),
        None => message.chat.id.to_string(),
    };
    let Ok(chat_key) = chat_key.parse() else { return Reading::Nothing("not readable") };
    Reading::Message(Box::new(Receive {
        channel: "telegram".to_owned(),
        bot: me.id.to_string(),
        chat_key,
        chat_kind,
        user: User {
            id: from.id.to_string(),
            name: [Some(from.first_name), from.last_name].into_iter().flatten().collect::<Vec<_>>().join(" "),
            language: from.language_code,
        },
        message_id: message.message_id.to_string(),
        text,
        attachments: Vec::new(),
        unsupported: attachments,
        reply_to: answered.map(|answered| Replied {
            message_id: answered.message_id.to_string(),
            ours: answered.from.is_some_and(|author| author.id == me.id),
            name: String::new(),
            text: String::new(),
        }),
        album: None,
        manner: Manner::Addressed,
        idempotency_key: format!("telegram:{}:{}", me.id, update.id),
    }))
}

fn moved(from: i64, to: i64, me: &Me) -> Reading {
    let (Ok(from), Ok(to)) = (from.to_string().parse(), to.to_string().parse()) else {
        return Reading::Nothing("not readable");
    };
    Reading::Moved(Moved { channel: "telegram".to_owned(), bot: me.id.to_string(), from, to })
}

/// The kinds of content. An animation also comes as a document, a venue also as a location: these are named once.
fn attachments(message: &Value) -> Vec<String> {
    let has = |kind: &str| message.get(kind).is_some_and(|content| !content.is_null());
    let kinds = CONTENT.into_iter().filter(|kind| {
        has(kind) && !(*kind == "document" && has("animation")) && !(*kind == "location" && has("venue"))
    });
    kinds.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_message(message: Value) -> Option<Value> {
        let update = Update { id: 7, message: Some(message) };
        let me = Me { id: 42, username: "argus_bot".to_owned() };
        match read(&update, &me) {
            Reading::Message(receive) => Some(serde_json::to_value(receive).unwrap()),
            Reading::Moved(moved) => Some(serde_json::to_value(moved).unwrap()),
            Reading::Nothing(_) => None,
        }
    }

    fn group(parts: &Value) -> Value {
        let mut message = json!({ "message_id": 5, "date": 0, "chat": { "id": -100, "type": "supergroup" },
            "from": { "id": 9, "is_bot": false, "first_name": "Ann" } });
        message.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        message
    }

    #[test]
    fn a_private_message_is_handed_over_whole() {
        let read = read_message(json!({
            "message_id": 5, "date": 0, "chat": { "id": 9, "type": "private" },
            "from": { "id": 9, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "language_code": "zh-hans" },
            "text": "hello", "reply_to_message": { "message_id": 3 },
            // Newer than any library knows.
            "entities": [{ "type": "of_tomorrow", "offset": 0, "length": 5 }],
        }));
        let expected = json!({
            "channel": "telegram", "bot": "42", "chatKey": "9", "chatKind": "private",
            "user": { "id": "9", "name": "Ann Lee", "language": "zh-hans" },
            "messageId": "5", "text": "hello", "attachments": [], "replyTo": "3",
            "idempotencyKey": "telegram:42:7",
        });
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn a_topic_is_part_of_the_chat_and_its_opening_is_no_message_to_answer() {
        let opening = json!({ "message_id": 8, "from": { "id": 42, "is_bot": true, "first_name": "Argus" },
            "forum_topic_created": { "name": "t", "icon_color": 1 } });
        let parts = json!({ "message_thread_id": 8, "is_topic_message": true, "reply_to_message": opening });
        let mut message = group(&parts);
        message["text"] = json!("hello");
        assert_eq!(read_message(message.clone()), None);
        message["text"] = json!("@argus_bot hello");
        let read = read_message(message).unwrap();
        assert_eq!(
            (&read["chatKey"], &read["text"], &read["replyTo"]),
            (&json!("-100:8"), &json!("hello"), &Value::Null)
        );
    }

    #[test]
    fn a_thread_of_answers_outside_a_forum_is_no_topic() {
        let answered =
            json!({ "message_id": 8, "from": { "id": 42, "is_bot": true, "first_name": "Argus" } });
        let read = read_message(group(
            &json!({ "message_thread_id": 8, "text": "and?", "reply_to_message": answered }),
        ));
        let read = read.unwrap();
        assert_eq!((&read["chatKey"], &read["replyTo"]), (&json!("-100"), &json!("8")));
    }

    #[test]
    fn a_group_that_becomes_a_supergroup_is_told_from_both_ends() {
        let moved = json!({ "channel": "telegram", "bot": "42", "from": "-5", "to": "-100" });
        let anonymous = json!({ "id": 1, "is_bot": true, "first_name": "Group" });
        let new = json!({ "migrate_from_chat_id": -5, "from": anonymous });
        let old = json!({ "migrate_to_chat_id": -100, "from": null, "chat": { "id": -5, "type": "group" } });
        assert_eq!(read_message(group(&new)), Some(moved.clone()));
        assert_eq!(read_message(group(&old)), Some(moved));
    }

    #[test]
    fn attachments_are_named_once_and_captions_are_text() {
        let read = read_message(group(&json!({
            "caption": "@argus_bot see", "animation": { "file_id": "a" }, "document": { "file_id": "a" },
        })));
        let read = read.unwrap();
        assert_eq!((&read["text"], &read["attachments"]), (&json!("see"), &json!(["animation"])));
    }

    #[test]
    fn what_no_person_says_to_the_bot_is_left_alone() {
        let bot = json!({ "id": 1, "is_bot": true, "first_name": "B" });
        for parts in [
            json!({ "text": "hi all" }),
            json!({ "text": "@argus_bot hi", "from": bot }),
            json!({ "text": "@argus_bot hi", "from": null }),
            json!({ "text": "@argus_bot hi", "chat": { "id": -1, "type": "channel" } }),
            json!({ "new_chat_title": "x" }),
            json!({ "pinned_message": { "message_id": 1 } }),
            json!({ "photo": [] }),
            json!({ "message_id": "not a number", "text": "/stop" }),
        ] {
            assert_eq!(read_message(group(&parts)), None, "{parts}");
        }
    }
}
