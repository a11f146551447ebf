//! Who speaks, and where: what a message and a press of a button have in common.

use argus_protocol::argus::chat::{ChatKind, Press, Receive, User};
use argus_session::ChatRef;

use super::asking::hides;
use crate::store::ledger::{Language, Person};

/// Longest name that is shown, in characters.
const LONGEST_NAME: usize = 64;

/// Who speaks, and where.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) chat: ChatRef,
    /// Whether nobody else is there.
    pub(super) private: bool,
    pub(super) user: User,
    /// Names this very message or press.
    pub(super) idempotency_key: String,
}

impl Spoken {
    pub(super) fn of(message: &Receive) -> Self {
        Self {
            chat: super::chat_of(message),
            private: is_private(message),
            user: message.user.clone(),
            idempotency_key: message.idempotency_key.clone(),
        }
    }

    pub(super) fn of_press(press: &Press) -> Self {
        let Press { channel, bot, chat_key, .. } = press;
        Self {
            chat: ChatRef { channel: channel.clone(), bot: bot.clone(), chat: chat_key.clone() },
            private: press.chat_kind == ChatKind::Private,
            user: press.user.clone(),
            idempotency_key: press.idempotency_key.clone(),
        }
    }

    /// What they call themselves, for others to read.
    pub(super) fn name(&self) -> String {
        let name: String = self.user.name.trim().chars().filter(|c| !hides(*c)).take(LONGEST_NAME).collect();
        if name.is_empty() { self.user.id.clone() } else { name }
    }
}

pub(super) fn is_private(message: &Receive) -> bool {
    message.chat_kind == ChatKind::Private
}

/// The chat as a whole, whichever of its topics is meant.
pub(super) fn base(chat: &ChatRef) -> ChatRef {
    let text = chat.chat.as_str();
    let base = text.split_once(':').and_then(|(base, _)| base.parse().ok());
    ChatRef { chat: base.unwrap_or_else(|| chat.chat.clone()), ..chat.clone() }
}

impl Person {
    /// The language they read: the one they chose, else as their app says now.
    pub(super) fn reads(&self, user: &User) -> Language {
        Language::of_tag(self.speaks.as_deref().or(user.language.as_deref()))
    }
}
