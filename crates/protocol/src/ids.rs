//! Ids as types: private inside, checked once where they enter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An id that does not have the form its kind asks for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{value}` is not a valid {kind}: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    rule: &'static str,
    /// The offending text, shortened for messages.
    value: String,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id as it is written on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { kind: $kind, rule: $rule, value: text.chars().take(80).collect() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

fn opaque(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 256 && !text.chars().any(char::is_control)
}

text_id!(
    /// One session: 12 lower-case hex digits when the gateway makes it. It becomes part of file and container names,
    /// so only `a-z`, `0-9` and `-` are taken, 64 characters at most.
    SessionId, "session id", "use 1 to 64 of a-z, 0-9 and -",
    |t| (1..=64).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !t.starts_with('-')
);

text_id!(
    /// A thread of the agent (`thread.id`), opaque to us.
    ThreadId, "thread id", "1 to 256 printable characters", opaque
);

text_id!(
    /// A turn of the agent (`turn.id`), opaque to us.
    TurnId, "turn id", "1 to 256 printable characters", opaque
);

text_id!(
    /// One submission: 32 lower-case hex digits made by the gateway.
    SubmissionId, "submission id", "32 hex digits",
    |t| t.len() == 32 && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);

text_id!(
    /// What a client calls itself (`client=` of `/ws`), so that it is known when it comes back.
    ClientName, "client name", "use 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`",
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
);

text_id!(
    /// One derived token: 16 lower-case hex digits made by the gateway. It is no secret, and opens nothing.
    TokenId, "token id", "16 hex digits",
    |t| t.len() == 16 && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);

text_id!(
    /// A chat inside its channel: `<chatId>` or `<chatId>:<topicId>` for Telegram.
    ChatKey, "chat key", "1 to 256 printable characters", opaque
);

/// One attached client connection, unique while the gateway process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(u64);

impl ClientId {
    /// Numbers are handed out by the owner of the listener, each once.
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_can_be_part_of_a_file_name() {
        for good in ["a1b2c3d4e5f6", "default", "x-1"] {
            assert_eq!(good.parse::<SessionId>().map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "..", "a/b", "A", "-x", "a b", &"a".repeat(65)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_id_in_json_names_its_kind_and_rule() {
        let error = serde_json::from_str::<SessionId>("\"../x\"").unwrap_err().to_string();
        assert!(error.contains("`../x` is not a valid session id: use 1 to 64"), "{error}");
    }
}
