//! Who may talk to us, for who decides on that: everybody known and waiting, letting in, sending away.

use std::collections::BTreeMap;

use argus_protocol::argus::chat::User;
use argus_protocol::argus::pairing::{Approve, KnownPerson, OpenChat, People, WaitingPerson, Who};
use argus_session::ChatRef;

use super::spoken::base;
use super::{ChatError, Chats, LONGEST_NAME, Parts, reply, texts};
use crate::store::ledger::{ChatSettings, Language, LedgerError, Person, Role, Tx, Via};
use crate::telegram::CHANNEL;

/// People who wait that are listed.
const MOST_WAITING: u32 = 100;

impl Chats {
    /// Everybody whom we know or who waits to be, and the groups that are open to all.
    pub async fn people(&self) -> Result<People, ChatError> {
        let parts = &self.0;
        let mut known = BTreeMap::new();
        for one in parts.ledger.people().await? {
            let listed = parts.operators.contains(&one.id) || parts.allowed.contains(&one.id);
            if one.person.via == Via::List && !listed {
                continue;
            }
            let role = parts.role_of(&one.id, &one.person);
            let shown = shown(&one.channel, &one.bot, &one.id, &one.person, role, one.since_ms);
            known.insert((one.bot, one.id), shown);
        }
        let taken = parts.ledger.has_operator().await?;
        for bot in &parts.sends_as {
            for id in parts.operators.iter().chain(&parts.allowed) {
                let by_list = parts.named(id, taken);
                known
                    .entry((bot.clone(), id.clone()))
                    .or_insert_with(|| shown(CHANNEL, bot, id, &by_list, by_list.role, 0));
            }
        }
        let waiting = parts.ledger.waiting_people(MOST_WAITING).await?;
        let waiting =
            waiting.into_iter().filter(|one| !known.contains_key(&(one.bot.clone(), one.user.id.clone())));
        let waiting = waiting.map(|one| WaitingPerson {
            channel: one.channel,
            bot: one.bot,
            id: one.user.id,
            name: one.user.name,
            at_ms: one.at_ms,
        });
        let waiting = waiting.collect();
        let mut chats: Vec<_> = parts.ledger.open_chats().await?.into_iter().map(open).collect();
        for (bot, id) in
            parts.sends_as.iter().flat_map(|bot| parts.open_chats.iter().map(move |id| (bot, id)))
        {
            let named = OpenChat { channel: CHANNEL.to_owned(), bot: bot.clone(), id: id.clone() };
            if !chats.contains(&named) {
                chats.push(named);
            }
        }
        Ok(People { known: known.into_values().collect(), waiting, chats })
    }

    /// Lets somebody in who wrote to us, or a group with all its members. They are told.
    pub async fn approve(&self, wish: &Approve) -> Result<(), ChatError> {
        let bot = self.0.bot_of(&wish.who)?;
        let id = wish.who.id.clone();
        if id.starts_with('-') {
            if wish.operator {
                return Err(ChatError::Invalid("a group cannot be an operator; approve a person".to_owned()));
            }
            return self.0.open(&bot, &id, true).await;
        }
        let operator = wish.operator;
        let approved =
            self.0.ledger.write(move |tx| Box::pin(async move { approve(tx, &bot, &id, operator).await }));
        if approved.await? {
            return Ok(());
        }
        Err(ChatError::Invalid(format!(
            "nobody with the id `{}` has written to this bot; they have to send it a message first",
            wish.who.id
        )))
    }

    /// Takes that back.
    pub async fn revoke(&self, who: &Who) -> Result<(), ChatError> {
        let parts = &self.0;
        let (bot, id) = (parts.bot_of(who)?, who.id.clone());
        if id.starts_with('-') {
            if parts.open_chats.contains(&id) {
                return Err(by_setting(&id, "TELEGRAM_ALLOWED_CHAT_IDS"));
            }
            return parts.open(&bot, &id, false).await;
        }
        if parts.operators.contains(&id) {
            return Err(by_setting(&id, "TELEGRAM_OPERATOR_USER_IDS"));
        }
        if parts.allowed.contains(&id) {
            return Err(by_setting(&id, "TELEGRAM_ALLOWED_USER_IDS"));
        }
        let (allowed, named) = (parts.allowed.clone(), !parts.operators.is_empty());
        let subject = id.clone();
        let revoked = parts.ledger.write(move |tx| {
            Box::pin(async move {
                let known = tx.person(CHANNEL, &bot, &subject).await?;
                let Some(person) = known.filter(|person| person.via != Via::List) else {
                    return Ok(Revoked::Unknown);
                };
                let others = tx.other_operators(CHANNEL, &bot, &subject).await?;
                let another = named || others.iter().any(|(id, lasts)| *lasts || allowed.contains(id));
                if person.role == Role::Operator && !another {
                    return Ok(Revoked::Last);
                }
                tx.forget(CHANNEL, &bot, &subject).await?;
                Ok(Revoked::Done)
            })
        });
        match revoked.await? {
            Revoked::Done => Ok(()),
            Revoked::Unknown => {
                Err(ChatError::Invalid(format!("nobody with the id `{id}` is known to this bot")))
            }
            Revoked::Last => Err(ChatError::Invalid(format!(
                "`{id}` is the last operator, and nobody could let anybody in by chat then: make somebody else an \
                 operator first, with `argus pair approve ID --operator`"
            ))),
        }
    }
}

