//! What of a Telegram update concerns the gateway.
//!
//! Updates are read here, and not by teloxide's types: those turn a message with anything newer than themselves in it
//! (an unknown entity, say) into an empty one, and its text would be lost.

use argus_protocol::argus::chat::{Manner, Moved, Press, Receive};
use serde::Deserialize;
use serde_json::Value;

use crate::config::Groups;
use crate::{member, message, press};

/// The kinds of updates that are asked for.
pub(crate) const KINDS: [&str; 4] = ["message", "edited_message", "callback_query", "my_chat_member"];

/// One update, read only so far that nothing inside it can make it unreadable.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Update {
    #[serde(rename = "update_id")]
    pub(crate) id: i64,
    #[serde(default)]
    message: Option<Value>,
    #[serde(default)]
    edited_message: Option<Value>,
    #[serde(default)]
    callback_query: Option<Value>,
    #[serde(default)]
    my_chat_member: Option<Value>,
}

/// Who we are to Telegram, and whom we hear.
#[derive(Clone, Debug)]
pub(crate) struct Me {
    /// The bot's account number.
    pub(crate) id: u64,
    /// Its user name, without `@`.
    pub(crate) username: String,
    /// What is heard in groups.
    pub(crate) groups: Groups,
}

impl Me {
    /// Names an update to the gateway.
    pub(crate) fn key_of(&self, update: i64) -> String {
        format!("telegram:{}:{update}", self.id)
    }
}

/// What an update is to us.
#[derive(Debug)]
pub(crate) enum Reading {
    /// A person says something.
    Message(Box<Receive>),
    /// A person pressed a button; the press is to be answered under that name.
    Press(Box<Press>, String),
    /// A press of that name which stands for nothing; it is answered only so that the person does not wait.
    Vain(String),
    /// A group became a supergroup, which has another id.
    Moved(Moved),
    /// Somebody changed what we are in a chat; in words.
    Standing(String),
    /// Nothing for the gateway, and why.
    Nothing(&'static str),
}

/// Reads an update for the gateway.
pub(crate) fn read(update: &Update, me: &Me) -> Reading {
    let key = me.key_of(update.id);
    if let Some(value) = &update.message {
        return message::read(value, Manner::Addressed, me, key);
    }
    if let Some(value) = &update.edited_message {
        return message::read(value, Manner::Edited, me, key);
    }
    if let Some(value) = &update.callback_query {
        return press::read(value, me, key);
    }
    match &update.my_chat_member {
        Some(value) => member::read(value),
        None => Reading::Nothing("of no kind that is asked for"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::GroupMode;

    /// What is read of an update made of these parts, in a group where mentions are needed and nothing is overheard.
    pub(crate) fn reading(parts: Value) -> Reading {
        reading_with(parts, Groups::default())
    }

    /// The same with other ears.
    pub(crate) fn reading_with(mut parts: Value, groups: Groups) -> Reading {
        parts["update_id"] = json!(7);
        let me = Me { id: 42, username: "argus_bot".to_owned(), groups };
        read(&serde_json::from_value(parts).unwrap(), &me)
    }

    /// What the gateway is told of it.
    pub(crate) fn told(reading: Reading) -> Option<Value> {
        match reading {
            Reading::Message(receive) => Some(serde_json::to_value(receive).unwrap()),
            Reading::Press(press, _) => Some(serde_json::to_value(press).unwrap()),
            Reading::Moved(moved) => Some(serde_json::to_value(moved).unwrap()),
            Reading::Vain(_) | Reading::Standing(_) | Reading::Nothing(_) => None,
        }
    }

    #[test]
    fn what_nobody_knows_is_left_alone() {
        for parts in [
            json!({}),
            json!({ "of_tomorrow": { "x": 1 } }),
            json!({ "message": "a text" }),
            json!({ "message": { "message_id": "not a number" } }),
            json!({ "edited_message": 7 }),
            json!({ "channel_post": { "message_id": 1, "chat": { "id": -1, "type": "channel" }, "text": "x" } }),
        ] {
            assert!(matches!(reading(parts.clone()), Reading::Nothing(_)), "{parts}");
        }
        let all = Groups { mode: GroupMode::All, ..Groups::default() };
        assert!(matches!(reading_with(json!({ "message": [] }), all), Reading::Nothing(_)));
    }
}
