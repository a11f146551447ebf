//! What the buttons under our messages stand for.

use argus_protocol::SubmissionId;
use argus_session::Haste;

/// What a press asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// To answer a question of the agent.
    Answer {
        /// Which.
        id: String,
        /// How.
        word: String,
    },
    /// To answer a question of a node.
    Node {
        /// Which.
        id: String,
        /// Yes or no.
        allow: bool,
    },
    /// To bring a message that waits to the agent now.
    Hasten(Haste, SubmissionId),
    /// To have another setting.
    Set(Setting),
    /// To go on in an earlier thread.
    Thread(u32),
    /// To ask for the last thing again.
    Retry,
}

/// What can be set with a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// The chat's model; `None`: the default.
    Model(Option<String>),
    /// How hard it thinks; `None`: the default.
    Effort(Option<String>),
    /// When it asks; `None`: the default.
    Approval(Option<String>),
    /// What a message does while a turn runs; `None`: the default.
    WhileRunning(Option<String>),
    /// The language of the person; `None`: as their app says.
    Language(Option<String>),
}

/// The most bytes that a button can stand for.
const LONGEST: usize = 64;

impl Deed {
    /// Reads what a button stands for.
    pub(super) fn read(data: &str) -> Option<Self> {
        if data.len() > LONGEST {
            return None;
        }
        if data == "retry" {
            return Some(Self::Retry);
        }
        let (kind, rest) = data.split_once(':')?;
        let value = || (!rest.is_empty()).then(|| rest.to_owned());
        Some(match kind {
            "q" => {
                let (id, word) = rest.split_once(':')?;
                Self::Answer { id: id.to_owned(), word: word.to_owned() }
            }
            "n" => match rest.split_once(':')? {
                (id, "y") => Self::Node { id: id.to_owned(), allow: true },
                (id, "n") => Self::Node { id: id.to_owned(), allow: false },
                _ => return None,
            },
            "s" => Self::Hasten(Haste::Steer, rest.parse().ok()?),
            "i" => Self::Hasten(Haste::Interrupt, rest.parse().ok()?),
            "t" => Self::Thread(rest.parse().ok()?),
            "m" => Self::Set(Setting::Model(value())),
            "e" => Self::Set(Setting::Effort(value())),
            "a" => Self::Set(Setting::Approval(value())),
            "w" => Self::Set(Setting::WhileRunning(value())),
            "l" => Self::Set(Setting::Language(value())),
            _ => return None,
        })
    }

    /// What its button stands for; `None` where that is too long.
    pub(super) fn data(&self) -> Option<String> {
        let set =
            |kind: &str, value: &Option<String>| format!("{kind}:{}", value.as_deref().unwrap_or_default());
        let data = match self {
            Self::Answer { id, word } => format!("q:{id}:{word}"),
            Self::Node { id, allow } => format!("n:{id}:{}", if *allow { "y" } else { "n" }),
            Self::Hasten(Haste::Steer, submission) => format!("s:{submission}"),
            Self::Hasten(Haste::Interrupt, submission) => format!("i:{submission}"),
            Self::Thread(era) => format!("t:{era}"),
            Self::Retry => "retry".to_owned(),
            Self::Set(Setting::Model(value)) => set("m", value),
            Self::Set(Setting::Effort(value)) => set("e", value),
            Self::Set(Setting::Approval(value)) => set("a", value),
            Self::Set(Setting::WhileRunning(value)) => set("w", value),
            Self::Set(Setting::Language(value)) => set("l", value),
        };
        (data.len() <= LONGEST).then_some(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_button_stands_for_comes_back_as_it_was() {
        let submission: SubmissionId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        for deed in [
            Deed::Answer { id: "ABCDEFGHIJKLMNOP".into(), word: "19.skip".into() },
            Deed::Node { id: "ABCDEFGHIJKLMNOP".into(), allow: true },
            Deed::Node { id: "ABCDEFGHIJKLMNOP".into(), allow: false },
            Deed::Hasten(Haste::Steer, submission.clone()),
            Deed::Hasten(Haste::Interrupt, submission),
            Deed::Set(Setting::Model(Some("vendor:model-1".into()))),
            Deed::Set(Setting::Effort(None)),
            Deed::Set(Setting::Approval(Some("on-request".into()))),
            Deed::Set(Setting::WhileRunning(Some("steer".into()))),
            Deed::Set(Setting::Language(Some("zh".into()))),
            Deed::Thread(7),
            Deed::Retry,
        ] {
            assert_eq!(Deed::read(&deed.data().unwrap()), Some(deed));
        }
        assert_eq!(Deed::Set(Setting::Model(Some("m".repeat(63)))).data(), None);
        for unknown in ["", "q", "q:x", "s:1", "t:-1", "x:1", &"m:".repeat(40)] {
            assert_eq!(Deed::read(unknown), None, "{unknown}");
        }
    }
}
