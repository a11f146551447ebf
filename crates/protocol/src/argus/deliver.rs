//! Where people are told of what nobody asked for: a word, or the name of a chat.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ChatKey;

/// Where something is told. As text: `home`, `last`, `none`, or a chat such as `telegram:7`, `telegram:-100123:9` (a topic)
/// and, where there are several bots, `telegram@123456:7`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Deliver {
    /// The session's home: the operator's first private chat, or in a session of somebody else their own chat.
    #[default]
    Home,
    /// Where somebody last wrote to the session.
    Last,
    /// Nowhere; it is in the history.
    Nowhere,
    /// One chat.
    Chat {
        /// `telegram`.
        channel: String,
        /// Which bot of it; the first one where it is not said.
        bot: Option<String>,
        /// The chat.
        chat: ChatKey,
    },
}

/// A text names no place to tell something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected home, last, none or a chat such as telegram:7")]
pub struct NoSuchPlace;

impl FromStr for Deliver {
    type Err = NoSuchPlace;

    fn from_str(text: &str) -> Result<Self, NoSuchPlace> {
        match text.trim() {
            "home" => return Ok(Self::Home),
            "last" => return Ok(Self::Last),
            "none" => return Ok(Self::Nowhere),
            _ => {}
        }
        let (channel, chat) = text.trim().split_once(':').ok_or(NoSuchPlace)?;
        let (channel, bot) = match channel.split_once('@') {
            Some((channel, bot)) => (channel, Some(bot)),
            None => (channel, None),
        };
        if !matches!(channel, "telegram" | "tg") || bot.is_some_and(|bot| bot.is_empty() || bot.len() > 32) {
            return Err(NoSuchPlace);
        }
        let chat = chat.parse().map_err(|_| NoSuchPlace)?;
        Ok(Self::Chat { channel: "telegram".to_owned(), bot: bot.map(str::to_owned), chat })
    }
}

impl fmt::Display for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("home"),
            Self::Last => f.write_str("last"),
            Self::Nowhere => f.write_str("none"),
            Self::Chat { channel, bot: None, chat } => write!(f, "{channel}:{chat}"),
            Self::Chat { channel, bot: Some(bot), chat } => write!(f, "{channel}@{bot}:{chat}"),
        }
    }
}

impl From<Deliver> for String {
    fn from(deliver: Deliver) -> Self {
        deliver.to_string()
    }
}

impl TryFrom<String> for Deliver {
    type Error = NoSuchPlace;

    fn try_from(text: String) -> Result<Self, NoSuchPlace> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_it_is_read() {
        for text in ["home", "last", "none", "telegram:7", "telegram:-100123:9", "telegram@123456:7"] {
            assert_eq!(text.parse::<Deliver>().map(|place| place.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("tg:7".parse::<Deliver>(), "telegram:7".parse());
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for text in ["", "away", "smoke:7", "telegram:", "telegram@:7", "telegram"] {
            assert_eq!(text.parse::<Deliver>(), Err(NoSuchPlace), "{text}");
        }
    }
}
