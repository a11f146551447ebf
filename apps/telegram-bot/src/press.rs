//! A press of a button under one of our messages.

use argus_protocol::argus::chat::Press;
use serde::Deserialize;
use serde_json::Value;

use crate::around::Sender;
use crate::message::Place;
use crate::update::{Me, Reading};

#[derive(Deserialize)]
struct Pressed {
    id: String,
    from: Sender,
    /// Where the button is; of an old message only the chat and the id.
    message: Option<Value>,
    data: Option<String>,
}

#[derive(Deserialize)]
struct Under {
    message_id: i64,
    #[serde(flatten)]
    place: Place,
}

/// Reads a press. One that stands for nothing of ours is still to be answered, or the button shows that it waits.
pub(crate) fn read(value: &Value, me: &Me, key: String) -> Reading {
    let Ok(pressed) = Pressed::deserialize(value) else { return Reading::Nothing("not readable") };
    let under = pressed.message.and_then(|message| Under::deserialize(message).ok());
    let (Some(under), Some(data)) = (under, pressed.data) else { return Reading::Vain(pressed.id) };
    let (Some(chat_kind), Some(chat_key)) = (under.place.kind(), under.place.key()) else {
        return Reading::Vain(pressed.id);
    };
    let press = Press {
        channel: "telegram".to_owned(),
        bot: me.id.to_string(),
        chat_key,
        chat_kind,
        user: pressed.from.user(),
        message_id: under.message_id.to_string(),
        data,
        idempotency_key: key,
    };
    Reading::Press(Box::new(press), pressed.id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::update::Reading;
    use crate::update::tests::{reading, told};

    #[test]
    fn a_press_names_the_button_its_message_and_who_pressed() {
        let ann = json!({ "id": 9, "is_bot": false, "first_name": "Ann", "language_code": "zh" });
        let chat = json!({ "id": -100, "type": "supergroup" });
        let message = json!({ "message_id": 5, "date": 0, "chat": chat, "message_thread_id": 8, "is_topic_message": true });
        let query =
            json!({ "id": "q1", "from": ann, "message": message, "chat_instance": "c", "data": "a:1" });
        let expected = json!({
            "channel": "telegram", "bot": "42", "chatKey": "-100:8", "chatKind": "group",
            "user": { "id": "9", "name": "Ann", "language": "zh" }, "messageId": "5", "data": "a:1",
            "idempotencyKey": "telegram:42:7",
        });
        assert_eq!(told(reading(json!({ "callback_query": query }))), Some(expected));
        for vain in [
            json!({ "id": "q1", "from": ann, "inline_message_id": "i", "data": "a:1" }),
            json!({ "id": "q1", "from": ann, "message": message, "game_short_name": "g" }),
        ] {
            let reading = reading(json!({ "callback_query": vain }));
            assert!(matches!(&reading, Reading::Vain(id) if id == "q1"), "{reading:?}");
        }
    }
}
