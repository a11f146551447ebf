//! The Bot API as the gateway uses it: say something, and be seen typing. What people write comes from elsewhere.

mod chat_id;
mod error;

use std::time::Duration;

use argus_protocol::ChatKey;
use argus_protocol::token::Secret;
use teloxide_core::Bot;
use teloxide_core::payloads::{SendChatActionSetters as _, SendMessageSetters as _};
use teloxide_core::requests::Requester as _;
use teloxide_core::types::{ChatAction, LinkPreviewOptions, ParseMode};

pub use self::chat_id::ChatId;
pub use self::error::{SendError, TokenError};

/// The name of this channel.
pub const CHANNEL: &str = "telegram";

/// How long a call may take. The library itself rests 10 s after a status of 500 and above, within this.
const LIMIT: Duration = Duration::from_secs(30);

/// One bot of Telegram. It holds the token, which its `Debug` does not show.
#[derive(Clone)]
pub struct Telegram {
    bot: Bot,
    id: String,
}

/// A text in one of the forms Telegram takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// With Telegram's HTML.
    Html(&'a str),
    /// As it stands.
    Plain(&'a str),
}

impl Telegram {
    /// The bot with that token at that Bot API.
    pub fn new(token: &Secret, api_url: &url::Url) -> Result<Self, TokenError> {
        Self::with_limit(token, api_url, LIMIT)
    }

    /// [`Telegram::new`] whose calls take at most `limit`.
    pub fn with_limit(token: &Secret, api_url: &url::Url, limit: Duration) -> Result<Self, TokenError> {
        let id = token.reveal().split_once(':').map_or("", |(id, _)| id);
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TokenError::Form);
        }
        if api_url.cannot_be_a_base() {
            return Err(TokenError::Url(api_url.to_string()));
        }
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5).min(limit))
            .timeout(limit)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| TokenError::Client(error.to_string()))?;
        let bot = Bot::with_client(token.reveal(), client).set_api_url(api_url.clone());
        Ok(Self { bot, id: id.to_owned() })
    }

    /// The number before the `:` of the token: the bot's own id.
    pub fn bot_id(&self) -> &str {
        &self.id
    }

    /// Sends a text, without previews of its links, and answers the message's id.
    pub async fn send(&self, chat: &ChatKey, text: Text<'_>) -> Result<String, SendError> {
        let to = ChatId::of_key(chat)?;
        let (body, parse_mode) = match text {
            Text::Html(html) => (html, Some(ParseMode::Html)),
            Text::Plain(plain) => (plain, None),
        };
        let previews = LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        };
        let mut request = self.bot.send_message(to.chat(), body).link_preview_options(previews);
        request.parse_mode = parse_mode;
        request.message_thread_id = to.topic_to_write_in();
        match request.await {
            Ok(message) => Ok(message.id.0.to_string()),
            Err(error) => error::accepted(&error).ok_or_else(|| error::judge(error)),
        }
    }

    /// Shows "typing…" for about five seconds, or until a message comes.
    pub async fn typing(&self, chat: &ChatKey) -> Result<(), SendError> {
        let to = ChatId::of_key(chat)?;
        let mut request = self.bot.send_chat_action(to.chat(), ChatAction::Typing);
        if let Some(topic) = to.topic_to_act_in() {
            request = request.message_thread_id(topic);
        }
        request.await.map(|_| ()).map_err(error::judge)
    }
}

impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
