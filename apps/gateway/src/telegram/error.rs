//! What Telegram's refusals mean for a message.

use std::error::Error as _;

use teloxide_core::{ApiError, RequestError};

/// Why there is no bot.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is not one.
    #[error("the bot token must look like `123456:ABC…`; @BotFather shows it")]
    Form,
    /// The API's address cannot be extended by a path.
    #[error("`{0}` cannot be the address of a Bot API")]
    Url(String),
    /// There is no HTTP client.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many messages: try again after that many seconds.
    #[error("too many messages: try again in {0} s")]
    RetryAfter(u32),
    /// The network or Telegram itself is in trouble; it may pass. The message may have been taken all the same.
    #[error("Telegram could not be reached: {0}")]
    Transient(String),
    /// The mark-up is not understood.
    #[error("the mark-up is refused: {0}")]
    BadEntities(String),
    /// The text is over the limit.
    #[error("the text is too long")]
    TooLong,
    /// The group became a supergroup, which is a chat of its own.
    #[error("the group became the supergroup {0}")]
    Moved(i64),
    /// Nothing can be said in this chat any more.
    #[error("the chat cannot be written to: {0}")]
    ChatGone(String),
    /// The message says that already.
    #[error("the message says that already")]
    NotModified,
    /// The message that is meant is not there, or cannot be changed any more.
    #[error("the message cannot be changed: {0}")]
    NoSuchMessage(String),
    /// The token is refused.
    #[error("the bot token is refused: set TELEGRAM_BOT_TOKEN to the one that @BotFather shows")]
    Unauthorized,
    /// Anything else; the same message would be refused again.
    #[error("Telegram refuses the message: {0}")]
    Other(String),
}

/// The message's id, when Telegram did take it and only the answer was not understood.
pub(super) fn accepted(error: &RequestError) -> Option<String> {
    let RequestError::InvalidJson { raw, .. } = error else { return None };
    let answer: serde_json::Value = serde_json::from_str(raw).ok()?;
    if answer.get("ok")? != true {
        return None;
    }
    let result = answer.get("result")?;
    // An album is several; its first one stands for it.
    let message = result.get(0).unwrap_or(result);
    Some(message.get("message_id")?.as_i64()?.to_string())
}

pub(super) fn judge(error: RequestError) -> SendError {
    match error {
        RequestError::Api(error) => judge_refusal(&error),
        RequestError::RetryAfter(seconds) => SendError::RetryAfter(seconds.seconds()),
        RequestError::MigrateToChatId(id) => SendError::Moved(id.0),
        // The library has taken the token out of the address.
        RequestError::Network(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                text = format!("{text}: {inner}");
                cause = inner.source();
            }
            SendError::Transient(text)
        }
        RequestError::InvalidJson { .. } => SendError::Transient("its answer is not JSON".to_owned()),
        RequestError::Io(error) => SendError::Transient(error.to_string()),
    }
}

fn judge_refusal(error: &ApiError) -> SendError {
    let text = match error {
        ApiError::Unknown(text) => text.clone(),
        known => known.to_string(),
    };
    match error {
        ApiError::InvalidToken => SendError::Unauthorized,
        ApiError::CantParseEntities(_) => SendError::BadEntities(text),
        ApiError::MessageIsTooLong | ApiError::EditedMessageIsTooLong => SendError::TooLong,
        ApiError::MessageNotModified => SendError::NotModified,
        ApiError::MessageToEditNotFound
        | ApiError::MessageCantBeEdited
        | ApiError::MessageIdInvalid
        | ApiError::MessageToDeleteNotFound
        | ApiError::MessageCantBeDeleted => SendError::NoSuchMessage(text),
        ApiError::BotBlocked
        | ApiError::BotKicked
        | ApiError::BotKickedFromSupergroup
        | ApiError::BotKickedFromChannel
        | ApiError::UserDeactivated
        | ApiError::GroupDeactivated
        | ApiError::ChatNotFound
        | ApiError::UserNotFound
        | ApiError::CantInitiateConversation
        | ApiError::CantTalkWithBots
        | ApiError::NotEnoughRightsToPostMessages => SendError::ChatGone(text),
        _ => judge_words(text),
    }
}

/// What a group may forbid while it takes texts, as its refusals begin to call it.
const FILES: [&str; 8] = ["photo", "video", "document", "audio", "music", "voice", "animation", "media"];

