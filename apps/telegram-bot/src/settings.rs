//! What can be set, as flags and variables, and the configuration that follows from it.

use std::path::PathBuf;

use argus_protocol::token::Secret;
use clap::Parser;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::config::{BotConfig, BotToken, Pace, TokenSource};
use crate::gateway_url::{self, Place};
use crate::reception::ReceptionArgs;

/// Telegram itself, as opposed to a Bot API server of one's own.
const PUBLIC_API: &str = "https://api.telegram.org";

/// Receives Telegram messages and hands them to the Argus gateway, which answers them.
///
/// Every setting is a variable too, the better place for tokens: other users of the machine can read command lines. An
/// empty value counts as none.
#[derive(Parser)]
#[command(name = "argus-telegram-bot", version)]
pub struct Settings {
    /// The bot's token, as `@BotFather` shows it; several comma separated. Required.
    #[arg(long, env = "TELEGRAM_BOT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    telegram_bot_token: Option<String>,

    /// Base address of the Bot API.
    #[arg(long, env = "TELEGRAM_API_URL", value_name = "URL", default_value = PUBLIC_API)]
    telegram_api_url: String,

    /// How messages come.
    #[command(flatten)]
    reception: ReceptionArgs,

    /// How many messages of others in a group the gateway tells the agent; with 0 they are not handed over [default: 0]
    #[arg(long, env = "TELEGRAM_GROUP_CONTEXT", value_name = "COUNT")]
    telegram_group_context: Option<String>,

    /// Base address of the gateway. Default: port 8080 of this machine, or of `gateway` in a container.
    #[arg(long, env = "ARGUS_GATEWAY_HTTP_URL", value_name = "URL")]
    gateway_http_url: Option<String>,

    /// The gateway's WebSocket address, from which the base address follows where that is not set.
    #[arg(long, env = "ARGUS_GATEWAY_WS_URL", hide_env_values = true, value_name = "URL")]
    gateway_ws_url: Option<String>,

    /// The same, under the name the web page uses; read after --gateway-ws-url.
    #[arg(long, env = "NEXT_PUBLIC_ARGUS_WS_URL", hide_env_values = true, value_name = "URL")]
    public_ws_url: Option<String>,

    /// The gateway's host, with or without port (8080), or its address; read when no address is set.
    #[arg(long, env = "HOST", value_name = "HOST")]
    host: Option<String>,

    /// The gateway's token.
    #[arg(long, env = "ARGUS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,

    /// A file with the gateway's token. Default: `gateway/token` in Argus' own folder.
    #[arg(long, env = "ARGUS_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<String>,

    /// Argus' own folder, where the gateway keeps its token. Default: `~/.argus`.
    #[arg(long, env = "ARGUS_HOME", value_name = "FOLDER")]
    home: Option<String>,

    /// What to log: a level or a filter such as `info,argus_telegram_bot=debug` [default: info]
    #[arg(long, env = "ARGUS_LOG", value_name = "FILTER")]
    log: Option<String>,
}

impl Settings {
    /// The configuration, or everything that is wrong with the settings, one sentence each.
    pub fn resolve(self) -> Result<BotConfig, Vec<String>> {
        let contained = std::path::Path::new("/.dockerenv").exists();
        self.resolve_at(if contained { Place::Container } else { Place::Machine })
    }

    /// What to log. An error says what is wrong with the filter.
    pub fn log_filter(&self) -> Result<EnvFilter, String> {
        let text = given(self.log.clone()).unwrap_or_else(|| "info".to_owned());
        EnvFilter::try_new(text).map_err(|error| error.to_string())
    }

