//! A message shown while it is still being written, in private chats (`sendMessageDraft`).

use argus_protocol::ChatKey;
use serde::{Deserialize, Serialize};

use super::{ChatId, SendError, Telegram, Text, error};

/// The library knows no such method yet.
#[derive(Serialize)]
struct Request<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i32>,
    draft_id: i32,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parse_mode: Option<&'static str>,
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
}

impl Telegram {
    /// Shows a text as being written; the same number again changes it. `draft_id` is not 0.
    pub async fn draft(&self, chat: &ChatKey, draft_id: i32, text: Text<'_>) -> Result<(), SendError> {
        let to = ChatId::of_key(chat)?;
        let (text, parse_mode) = match text {
            Text::Html(html) => (html, Some("HTML")),
            Text::Plain(plain) => (plain, None),
        };
        let topic = to.topic_to_write_in().map(|thread| thread.0.0);
        let request = Request { chat_id: to.number(), message_thread_id: topic, draft_id, text, parse_mode };
        let mut url = self.bot.api_url();
        let token = self.bot.token();
        url.path_segments_mut()
            .map_err(|()| SendError::Other("the Bot API's address cannot be extended".to_owned()))?
            .pop_if_empty()
            .extend([&format!("bot{token}"), "SendMessageDraft"]);
        // The address holds the token: it must not be in what is said of a failure.
        let unreached = |error: reqwest::Error| SendError::Transient(error.without_url().to_string());
        let answer = self.bot.client().post(url).json(&request).send().await.map_err(unreached)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(SendError::Transient(format!("it answers with status {}", status.as_u16())));
        }
        let answer: Answer = answer.json().await.map_err(unreached)?;
        let words = answer.description;
        match (answer.ok, answer.error_code, answer.parameters.and_then(|p| p.retry_after)) {
            (true, ..) => Ok(()),
            (_, _, Some(seconds)) => Err(SendError::RetryAfter(seconds)),
            (_, Some(401), _) => Err(SendError::Unauthorized),
            // A Bot API that does not know the method says so.
            (_, Some(404), _) => Err(SendError::Other(words)),
            _ => Err(error::judge_words(words)),
        }
    }
}