/// Refusals the library has no name for, by their words.
pub(super) fn judge_words(text: String) -> SendError {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if let Some(seconds) = lower.strip_prefix("too many requests") {
        let digits: String = seconds.chars().filter(char::is_ascii_digit).collect();
        return SendError::RetryAfter(digits.parse().unwrap_or(5));
    }
    if has(&["message is too long", "message_too_long", "caption is too long"]) {
        return SendError::TooLong;
    }
    if has(&["message is not modified", "message_not_modified"]) {
        return SendError::NotModified;
    }
    if has(&["message to edit", "message to delete", "message can't be", "message_id_invalid"]) {
        return SendError::NoSuchMessage(text);
    }
    if has(&["entit", "can't parse", "unsupported start tag"]) {
        return SendError::BadEntities(text);
    }
    // Such a group takes texts all the same.
    if FILES.iter().any(|kind| has(&[&format!("rights to send {kind}")])) {
        return SendError::Other(text);
    }
    let gone = lower.starts_with("forbidden")
        || has(&[
            "chat not found",
            "chat was deleted",
            "kicked",
            "not a member",
            "no rights to send",
            "not enough rights to send",
            "chat_write_forbidden",
            "peer_id_invalid",
            "thread not found",
            "topic_deleted",
            "topic_closed",
            "upgraded to a supergroup",
        ]);
    if gone {
        return SendError::ChatGone(text);
    }
    let passing =
        has(&["internal server error", "bad gateway", "gateway timeout", "service unavailable", "timed out"]);
    if passing || lower.starts_with("internal") {
        return SendError::Transient(text);
    }
    if lower.starts_with("unauthorized") {
        return SendError::Unauthorized;
    }
    SendError::Other(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(description: &str) -> SendError {
        let error: ApiError = serde_json::from_value(serde_json::json!(description)).unwrap();
        judge(RequestError::Api(error))
    }

    #[test]
    fn each_refusal_means_one_thing() {
        let gone = |text: &str| SendError::ChatGone(text.to_owned());
        for text in [
            "Forbidden: bot was blocked by the user",
            "Forbidden: bot was kicked from the group chat",
            "Forbidden: bot is not a member of the supergroup chat",
            "Forbidden: user is deactivated",
            "Bad Request: chat not found",
            "Bad Request: group chat was upgraded to a supergroup chat",
            "Bad Request: message thread not found",
            "Bad Request: not enough rights to send text messages to the chat",
        ] {
            assert_eq!(said(text), gone(text));
        }
        let entities = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0";
        assert_eq!(said(entities), SendError::BadEntities(entities.to_owned()));
        assert_eq!(said("Bad Request: message is too long"), SendError::TooLong);
        assert_eq!(said("Unauthorized"), SendError::Unauthorized);
        assert_eq!(said("Not Found"), SendError::Unauthorized);
        assert_eq!(said("Too Many Requests: retry after 7"), SendError::RetryAfter(7));
        assert_eq!(said("Internal Server Error"), SendError::Transient("Internal Server Error".to_owned()));
        assert_eq!(said("Bad Request: MESSAGE_NOT_MODIFIED"), SendError::NotModified);
        let modified = "Bad Request: message is not modified: specified new message content and reply markup are exactly \
                        the same as a current content and reply markup of the message";
        assert_eq!(said(modified), SendError::NotModified);
        for text in [
            "Bad Request: message to edit not found",
            "Bad Request: message can't be edited",
            "Bad Request: message can't be deleted for everyone",
        ] {
            assert_eq!(said(text), SendError::NoSuchMessage(text.to_owned()));
        }
        for other in [
            "Bad Request: something new",
            "Bad Request: not enough rights to send photos to the chat",
            "Bad Request: not enough rights to send voice notes to the chat",
        ] {
            assert_eq!(said(other), SendError::Other(other.to_owned()));
        }
    }

    #[test]
    fn a_message_that_was_taken_counts_even_if_the_answer_is_strange() {
        let strange = |raw: &str| RequestError::InvalidJson {
            source: std::sync::Arc::new(serde_json::from_str::<bool>("x").unwrap_err()),
            raw: raw.into(),
        };
        let taken = strange(r#"{"ok":true,"result":{"message_id":12,"chat":{"type":"new kind"}}}"#);
        assert_eq!(accepted(&taken), Some("12".to_owned()));
        let album = strange(r#"{"ok":true,"result":[{"message_id":12,"x":1},{"message_id":13}]}"#);
        assert_eq!(accepted(&album), Some("12".to_owned()));
        assert_eq!(accepted(&strange(r#"{"ok":false,"result":{"message_id":12}}"#)), None);
        assert_eq!(accepted(&strange("<html>502</html>")), None);
    }
}
