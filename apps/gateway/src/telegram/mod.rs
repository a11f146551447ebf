//! The Bot API as the gateway uses it: say something, change it, send files, be seen typing. What people write comes from
//! elsewhere.

mod chat_id;
mod download;
mod draft;
mod error;
mod files;

use std::time::Duration;

use argus_protocol::ChatKey;
use argus_protocol::token::Secret;
use teloxide_core::Bot;
use teloxide_core::payloads::{
    EditMessageTextSetters as _, SendChatActionSetters as _, SendMessageSetters as _,
};
use teloxide_core::requests::Requester as _;
use teloxide_core::types::{
    ChatAction, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageId, ParseMode,
    ReplyMarkup, ReplyParameters,
};

pub use self::chat_id::ChatId;
pub use self::download::{DownloadError, Files};
pub use self::error::{SendError, TokenError};
pub use self::files::{Content, FileKind, OutFile};

/// The name of this channel.
pub const CHANNEL: &str = "telegram";

/// How long a call may take. The library itself rests 10 s after a status of 500 and above, within this.
const LIMIT: Duration = Duration::from_secs(30);
/// The same for files, which may be large and the line thin.
const UPLOAD_LIMIT: Duration = Duration::from_mins(5);

/// One bot of Telegram. It holds the token, which its `Debug` does not show.
#[derive(Clone)]
pub struct Telegram {
    bot: Bot,
    /// The same bot with more time.
    uploads: Bot,
    id: String,
}

/// A message: a text and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it says.
    pub text: Text<'a>,
    /// Rows of buttons: what each shows, and what comes back when it is pressed.
    pub buttons: Vec<Vec<(&'a str, &'a str)>>,
    /// The id of the message that it answers, where that still exists.
    pub reply_to: Option<&'a str>,
}

impl<'a> From<Text<'a>> for Message<'a> {
    fn from(text: Text<'a>) -> Self {
        Self { text, buttons: Vec::new(), reply_to: None }
    }
}

/// A text in one of the forms Telegram takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// With Telegram's HTML.
    Html(&'a str),
    /// As it stands.
    Plain(&'a str),
}

impl<'a> Text<'a> {
    fn parts(self) -> (&'a str, Option<ParseMode>) {
        match self {
            Text::Html(html) => (html, Some(ParseMode::Html)),
            Text::Plain(plain) => (plain, None),
        }
    }
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
        let bot = |limit| {
            let client = client(limit).map_err(|error| TokenError::Client(error.to_string()))?;
            Ok(Bot::with_client(token.reveal(), client).set_api_url(api_url.clone()))
        };
        Ok(Self { bot: bot(limit)?, uploads: bot(limit.max(UPLOAD_LIMIT))?, id: id.to_owned() })
    }

    /// The number before the `:` of the token: the bot's own id.
    pub fn bot_id(&self) -> &str {
        &self.id
    }

    /// Sends a message, without previews of its links, and answers its id.
    pub async fn send<'a>(
        &self,
        chat: &ChatKey,
        message: impl Into<Message<'a>>,
    ) -> Result<String, SendError> {
        let (to, message) = (ChatId::of_key(chat)?, message.into());
        let (body, parse_mode) = message.text.parts();
        let mut request = self.bot.send_message(to.chat(), body).link_preview_options(NO_PREVIEWS);
        request.parse_mode = parse_mode;
        request.message_thread_id = to.topic_to_write_in();
        request.reply_markup = keyboard(&message.buttons).map(ReplyMarkup::InlineKeyboard);
        request.reply_parameters = reply(message.reply_to);
        match request.await {
            Ok(message) => Ok(message.id.0.to_string()),
            Err(error) => error::accepted(&error).ok_or_else(|| error::judge(error)),
        }
    }

    /// Changes a message that was sent: its text and its buttons.
    pub async fn edit<'a>(
        &self,
        chat: &ChatKey,
        message_id: &str,
        message: impl Into<Message<'a>>,
    ) -> Result<(), SendError> {
        let (to, id, message) = (ChatId::of_key(chat)?, message_number(message_id)?, message.into());
        let (body, parse_mode) = message.text.parts();
        let mut request = self.bot.edit_message_text(to.chat(), id, body).link_preview_options(NO_PREVIEWS);
        request.parse_mode = parse_mode;
        request.reply_markup = keyboard(&message.buttons);
        match request.await {
            Ok(_) => Ok(()),
            Err(error) => error::accepted(&error).map(|_| ()).ok_or_else(|| error::judge(error)),
        }
    }

    /// Takes a message back that was sent.
    pub async fn delete(&self, chat: &ChatKey, message_id: &str) -> Result<(), SendError> {
        let (to, id) = (ChatId::of_key(chat)?, message_number(message_id)?);
        self.bot.delete_message(to.chat(), id).await.map(|_| ()).map_err(error::judge)
    }

    /// Takes several back, those that are still there; at most a hundred.
    pub async fn delete_all(&self, chat: &ChatKey, message_ids: &[String]) -> Result<(), SendError> {
        let to = ChatId::of_key(chat)?;
        let ids = message_ids.iter().map(|id| message_number(id)).collect::<Result<Vec<_>, _>>()?;
        self.bot.delete_messages(to.chat(), ids).await.map(|_| ()).map_err(error::judge)
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

const NO_PREVIEWS: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

fn client(limit: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let connect = Duration::from_secs(5).min(limit);
    // The address holds the token, and whoever is followed to another one is told where from.
    let stays = reqwest::redirect::Policy::none();
    reqwest::Client::builder()
        .connect_timeout(connect)
        .timeout(limit)
        .tcp_nodelay(true)
        .redirect(stays)
        .build()
}

fn keyboard(rows: &[Vec<(&str, &str)>]) -> Option<InlineKeyboardMarkup> {
    let button = |(text, data): &(&str, &str)| InlineKeyboardButton::callback(*text, *data);
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(button).collect()).collect();
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
}

/// The answer goes all the same where the message is gone that it answers.
fn reply(to: Option<&str>) -> Option<ReplyParameters> {
    let id = to?.parse().ok()?;
    Some(ReplyParameters::new(MessageId(id)).allow_sending_without_reply())
}

fn message_number(id: &str) -> Result<MessageId, SendError> {
    id.parse().map(MessageId).map_err(|_| SendError::NoSuchMessage(format!("`{id}` is no message id")))
}

impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
