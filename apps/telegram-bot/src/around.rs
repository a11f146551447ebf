//! What a message refers to: the one it answers, and whose words it passes on.

use argus_protocol::argus::chat::Replied;
use serde::Deserialize;
use serde_json::Value;

/// Most bytes of a text that is answered.
const QUOTED: usize = 4096;
/// Most bytes of a name.
const NAME: usize = 200;

/// Who wrote.
#[derive(Deserialize)]
pub(crate) struct Sender {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) is_bot: bool,
    #[serde(default)]
    pub(crate) first_name: String,
    pub(crate) last_name: Option<String>,
    pub(crate) language_code: Option<String>,
}

impl Sender {
    pub(crate) fn name(&self) -> String {
        let parts = [Some(self.first_name.as_str()), self.last_name.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// The message that this one answers. In a topic, a message that answers none refers to the one that opened the topic.
pub(crate) fn replied(message: &Value, me: u64) -> Option<Replied> {
    let quote = message["quote"]["text"].as_str().filter(|quote| !quote.is_empty());
    let id = |answered: &Value| answered["message_id"].as_i64().map(|id| id.to_string());
    if let Some(answered) = message["reply_to_message"].as_object().map(|_| &message["reply_to_message"]) {
        if !answered["forum_topic_created"].is_null() {
            return None;
        }
        let said = ["text", "caption"].into_iter().find_map(|name| answered[name].as_str());
        return Some(Replied {
            message_id: id(answered)?,
            ours: answered["from"]["id"].as_u64() == Some(me),
            name: bounded(&name_of(&answered["from"]), NAME),
            text: bounded(quote.or(said).unwrap_or_default(), QUOTED),
        });
    }
    // One in another chat: only what was quoted of it is told.
    let elsewhere = message.get("external_reply").filter(|elsewhere| elsewhere.is_object())?;
    Some(Replied {
        message_id: id(elsewhere)?,
        ours: false,
        name: origin(&elsewhere["origin"]).unwrap_or_default(),
        text: bounded(quote?, QUOTED),
    })
}

/// A line that says whose words a message passes on.
pub(crate) fn forwarded(message: &Value) -> Option<String> {
    let from = message.get("forward_origin").filter(|origin| origin.is_object())?;
    Some(origin(from).map_or_else(|| "[forwarded]".to_owned(), |name| format!("[forwarded from {name}]")))
}

fn origin(origin: &Value) -> Option<String> {
    let name = match origin["type"].as_str()? {
        "user" => name_of(&origin["sender_user"]),
        "hidden_user" => origin["sender_user_name"].as_str().unwrap_or_default().to_owned(),
        "chat" => name_of(&origin["sender_chat"]),
        "channel" => name_of(&origin["chat"]),
        _ => String::new(),
    };
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then(|| bounded(&name, NAME))
}

/// How a person, a chat or a contact is called.
pub(crate) fn name_of(who: &Value) -> String {
    let names = ["title", "first_name", "last_name"].into_iter().filter_map(|name| who[name].as_str());
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text, or as much of it as `most` bytes hold, with a sign where something is left out.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_carries_what_it_answers_or_the_part_that_was_quoted() {
        let answered =
            json!({ "message_id": 3, "from": { "id": 9, "first_name": "Ann" }, "caption": "a long story" });
        let mut message = json!({ "reply_to_message": answered });
        let expected = |text: &str| {
            Some(Replied {
                message_id: "3".to_owned(),
                ours: false,
                name: "Ann".to_owned(),
                text: text.to_owned(),
            })
        };
        assert_eq!(replied(&message, 42), expected("a long story"));
        message["quote"] = json!({ "text": "long", "position": 2 });
        assert_eq!(replied(&message, 42), expected("long"));
        message["reply_to_message"]["from"]["id"] = json!(42);
        assert!(replied(&message, 42).unwrap().ours);
        let elsewhere = json!({ "quote": { "text": "so" }, "external_reply": { "message_id": 5,
            "origin": { "type": "channel", "chat": { "title": "News" } } } });
        let told = replied(&elsewhere, 42).unwrap();
        assert_eq!((told.name.as_str(), told.text.as_str()), ("News", "so"));
        assert_eq!(replied(&json!({ "external_reply": { "message_id": 5 } }), 42), None);
        let long = json!({ "reply_to_message": { "message_id": 3, "text": "好".repeat(5000) } });
        assert!(replied(&long, 42).unwrap().text.len() <= QUOTED);
    }

    #[test]
    fn what_is_passed_on_names_where_it_is_from() {
        for (origin, line) in [
            (
                json!({ "type": "user", "sender_user": { "first_name": "Ann", "last_name": "Lee" } }),
                "[forwarded from Ann Lee]",
            ),
            (json!({ "type": "hidden_user", "sender_user_name": "Bob\nX" }), "[forwarded from Bob X]"),
            (json!({ "type": "chat", "sender_chat": { "title": "Team" } }), "[forwarded from Team]"),
            (json!({ "type": "channel", "chat": { "title": "News" } }), "[forwarded from News]"),
            (json!({ "type": "of_tomorrow" }), "[forwarded]"),
        ] {
            assert_eq!(forwarded(&json!({ "forward_origin": origin })).as_deref(), Some(line));
        }
        assert_eq!(forwarded(&json!({})), None);
    }
}
