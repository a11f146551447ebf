//! What the bot must be told before it can run.

use std::path::PathBuf;
use std::time::Duration;

use argus_protocol::token::Secret;
use url::Url;

/// Everything the bot needs; made by hand inside another program, or from [`crate::settings::Settings`].
#[derive(Clone, Debug)]
pub struct BotConfig {
    /// Which bot we are.
    pub token: BotToken,
    /// Base of the Bot API; calls go to `<base>/bot<token>/<method>`.
    pub api_url: Url,
    /// Base of the gateway's HTTP side; calls go to `<base>/rpc`.
    pub gateway_url: Url,
    /// The bearer token the gateway asks for.
    pub gateway_token: TokenSource,
    /// Waits and limits.
    pub pace: Pace,
}

/// A token from `@BotFather`: `<digits>:<letters>`. `Debug` shows the digits, which are the bot's public id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotToken {
    id: u64,
    whole: Secret,
}

/// A text that is no bot token; the text itself is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bot token looks like `123456789:AAE…`; `@BotFather` shows it with /mybots")]
pub struct BadBotToken;

impl BotToken {
    /// Reads a token as it is written; surrounding white space is not part of it.
    pub fn parse(text: &str) -> Result<Self, BadBotToken> {
        let whole = Secret::parse(text).ok_or(BadBotToken)?;
        let (id, rest) = whole.reveal().split_once(':').ok_or(BadBotToken)?;
        let id = id.parse().map_err(|_| BadBotToken)?;
        let fit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if rest.is_empty() || !rest.chars().all(fit) {
            return Err(BadBotToken);
        }
        Ok(Self { id, whole })
    }

    /// The bot's account number, the same as `getMe` tells.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The whole token, for the one place that must send it.
    pub(crate) fn reveal(&self) -> &str {
        self.whole.reveal()
    }
}

/// Where the gateway's token comes from.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// It is known.
    Given(Secret),
    /// It stands in a file that the gateway writes, perhaps after we start. Read at every call, so a new token needs no
    /// restart.
    File(PathBuf),
}

/// Waits and limits. The defaults suit Telegram; tests are quicker.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long Telegram holds an empty poll; whole seconds.
    pub poll: Duration,
    /// How much later than `poll` an answer may come before the poll is given up and asked anew.
    pub overdue: Duration,
    /// The first wait after something failed; it doubles up to `retry_most`.
    pub retry_first: Duration,
    /// The longest wait for something that may mend itself.
    pub retry_most: Duration,
    /// The wait for something that a person must mend (a refused token).
    pub retry_slow: Duration,
    /// How often the gateway hears how we stand when nothing changes.
    pub report: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(50),
            overdue: Duration::from_secs(20),
            retry_first: Duration::from_millis(200),
            retry_most: Duration::from_secs(5),
            retry_slow: Duration::from_secs(15),
            report: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadBotToken, BotToken};

    #[test]
    fn a_bot_token_names_its_bot_and_hides_the_rest() {
        let token = BotToken::parse(" 42:AAE-x_9 \n").unwrap();
        assert_eq!((token.id(), token.reveal()), (42, "42:AAE-x_9"));
        assert_eq!(format!("{token:?}"), "BotToken { id: 42, whole: Secret(…) }");
    }

    #[test]
    fn what_is_no_bot_token_is_refused_without_being_shown() {
        for bad in ["", "  ", "42", "42:", ":abc", "x:abc", "42:a b", "42:a/../b"] {
            assert_eq!(BotToken::parse(bad), Err(BadBotToken), "{bad:?}");
        }
    }
}
