//! Who talks to us: people, pairing, scope and commands, whatever the channel.
//!
//! Everything a message causes is one transaction of the ledger, its idempotency key included, and only then is it
//! answered. What a person reads goes out through the outbox.

mod again;
mod answering;
mod asking;
mod button;
mod code;
mod command;
mod error;
mod files;
mod gather;
mod known;
mod node_asks;
mod obeying;
mod operators;
mod pairing;
mod people;
pub mod ports;
mod pressing;
mod reply;
mod running;
mod scope;
mod spoken;
mod texts;
mod threads;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use argus_protocol::argus::chat::{Disposition, Moved, Receive, Received};
use argus_session::{ChatRef, Submission};
use tokio::sync::Semaphore;

pub use self::asking::Asking;
pub use self::error::ChatError;
pub use self::gather::Gathering;
pub use self::node_asks::OwnerAsked;
use self::ports::{Machines, Turns};
use self::spoken::{Spoken, base};
use crate::config::{Scope, WhileRunning};
use crate::store::ledger::{Language, Ledger, Person, Role, Via};
use crate::telegram::CHANNEL;

/// Longest text that becomes a submission, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// Longest name of a message, a bot, a user or a channel, in bytes.
const LONGEST_NAME: usize = 256;

/// The chats' side of the gateway. Clones are handles to the same one.
#[derive(Clone)]
pub struct Chats(Arc<ChatsParts>);

type Parts = ChatsParts;

/// What chats are made with.
pub struct ChatsParts {
    /// Everything that is stored.
    pub ledger: Ledger,
    /// Where turns come from.
    pub turns: Arc<dyn Turns>,
    /// Who is told what an operator answers to a node.
    pub machines: Arc<dyn Machines>,
    /// Whose session a chat speaks with.
    pub scope: Scope,
    /// Ids of users that need no pairing: they are users, and where the list has exactly one entry and no operator is
    /// named, that person is the operator as long as nobody else is.
    pub allowed: BTreeSet<String>,
    /// Ids of users that need no pairing and are operators.
    pub operators: BTreeSet<String>,
    /// Groups in which everybody may talk to us.
    pub open_chats: BTreeSet<String>,
    /// The ids of the Telegram bots as which answers are sent; what comes for any other is not taken, since nobody would
    /// ever read an answer.
    pub sends_as: BTreeSet<String>,
    /// What a message does while a turn runs, where its chat does not say.
    pub while_running: WhileRunning,
    /// The sandbox that agents run in, in their own word, for people who ask.
    pub sandbox: String,
    /// When the agent asks for approval where a chat does not say, in its own word.
    pub approval: String,
    /// How what belongs together is gathered, and what is not taken.
    pub gathering: Gathering,
    /// Places for those who wait for an agent to tell something.
    pub inquiries: Arc<Semaphore>,
}

/// How many may wait for agents at once.
pub const INQUIRIES: usize = 8;

/// What became of a message, before it is told.
enum Done {
    /// Only that.
    As(Disposition),
    /// A submission that has to be brought to its session.
    Submitted(Box<Submission>),
    /// A menu that the agent has to be asked for; the message is noted.
    AsksAgent(Language),
}

impl Chats {
    /// Chats over these parts.
    pub fn new(parts: ChatsParts) -> Self {
        Self(Arc::new(parts))
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
        if let Some(disposition) = parts.gather(message).await? {
            return Ok(received(disposition));
        }
        self.pass_on_before(message).await?;
        self.take(message).await
    }

    /// Takes a message that is whole.
    async fn take(&self, message: &Receive) -> Result<Received, ChatError> {
        let parts = &self.0;
        let done = match parts.person(&Spoken::of(message)).await? {
            Some(person) => parts.hear(message, person).await?,
            None => parts.meet(message).await?,
        };
        argus_crash_point::here("chat.stored").await;
        let disposition = match done {
            Done::As(disposition) => disposition,
            Done::Submitted(submission) => {
                let standing = parts.turns.submitted((*submission).clone()).await;
                self.watch(*submission, standing);
                Disposition::Submitted
            }
            Done::AsksAgent(language) => {
                // The agent may take its time; nobody's next message waits for it.
                let (chats, message) = (self.clone(), message.clone());
                let place = self.0.inquiries.clone().try_acquire_owned().ok();
                tokio::spawn(async move { chats.0.show_models(&message, language, place).await });
                Disposition::Answered
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
        if channel == CHANNEL && self.sends_as.contains(bot) {
            return Ok(());
        }
        Err(ChatError::Unanswerable { channel: channel.to_owned(), bot: bot.to_owned() })
    }

    /// The person who speaks, when we know them: paired, approved, named by a setting, or in a chat that is open to all.
    async fn person(&self, by: &Spoken) -> Result<Option<Person>, ChatError> {
        let ChatRef { channel, bot, .. } = &by.chat;
        let stored = self.ledger.person(channel, bot, &by.user.id).await?;
        let operator = self.operators.contains(&by.user.id);
        let listed = operator || self.allowed.contains(&by.user.id);
        let lasting = stored.as_ref().is_some_and(|person| person.via != Via::List);
        if !listed && !lasting && !self.is_open(by).await? {
            return Ok(None);
        }
        let role = match &stored {
            Some(person) => self.role_of(&by.user.id, person),
            None => self.first_role(&by.user.id, self.ledger.has_operator().await?),
        };
        let unknown = Person { role, via: Via::List, name: String::new(), language: None, speaks: None };
        Ok(Some(Person { role, ..stored.unwrap_or(unknown) }))
    }

    /// What somebody may do whom we have met. Whoever only a list names is an operator where a setting says so, or where
    /// no setting does and they were alone on the list.
    fn role_of(&self, id: &str, stored: &Person) -> Role {
        if self.operators.contains(id) {
            return Role::Operator;
        }
        match stored.via {
            Via::List if !self.allowed.contains(id) || !self.operators.is_empty() => Role::User,
            Via::List | Via::Code | Via::Approved => stored.role,
        }
    }

    /// The same of somebody whom we have not met; `taken` is whether somebody else is an operator already.
    fn first_role(&self, id: &str, taken: bool) -> Role {
        let alone = self.operators.is_empty() && self.allowed.len() == 1 && self.allowed.contains(id);
        if self.operators.contains(id) || (alone && !taken) { Role::Operator } else { Role::User }
    }

    /// Whether everybody in that group may talk to us.
    async fn is_open(&self, by: &Spoken) -> Result<bool, ChatError> {
        if by.private {
            return Ok(false);
        }
        let base = base(&by.chat);
        Ok(self.open_chats.contains(base.chat.as_str()) || self.ledger.is_open(&base).await?)
    }
}

fn received(disposition: Disposition) -> Received {
    Received { ok: true, disposition }
}

fn chat_of(message: &Receive) -> ChatRef {
    ChatRef { channel: message.channel.clone(), bot: message.bot.clone(), chat: message.chat_key.clone() }
}

fn check(message: &Receive) -> Result<(), ChatError> {
    check_names([
        ("channel", &message.channel),
        ("bot", &message.bot),
        ("user.id", &message.user.id),
        ("messageId", &message.message_id),
        ("idempotencyKey", &message.idempotency_key),
    ])
}

fn check_names(names: [(&str, &String); 5]) -> Result<(), ChatError> {
    for (name, value) in names {
        if value.trim().is_empty() || value.len() > LONGEST_NAME {
            return Err(ChatError::Invalid(format!("'{name}' must have 1 to {LONGEST_NAME} bytes")));
        }
    }
    Ok(())
}
