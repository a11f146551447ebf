//! One question to Telegram, and what can be wrong with its answer.

use std::time::Duration;

use argus_protocol::argus::channel::ReceiverState;
use argus_protocol::argus::chat::Pressed;
use serde::Serialize;
use teloxide::requests::{JsonRequest, Payload, Request, Requester};
use teloxide::{ApiError, Bot, RequestError};

use crate::config::{BotConfig, BotToken, Pace};
use crate::update::{KINDS, Update};

/// Why Telegram gave no updates; each shows as what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "another program polls with this bot's token: stop it, or give Argus a bot of its own (`@BotFather`)"
    )]
    OtherPoller,
    #[error(
        "a webhook is set for this bot: remove it (Bot API method `deleteWebhook`), or give Argus a bot of its own"
    )]
    Webhook,
    #[error("Telegram refuses the bot token: set `TELEGRAM_BOT_TOKEN` to the one that `@BotFather` shows")]
    Unauthorized,
    #[error("Telegram asks for a pause of {} s", .0.as_secs())]
    Pause(Duration),
    #[error("Telegram cannot be reached: {0}")]
    Unreachable(String),
    #[error("Telegram does not take the webhook; check `TELEGRAM_WEBHOOK_URL`: {0}")]
    HookRefused(String),
    #[error("Telegram cannot bring messages to `TELEGRAM_WEBHOOK_URL`: {0}")]
    Deliveries(String),
}

impl Fault {
    /// How the gateway names it.
    pub(crate) fn state(&self) -> ReceiverState {
        match self {
            Self::OtherPoller | Self::Webhook => ReceiverState::Conflict,
            Self::Unauthorized => ReceiverState::Unauthorized,
            Self::Pause(_) | Self::Unreachable(_) | Self::HookRefused(_) | Self::Deliveries(_) => {
                ReceiverState::Unreachable
            }
        }
    }

    /// How long to leave Telegram alone, `None` for the usual growing wait.
    pub(crate) fn wait(&self, pace: &Pace) -> Option<Duration> {
        match self {
            Self::OtherPoller | Self::Webhook | Self::HookRefused(_) => Some(pace.retry_most),
            Self::Unauthorized => Some(pace.retry_slow),
            Self::Pause(pause) => Some(*pause),
            Self::Unreachable(_) | Self::Deliveries(_) => None,
        }
    }
}

impl From<RequestError> for Fault {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Api(ApiError::InvalidToken) => Self::Unauthorized,
            RequestError::Api(ApiError::TerminatedByOtherGetUpdates) => Self::OtherPoller,
            RequestError::Api(ApiError::CantGetUpdates) => Self::Webhook,
            RequestError::Api(ApiError::Unknown(text)) if text.contains("webhook is active") => Self::Webhook,
            RequestError::Api(ApiError::Unknown(text)) if text.starts_with("Conflict") => Self::OtherPoller,
            RequestError::RetryAfter(seconds) => Self::Pause(seconds.duration()),
            // Its own text would show the whole answer.
            RequestError::InvalidJson { .. } => {
                Self::Unreachable("what answers is not the Bot API (a proxy in between?)".to_owned())
            }
            RequestError::Network(error) => Self::Unreachable(causes(&*error)),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

/// An error with everything that led to it; the innermost says most (`connection refused`).
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// `getUpdates`, with answers that [`Update`] reads.
#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    timeout: u64,
    allowed_updates: [&'static str; KINDS.len()],
}

impl Payload for GetUpdates {
    type Output = Vec<Update>;

    const NAME: &'static str = "GetUpdates";
}

/// `answerCallbackQuery`: ends the wait that a pressed button shows.
#[derive(Serialize)]
struct AnswerCallbackQuery {
    callback_query_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    show_alert: bool,
}

impl Payload for AnswerCallbackQuery {
    type Output = bool;

    const NAME: &'static str = "AnswerCallbackQuery";
}

/// How long the answer to a press may take: after a few seconds nobody looks any more.
const PRESS_LIMIT: Duration = Duration::from_secs(5);
/// Longest answer to a press, in characters.
const LONGEST_NOTICE: usize = 200;

/// Shows the person what their press came to. Should that fail, they only miss the note.
pub(crate) async fn answer_press(bot: &Bot, query: &str, pressed: &Pressed) {
    let notice = pressed.notice.as_ref().map(|text| text.chars().take(LONGEST_NOTICE).collect());
    let answer =
        AnswerCallbackQuery { callback_query_id: query.to_owned(), text: notice, show_alert: pressed.alert };
    match tokio::time::timeout(PRESS_LIMIT, JsonRequest::new(bot.clone(), answer).send()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let fault = Fault::from(error);
            tracing::debug!(%fault, "a press could not be answered");
        }
        Err(_) => tracing::debug!("a press could not be answered in time"),
    }
}

/// The connection to Telegram: one client, whose limit is above that of a poll.
pub(crate) fn connect(config: &BotConfig, token: &BotToken) -> reqwest::Result<Bot> {
    let limit = config.pace.poll + config.pace.overdue.mul_f64(0.75);
    // The address holds the token, and whoever is followed to another one is told where from.
    let stays = reqwest::redirect::Policy::none();
    let client = teloxide::net::default_reqwest_settings().timeout(limit).redirect(stays).build()?;
    Ok(Bot::with_client(token.reveal(), client).set_api_url(config.api_url.clone()))
}

/// Waits for updates from `offset` on, which confirms all before it. A poll that neither answers nor fails within
/// `overdue` after `hold` is given up.
pub(crate) async fn updates(
    bot: &Bot,
    offset: Option<i64>,
    hold: Duration,
    overdue: Duration,
) -> Result<Vec<Update>, Fault> {
    let question = GetUpdates { offset, timeout: hold.as_secs(), allowed_updates: KINDS };
    let polling = JsonRequest::new(bot.clone(), question).send();
    match tokio::time::timeout(hold + overdue, polling).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Fault::Unreachable("a poll got no answer, not even an empty one".to_owned())),
    }
}

/// Asks Telegram for our user name.
pub(crate) async fn name(bot: &Bot) -> Result<String, Fault> {
    let answer = tokio::time::timeout(Duration::from_secs(20), bot.get_me().send()).await;
    let Ok(me) = answer else {
        return Err(Fault::Unreachable("it did not say in time who the bot is".to_owned()));
    };
    Ok(me?.user.username.unwrap_or_default())
}
