//! Who talks to us: people, pairing, scope and commands, whatever the channel.
//!
//! Everything a message causes is one transaction of the ledger, its idempotency key included, and only then is it
//! answered. What a person reads goes out through the outbox.

mod code;
mod command;
mod error;
mod known;
mod pairing;
pub mod ports;
mod reply;
mod scope;
mod texts;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use argus_protocol::argus::chat::{ChatKind, Disposition, Moved, Receive, Received};
use argus_session::{ChatRef, Submission};

pub use self::error::ChatError;
use self::ports::Turns;
use crate::config::Scope;
use crate::store::ledger::{Language, Ledger, Person, Role, Via};
use crate::telegram::CHANNEL;

/// Longest text that becomes a submission, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// Longest name of a message, a bot, a user or a channel, in bytes.
const LONGEST_NAME: usize = 256;

/// The chats' side of the gateway. Clones are handles to the same one.
#[derive(Clone)]
pub struct Chats(Arc<Parts>);

struct Parts {
    ledger: Ledger,
    turns: Arc<dyn Turns>,
    scope: Scope,
    allowed: BTreeSet<String>,
    /// The Telegram bot as which answers are sent; `None` where nothing is sent.
    sends_as: Option<String>,
}

/// What became of a message, before it is told.
enum Done {
    /// Only that.
    As(Disposition),
    /// A submission that has to be brought to its session.
    Submitted(Box<Submission>),
}

impl Chats {
    /// Chats over these parts. `allowed` are ids of users that need no pairing: they are users, and where the list has
    /// exactly one entry, that person is the operator as long as nobody else is. `sends_as` is the id of the Telegram bot
    /// whose messages are sent; what comes for any other is not taken, since nobody would ever read an answer.
    pub fn new(
        ledger: Ledger,
        turns: Arc<dyn Turns>,
        scope: Scope,
        allowed: Vec<String>,
        sends_as: Option<String>,
    ) -> Self {
        Self(Arc::new(Parts { ledger, turns, scope, allowed: allowed.into_iter().collect(), sends_as }))
    }

    /// Takes one message of a person. Durable when it answers; the same idempotency key again has no second effect.
    pub async fn receive(&self, message: &Receive) -> Result<Received, ChatError> {
        argus_crash_point::here("chat.received").await;
        check(message)?;
        let parts = &self.0;
        parts.can_answer(&message.channel, &message.bot)?;
        if parts.ledger.seen(&message.channel, &message.bot, &message.idempotency_key).await? {
            return Ok(received(Disposition::Repeated));
        }
        let done = match parts.person(message).await? {
            Some(person) => parts.hear(message, person).await?,
            None => parts.meet(message).await?,
        };
        argus_crash_point::here("chat.stored").await;
        let disposition = match done {
            Done::As(disposition) => disposition,
            Done::Submitted(submission) => {
                parts.turns.submitted(*submission).await;
                Disposition::Submitted
            }
        };
        Ok(received(disposition))
    }
}

impl Chats {
    /// A chat has another key: what waits for it, and the thread it speaks in, go with it.
    pub async fn moved(&self, moved: &Moved) -> Result<(), ChatError> {
        let Moved { channel, bot, from, to } = moved;
        self.0.can_answer(channel, bot)?;
        let chat = ChatRef { channel: channel.clone(), bot: bot.clone(), chat: from.clone() };
        let messages = self.0.ledger.move_chat(&chat, to).await?;
        tracing::info!(channel, bot.id = bot, chat.key = %from, to = %to, messages, "a chat has another key");
        Ok(())
    }
}

impl Parts {
    fn can_answer(&self, channel: &str, bot: &str) -> Result<(), ChatError> {
        if channel == CHANNEL && self.sends_as.as_deref() == Some(bot) {
            return Ok(());
        }
        Err(ChatError::Unanswerable { channel: channel.to_owned(), bot: bot.to_owned() })
    }

    /// The person who wrote, when we know them: paired, or on the list of allowed ones.
    async fn person(&self, message: &Receive) -> Result<Option<Person>, ChatError> {
        let listed = self.allowed.contains(&message.user.id);
        let stored = self.ledger.person(&message.channel, &message.bot, &message.user.id).await?;
        Ok(match stored {
            Some(person) if person.via == Via::Code || listed => Some(person),
            None if listed => {
                let role = if self.allowed.len() == 1 { Role::Operator } else { Role::User };
                Some(Person { role, via: Via::List, name: String::new(), language: None })
            }
            Some(_) | None => None,
        })
    }
}

fn received(disposition: Disposition) -> Received {
    Received { ok: true, disposition }
}

fn chat_of(message: &Receive) -> ChatRef {
    ChatRef { channel: message.channel.clone(), bot: message.bot.clone(), chat: message.chat_key.clone() }
}

fn language_of(message: &Receive) -> Language {
    Language::of_tag(message.user.language.as_deref())
}

fn is_private(message: &Receive) -> bool {
    message.chat_kind == ChatKind::Private
}

fn check(message: &Receive) -> Result<(), ChatError> {
    for (name, value) in [
        ("channel", &message.channel),
        ("bot", &message.bot),
        ("user.id", &message.user.id),
        ("messageId", &message.message_id),
        ("idempotencyKey", &message.idempotency_key),
    ] {
        if value.trim().is_empty() || value.len() > LONGEST_NAME {
            return Err(ChatError::Invalid(format!("'{name}' must have 1 to {LONGEST_NAME} bytes")));
        }
    }
    Ok(())
}
