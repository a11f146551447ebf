//! A Telegram chat and the topic in it, from a chat key.

use argus_protocol::ChatKey;
use teloxide_core::types::{MessageId, ThreadId};

use super::SendError;

/// The general topic of a forum. Messages to it must not name it; actions must.
const GENERAL: i32 = 1;

/// `<chatId>` or `<chatId>:<topicId>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChatId {
    chat: i64,
    topic: Option<i32>,
}

impl ChatId {
    /// Reads a key. A topic that is no positive number is left out; a chat that is no number is an error.
    pub fn of_key(key: &ChatKey) -> Result<Self, SendError> {
        let text = key.as_str();
        let (chat, topic) = text.split_once(':').map_or((text, None), |(chat, topic)| (chat, Some(topic)));
        let Some(chat) = chat.trim().parse().ok().filter(|id: &i64| *id != 0) else {
            return Err(SendError::ChatGone(format!(
                "`{text}` is not a Telegram chat: use <chatId> or <chatId>:<topicId>"
            )));
        };
        let topic = topic.and_then(|topic| topic.trim().parse().ok()).filter(|topic: &i32| *topic > 0);
        Ok(Self { chat, topic })
    }

    /// The chat, whatever the topic.
    pub fn number(self) -> i64 {
        self.chat
    }

    /// Whether several people are in it.
    pub fn is_group(self) -> bool {
        self.chat < 0
    }

    pub(super) fn chat(self) -> teloxide_core::types::ChatId {
        teloxide_core::types::ChatId(self.chat)
    }

    pub(super) fn topic_to_write_in(self) -> Option<ThreadId> {
        self.topic.filter(|topic| *topic != GENERAL).map(thread)
    }

    pub(super) fn topic_to_act_in(self) -> Option<ThreadId> {
        self.topic.map(thread)
    }
}

fn thread(topic: i32) -> ThreadId {
    ThreadId(MessageId(topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_a_chat_and_perhaps_a_topic() {
        for (key, chat, topic) in [
            ("42", 42, None),
            ("-100123", -100_123, None),
            ("-100123:7", -100_123, Some(7)),
            ("-100123:1", -100_123, Some(1)),
            ("42:x", 42, None),
            ("42:-3", 42, None),
            ("42:7:9", 42, None),
        ] {
            assert_eq!(ChatId::of_key(&key.parse().unwrap()), Ok(ChatId { chat, topic }), "{key}");
        }
        for bad in ["x", "0", ":7", "@name"] {
            assert!(matches!(ChatId::of_key(&bad.parse().unwrap()), Err(SendError::ChatGone(_))), "{bad}");
        }
    }

    #[test]
    fn the_general_topic_is_named_for_actions_only() {
        let general = ChatId::of_key(&"-5:1".parse().unwrap()).unwrap();
        assert_eq!((general.topic_to_write_in(), general.topic_to_act_in()), (None, Some(thread(1))));
        let other = ChatId::of_key(&"-5:9".parse().unwrap()).unwrap();
        assert_eq!((other.topic_to_write_in(), other.topic_to_act_in()), (Some(thread(9)), Some(thread(9))));
    }
}
