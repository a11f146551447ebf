//! Commands of people we know.

use argus_protocol::argus::chat::{Disposition, Receive};
use argus_protocol::{SessionId, ThreadId};
use argus_session::{ChatRef, LaneStatus, Target};

use super::again::newest_first;
use super::code::Typed;
use super::command::Command;
use super::known::first_sight;
use super::ports::Stopped;
use super::spoken::is_private;
use super::texts::{self, Older};
use super::wishes::{self, Menu};
use super::{ChatError, Parts, Spoken, chat_of, reply, scope};
use crate::store::ledger::{ChatSettings, LedgerError, Person, Role, Seen, Tx, Via};

/// What an answer is made of, once it is written down.
pub(super) enum Reply {
    /// It is known beforehand.
    Ready(String),
    /// The same, with buttons.
    Menu(Menu),
    /// Where the chat talks to.
    Where(SessionId),
    /// The chat's next era begins.
    New(SessionId),
    /// The last outcome again.
    Last(SessionId),
    /// The group is open to all its members from now on, or not.
    Open(ChatRef, bool),
    /// Who they are.
    WhoAmI,
}

/// What a command comes to.
pub(super) enum Deed {
    /// An answer.
    Answer(Reply),
    /// A pairing code of somebody whom only the list names.
    Pair(Typed),
}

/// What a code comes to that somebody sends whom we know.
fn pair(message: &Receive, person: &Person, typed: Typed) -> Deed {
    let language = person.reads(&message.user);
    match person.via {
        Via::List if is_private(message) => Deed::Pair(typed),
        Via::List => Deed::Answer(Reply::Ready(texts::pair_in_private(language))),
        Via::Code | Via::Approved => Deed::Answer(Reply::Ready(texts::paired_already(language))),
    }
}

impl Parts {
    /// Performs a command as far as it needs others; what it stores comes later.
    pub(super) async fn obey(
        &self,
        message: &Receive,
        person: &Person,
        command: Command<'_>,
    ) -> Result<Deed, ChatError> {
        let language = person.reads(&message.user);
        Ok(Deed::Answer(match command {
            // The others are taken up before they come here.
            Command::Help | Command::Retry | Command::Model => {
                Reply::Ready(texts::help(language, person.role))
            }
            Command::WhoAmI => Reply::WhoAmI,
            Command::Start(typed) => match Typed::read(typed) {
                Some(typed) => return Ok(pair(message, person, typed)),
                None if !typed.is_empty() && person.via != Via::List => {
                    Reply::Ready(texts::paired_already(language))
                }
                None => Reply::Ready(texts::greeting(language)),
            },
            Command::Pair(typed) => match Typed::read(typed) {
                Some(typed) => return Ok(pair(message, person, typed)),
                None => self.pair(message, person, typed).await?,
            },
            Command::Last => Reply::Last(self.session(message).await?),
            Command::Threads => Reply::Menu(self.threads(message, language).await?),
            Command::Approvals => Reply::Menu(self.approvals(message, language).await?),
            Command::Busy => Reply::Menu(self.busy(message, language).await?),
            Command::Lang => Reply::Menu(wishes::languages(person, language)),
            Command::Sessions | Command::Usage if person.role != Role::Operator => {
                Reply::Ready(texts::commands::operators_only(language))
            }
            Command::Sessions => Reply::Ready(self.sessions(language).await?),
            Command::Usage => Reply::Ready(self.usage(language).await?),
            Command::Where => Reply::Where(self.session(message).await?),
            Command::New => Reply::New(self.session(message).await?),
            Command::Stop => {
                let session = self.session(message).await?;
                Reply::Ready(match self.stop(&chat_of(message), &session).await? {
                    Ok(Stopped { running: true, waiting }) => texts::stopping(language, waiting),
                    Ok(Stopped { running: false, waiting }) => texts::nothing_to_stop(language, waiting),
                    Err(reason) => texts::cannot(language, &reason),
                })
            }
            Command::Status => {
                let session = self.session(message).await?;
                Reply::Ready(match self.status(&chat_of(message), &session).await? {
                    Ok((lane, older)) => texts::status(language, &lane, older, crate::clock::unix_ms()),
                    Err(reason) => texts::cannot(language, &reason),
                })
            }
        }))
    }

    pub(super) async fn session(&self, message: &Receive) -> Result<SessionId, ChatError> {
        self.session_of(&Spoken::of(message)).await
    }

