//! What the bot must be told before it can run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use argus_protocol::token::Secret;
use url::Url;

/// Everything the bot needs; made by hand inside another program, or from [`crate::settings::Settings`].
#[derive(Clone, Debug)]
pub struct BotConfig {
    /// Which bots we are; each receives by itself.
    pub tokens: Vec<BotToken>,
    /// Base of the Bot API; calls go to `<base>/bot<token>/<method>`.
    pub api_url: Url,
    /// Base of the gateway's HTTP side; calls go to `<base>/rpc`.
    pub gateway_url: Url,
    /// The bearer token the gateway asks for.
    pub gateway_token: TokenSource,
    /// How messages come.
    pub reception: Reception,
    /// Waits and limits.
    pub pace: Pace,
}

/// How messages come, and which of those in groups.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    /// What is heard in groups.
    pub groups: Groups,
    /// Where Telegram brings updates to; `None`: it is asked for them.
    pub webhook: Option<Webhook>,
}

/// What is heard in groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// What is said to us there.
    pub mode: GroupMode,
    /// Whether what is said to others is handed over too, to be told with the next message to us.
    pub overhears: bool,
}

/// What is said to us in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupMode {
    /// What mentions us, answers us, or is a command of ours.
    #[default]
    Mention,
    /// Everything but commands for other bots.
    All,
}

/// Telegram brings updates by itself.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address by which Telegram reaches us; each bot has a path of its own below it.
    pub url: Url,
    /// Where we listen, without TLS: a proxy in front of us has it.
    pub bind: SocketAddr,
    /// What Telegram shows with each update.
    pub secret: Secret,
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
    /// How often Telegram is asked how its deliveries go, where it brings updates.
    pub inquire: Duration,
    /// How long Telegram waits for our answer to an update that it brings.
    pub patience: Duration,
    /// How long whoever brings something may take for the head of it, and then for its body.
    pub reading: Duration,
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
            inquire: Duration::from_mins(1),
            patience: Duration::from_secs(25),
            reading: Duration::from_secs(10),
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
