//! Presses of buttons. Durable when they are answered; the same press again has no second effect.

use argus_protocol::argus::chat::{Press, Pressed};

use super::button::Deed;
use super::{ChatError, Chats, Spoken, check_names, texts};
use crate::store::ledger::Language;

/// The most that a notice shows, in characters.
const LONGEST_NOTICE: usize = 200;

impl Chats {
    /// Takes a press of a button under one of our messages.
    pub async fn press(&self, press: &Press) -> Result<Pressed, ChatError> {
        argus_crash_point::here("press.received").await;
        check_names([
            ("channel", &press.channel),
            ("bot", &press.bot),
            ("user.id", &press.user.id),
            ("messageId", &press.message_id),
            ("idempotencyKey", &press.idempotency_key),
        ])?;
        let parts = &self.0;
        parts.can_answer(&press.channel, &press.bot)?;
        let spoken = Spoken::of_press(press);
        let Some(person) = parts.person(&spoken).await? else {
            let language = Language::of_tag(press.user.language.as_deref());
            return Ok(alert(texts::asking::not_known(language)));
        };
        let language = person.reads(&press.user);
        match Deed::read(&press.data) {
            Some(Deed::Retry) => self.retry_by_button(&spoken, &person, &press.message_id).await,
            Some(Deed::Answer { id, word }) => parts.answer_by_button(&spoken, &person, id, word).await,
            Some(Deed::Node { id, allow }) => parts.answer_node(&spoken, &person, id, allow).await,
            Some(Deed::Hasten(how, submission)) => parts.hasten(&spoken, &person, how, &submission).await,
            Some(Deed::Set(setting)) => parts.set(&spoken, &person, setting).await,
            Some(Deed::Thread(era)) => parts.go_back(&spoken, &person, era).await,
            None => Ok(notice(texts::asking::unknown_button(language))),
        }
    }
}

/// Something that the person sees for a moment.
pub(super) fn notice(text: impl Into<String>) -> Pressed {
    Pressed { ok: true, notice: Some(bounded(text.into())), alert: false }
}

/// Something that the person has to see.
pub(super) fn alert(text: impl Into<String>) -> Pressed {
    Pressed { alert: true, ..notice(text) }
}

/// Nothing to be seen.
pub(super) fn silent() -> Pressed {
    Pressed { ok: true, notice: None, alert: false }
}

fn bounded(text: String) -> String {
    if text.chars().take(LONGEST_NOTICE + 1).count() <= LONGEST_NOTICE {
        return text;
    }
    let mut kept: String = text.chars().take(LONGEST_NOTICE - 1).collect();
    kept.push('…');
    kept
}