    fn resolve_at(self, place: Place) -> Result<BotConfig, Vec<String>> {
        let mut wrong = Vec::new();
        let log = self.log_filter();
        let tokens = tokens(self.telegram_bot_token.as_deref().unwrap_or_default(), &mut wrong);
        let context = given(self.telegram_group_context).unwrap_or_else(|| "0".to_owned()).parse();
        let context = context.unwrap_or_else(|_| {
            wrong.push("`TELEGRAM_GROUP_CONTEXT` is a number".to_owned());
            0
        });
        let reception = self.reception.resolve(context, &mut wrong);
        let mut url = |name: &str, result: Result<Url, String>| {
            result.map_err(|error| wrong.push(format!("`{name}` {error}"))).ok()
        };
        let api_url = given(Some(self.telegram_api_url)).unwrap_or_else(|| PUBLIC_API.to_owned());
        let api_url = url("TELEGRAM_API_URL", gateway_url::from_http(&api_url));
        let gateway_url = if let Some(text) = given(self.gateway_http_url) {
            url("ARGUS_GATEWAY_HTTP_URL", gateway_url::from_http(&text))
        } else if let Some(text) = given(self.gateway_ws_url) {
            url("ARGUS_GATEWAY_WS_URL", gateway_url::from_ws(&text))
        } else if let Some(text) = given(self.public_ws_url) {
            url("NEXT_PUBLIC_ARGUS_WS_URL", gateway_url::from_ws(&text))
        } else if let Some(text) = given(self.host) {
            url("HOST", gateway_url::from_host(&text, place))
        } else {
            Some(gateway_url::default(place))
        };
        let token_given = Secret::bearer(self.token.as_deref().unwrap_or_default()).unwrap_or_else(|why| {
            wrong.push(format!("`ARGUS_TOKEN`: {why}"));
            None
        });
        let gateway_token = if let Some(token) = token_given {
            Some(TokenSource::Given(token))
        } else if let Some(file) = given(self.token_file) {
            Some(TokenSource::File(file.into()))
        } else {
            home(self.home).map(|home| TokenSource::File(home.join("gateway/token")))
        };
        if gateway_token.is_none() {
            wrong.push(
                "this user has no home folder: set `ARGUS_HOME`, `ARGUS_TOKEN_FILE` or `ARGUS_TOKEN`"
                    .to_owned(),
            );
        }
        wrong.extend(log.err().map(|error| format!("`ARGUS_LOG`: {error}")));
        match (api_url, gateway_url, gateway_token) {
            (Some(api_url), Some(gateway_url), Some(gateway_token)) if wrong.is_empty() => Ok(BotConfig {
                tokens,
                api_url,
                gateway_url,
                gateway_token,
                reception,
                pace: Pace::default(),
            }),
            _ => Err(wrong),
        }
    }
}

/// The bots' tokens.
fn tokens(text: &str, wrong: &mut Vec<String>) -> Vec<BotToken> {
    let mut tokens: Vec<BotToken> = Vec::new();
    for text in text.split(',').filter(|text| !text.trim().is_empty()) {
        match BotToken::parse(text) {
            Ok(token) if tokens.iter().any(|known| known.id() == token.id()) => {
                wrong.push(format!("`TELEGRAM_BOT_TOKEN` names bot {} twice", token.id()));
            }
            Ok(token) => tokens.push(token),
            Err(error) => wrong.push(format!("`TELEGRAM_BOT_TOKEN`: {error}")),
        }
    }
    if tokens.is_empty() && wrong.is_empty() {
        wrong.push("`TELEGRAM_BOT_TOKEN` is not set: `@BotFather` gives one with /newbot".to_owned());
    }
    tokens
}

/// The home as the gateway finds it: `~/` stands for the user's folder, which `.env` files leave as it is.
fn home(setting: Option<String>) -> Option<PathBuf> {
    let Some(text) = given(setting) else { return std::env::home_dir().map(|folder| folder.join(".argus")) };
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(folder)) => Some(folder.join(rest)),
        _ => Some(text.into()),
    }
}

/// The text without white space around it; empty counts as not set.
fn given(setting: Option<String>) -> Option<String> {
    setting.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