enum Revoked {
    Done,
    Unknown,
    Last,
}

impl Parts {
    /// Which bot is meant.
    fn bot_of(&self, who: &Who) -> Result<String, ChatError> {
        if who.id.trim().is_empty() || who.id.len() > LONGEST_NAME {
            return Err(ChatError::Invalid(format!("'id' must have 1 to {LONGEST_NAME} bytes")));
        }
        let mut bots = self.sends_as.iter();
        match (&who.bot, bots.next(), bots.next()) {
            (Some(bot), _, _) if self.sends_as.contains(bot) => Ok(bot.clone()),
            (Some(bot), _, _) => Err(ChatError::Invalid(format!("there is no bot `{bot}` here"))),
            (None, Some(bot), None) => Ok(bot.clone()),
            (None, None, _) => Err(ChatError::Invalid("there is no Telegram bot here".to_owned())),
            (None, Some(_), Some(_)) => {
                let bots = self.sends_as.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                Err(ChatError::Invalid(format!("there are several bots ({bots}); name one as 'bot'")))
            }
        }
    }

    /// Somebody whom only a setting names.
    fn named(&self, id: &str, taken: bool) -> Person {
        let role = self.first_role(id, taken);
        Person { role, via: Via::List, name: String::new(), language: None, speaks: None }
    }

    /// Opens a group to all its members, or closes it.
    async fn open(&self, bot: &str, id: &str, open: bool) -> Result<(), ChatError> {
        let chat = id.parse().map_err(|error| ChatError::Invalid(format!("'id': {error}")))?;
        let chat = base(&ChatRef { channel: CHANNEL.to_owned(), bot: bot.to_owned(), chat });
        let done = self.ledger.write(move |tx| {
            Box::pin(async move {
                let before = tx.chat_settings(&chat).await?;
                let was_open = before.open_to_all;
                tx.set_chat_settings(&chat, &ChatSettings { open_to_all: open, ..before }).await?;
                Ok(was_open)
            })
        });
        if done.await? || open {
            return Ok(());
        }
        Err(ChatError::Invalid(format!("the group `{id}` is not open")))
    }
}

/// Whether there is such a person; they are known then, and told so where that is news.
async fn approve(tx: &mut Tx, bot: &str, id: &str, operator: bool) -> Result<bool, LedgerError> {
    let (known, waiting) = (tx.person(CHANNEL, bot, id).await?, tx.waiting(CHANNEL, bot, id).await?);
    let user = match (&known, &waiting) {
        (_, Some(waiting)) => waiting.user.clone(),
        (Some(person), None) => {
            User { id: id.to_owned(), name: person.name.clone(), language: person.language.clone() }
        }
        (None, None) => return Ok(false),
    };
    let lasting = known.as_ref().filter(|person| person.via != Via::List);
    let role = match lasting {
        _ if operator => Role::Operator,
        Some(person) => person.role,
        None => Role::User,
    };
    if lasting.is_some_and(|person| person.role == role) {
        return Ok(true);
    }
    tx.know(CHANNEL, bot, &user, role, lasting.map_or(Via::Approved, |person| person.via)).await?;
    tracing::info!(bot.id = bot, user.id = id, role = ?role, "somebody was let in");
    // In Telegram a person's private chat has their own id.
    let chat = waiting.and_then(|waiting| waiting.chat).or_else(|| id.parse().ok());
    if let Some(chat) = chat {
        let speaks = known.as_ref().and_then(|person| person.speaks.as_deref());
        let language = Language::of_tag(speaks.or(user.language.as_deref()));
        let chat = ChatRef { channel: CHANNEL.to_owned(), bot: bot.to_owned(), chat };
        let operator = role == Role::Operator;
        let key = format!("approved:{bot}:{id}:{operator}:{}", tx.now_ms());
        let text = texts::commands::approved(language, operator);
        reply::put_once(tx, &chat, &key, None, &text).await?;
        if operator && tx.makes_a_home(role).await? {
            tx.set_home_chat(&chat).await?;
        }
    }
    Ok(true)
}

fn by_setting(id: &str, setting: &str) -> ChatError {
    ChatError::Invalid(format!(
        "the setting {setting} names `{id}`: take it out there, and start the gateway again"
    ))
}

fn open(chat: ChatRef) -> OpenChat {
    OpenChat { channel: chat.channel, bot: chat.bot, id: chat.chat.to_string() }
}

fn shown(channel: &str, bot: &str, id: &str, person: &Person, role: Role, since_ms: u64) -> KnownPerson {
    KnownPerson {
        channel: channel.to_owned(),
        bot: bot.to_owned(),
        id: id.to_owned(),
        name: person.name.clone(),
        role: match role {
            Role::Operator => "operator",
            Role::User => "user",
        }
        .to_owned(),
        via: match person.via {
            Via::Code => "code",
            Via::List => "list",
            Via::Approved => "approved",
        }
        .to_owned(),
        since_ms,
    }
}