    /// The session that they speak with there.
    pub(super) async fn session_of(&self, by: &Spoken) -> Result<SessionId, ChatError> {
        let first = self.ledger.first_key(&by.chat).await?;
        let chat = first.as_ref().unwrap_or(&by.chat.chat);
        scope::session(&*self.turns, self.scope, by, chat).await
    }

    /// Stops the chat's turn; where none runs, one from before, or one whose answer would come here.
    pub(super) async fn stop(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Result<Stopped, String>, LedgerError> {
        let mut first = None;
        for (target, _) in self.where_it_may_run(chat, session).await? {
            let stopped = self.turns.stop(session, &target).await;
            match &stopped {
                Ok(Stopped { running: false, .. }) => {}
                Ok(_) | Err(_) => return Ok(stopped),
            }
            first.get_or_insert(stopped);
        }
        Ok(first.unwrap_or(Ok(Stopped { running: false, waiting: 0 })))
    }

    /// How the chat's turn stands; where none runs, one from before, or one whose answer would come here.
    async fn status(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Result<(LaneStatus, Older), String>, LedgerError> {
        let mut present = None;
        for (target, older) in self.where_it_may_run(chat, session).await? {
            match self.turns.status(session, &target).await {
                Ok(lane) if lane.running_since.is_some() => return Ok(Ok((lane, older))),
                Ok(lane) => drop(present.get_or_insert((lane, older))),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(present.ok_or_else(|| "there is nothing to ask".to_owned()))
    }

    /// Where a turn of the chat may run: in its present era and the one before, and wherever something of it is open.
    async fn where_it_may_run(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Vec<(Target, Older)>, LedgerError> {
        let mut targets = self.targets(chat, session).await?;
        for open in self.ledger.open_targets(session, chat).await? {
            if !targets.iter().any(|(target, _)| *target == open) {
                let older = if matches!(open, Target::Chat { .. }) { Older::Yes } else { Older::Aside };
                targets.push((open, older));
            }
        }
        Ok(targets)
    }

    /// The chat's present era and the one before it.
    pub(super) async fn targets(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Vec<(Target, Older)>, LedgerError> {
        let era = self.ledger.chat_era(session, chat).await?;
        let mut targets = vec![(Target::Chat { chat: chat.clone(), era }, Older::No)];
        if let Some(era) = era.checked_sub(1) {
            targets.push((Target::Chat { chat: chat.clone(), era }, Older::Yes));
        }
        Ok(targets)
    }
}

pub(super) async fn answer(
    tx: &mut Tx,
    message: &Receive,
    person: &Person,
    reply: Reply,
) -> Result<Disposition, LedgerError> {
    if first_sight(tx, message, person).await? == Seen::Again {
        return Ok(Disposition::Repeated);
    }
    let (language, chat) = (person.reads(&message.user), chat_of(message));
    let text = match reply {
        Reply::Ready(text) => text,
        Reply::Menu(Menu { text, buttons }) => {
            reply::put_menu(tx, message, &text, buttons).await?;
            return Ok(Disposition::Answered);
        }
        Reply::Last(session) => {
            let (era, name) = (tx.chat_era(&session, &chat).await?, reply::name(message));
            for era in newest_first(era) {
                let target = Target::Chat { chat: chat.clone(), era };
                if tx.tell_again(&session, &target, language, &name).await? {
                    return Ok(Disposition::Answered);
                }
            }
            texts::commands::nothing_before(language)
        }
        Reply::Open(base, open) => {
            let before = tx.chat_settings(&base).await?;
            let after = ChatSettings { open_to_all: open, ..before };
            tx.set_chat_settings(&base, &after).await?;
            texts::commands::opened(language, open)
        }
        Reply::Where(session) => {
            let era = tx.chat_era(&session, &chat).await?;
            let thread = tx.chat_thread(&session, &chat, era).await?;
            texts::place(
                language,
                session.as_str(),
                chat.chat.as_str(),
                thread.as_ref().map(ThreadId::as_str),
            )
        }
        Reply::New(session) => {
            tx.begin_era(&session, &chat).await?;
            texts::new_thread(language)
        }
        Reply::WhoAmI => {
            let (user, chat) = (&message.user, message.chat_key.as_str());
            texts::who(language, &user.id, &user.name, person.role, chat)
        }
    };
    reply::put(tx, message, &text).await?;
    Ok(Disposition::Answered)
}
