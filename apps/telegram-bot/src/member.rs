//! What somebody made of us in a chat: blocked, added, taken out. The log tells it; the gateway finds out by itself.

use serde_json::Value;

use crate::update::Reading;

/// Puts it in words.
pub(crate) fn read(value: &Value) -> Reading {
    let (kind, status) = (value["chat"]["type"].as_str(), value["new_chat_member"]["status"].as_str());
    let what = match (kind, status) {
        (Some("private"), Some("kicked")) => "a person blocked the bot",
        (Some("private"), Some("member")) => "a person lets the bot write to them",
        (Some("private") | None, _) | (_, None) => return Reading::Nothing("a standing that says nothing"),
        (Some(_), Some("kicked" | "left")) => "the bot was taken out of a chat",
        (Some(_), Some("restricted")) => "what the bot may do in a chat is restricted",
        (Some(_), Some("administrator")) => "the bot is an administrator of a chat",
        (Some(_), Some(_)) => "the bot is a member of a chat",
    };
    Reading::Standing(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::update::Reading;
    use crate::update::tests::reading;

    #[test]
    fn what_became_of_us_is_told_in_words() {
        let change = |kind: &str, status: &str| {
            reading(
                json!({ "my_chat_member": { "chat": { "id": 1, "type": kind }, "new_chat_member": { "status": status } } }),
            )
        };
        for (kind, status, words) in [
            ("private", "kicked", "a person blocked the bot"),
            ("supergroup", "left", "the bot was taken out of a chat"),
            ("group", "member", "the bot is a member of a chat"),
        ] {
            assert!(matches!(change(kind, status), Reading::Standing(told) if told == words));
        }
        assert!(matches!(reading(json!({ "my_chat_member": {} })), Reading::Nothing(_)));
    }
}
