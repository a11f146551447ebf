//! People we know: their commands are answered here, everything else they write becomes a submission.

use argus_protocol::argus::chat::{Attachment, Disposition, Receive};
use argus_protocol::{SessionId, ThreadId};
use argus_session::{ChatRef, LaneStatus, Origin, Submission, Target};

use super::code::Typed;
use super::command::{self, Command, Said};
use super::files::{LeftOut, Rest, sift};
use super::pairing::{keep_known, try_code};
use super::ports::Stopped;
use super::spoken::is_private;
use super::texts::{self, Older};
use super::{ChatError, Done, LONGEST_TEXT, Parts, chat_of, gather, reply, scope};
use crate::clock::new_submission_id;
use crate::store::ledger::{LedgerError, NewSubmission, Person, Seen, Submitted, Tx, Via};

/// What an answer is made of, once it is written down.
enum Reply {
    /// It is known beforehand.
    Ready(String),
    /// Where the chat talks to.
    Where(SessionId),
    /// The chat's next era begins.
    New(SessionId),
    /// Who they are.
    WhoAmI,
}

/// What a command comes to.
enum Deed {
    /// An answer.
    Answer(Reply),
    /// A pairing code of somebody whom only the list names.
    Pair(Typed),
}

impl Parts {
    /// Hears somebody we know.
    pub(super) async fn hear(&self, message: &Receive, person: Person) -> Result<Done, ChatError> {
        let said = match command::read(&message.text) {
            Said::ForAnother => return Ok(Done::As(Disposition::Ignored)),
            Said::Command(command) => Some(command),
            Said::Text => None,
        };
        let language = person.reads(&message.user);
        if said.is_none()
            && let Some(done) = self.answer_in_words(message, &person).await?
        {
            return Ok(done);
        }
        let (files, left_out) = sift(message, self.gathering.media_limit);
        let deed = match said {
            Some(command) => self.obey(message, &person, command).await?,
            None if message.text.trim().is_empty() && files.is_empty() => {
                Deed::Answer(Reply::Ready(if left_out.is_nothing() {
                    texts::nothing_in_it(language)
                } else {
                    left_out.told(language, Rest::IsNothing)
                }))
            }
            None if message.text.len() > LONGEST_TEXT => {
                Deed::Answer(Reply::Ready(texts::too_long(language, LONGEST_TEXT)))
            }
            None => return self.submit(message, person, files, left_out).await,
        };
        let (message, named_operators) = (message.clone(), !self.operators.is_empty());
        let answered = self.ledger.write(move |tx| {
            Box::pin(async move {
                match deed {
                    Deed::Answer(reply) => answer(tx, &message, &person, reply).await,
                    Deed::Pair(typed) => try_code(tx, &message, &typed, named_operators).await,
                }
            })
        });
        Ok(Done::As(answered.await?))
    }

    /// Performs a command as far as it needs others; what it stores comes later.
    async fn obey(
        &self,
        message: &Receive,
        person: &Person,
        command: Command<'_>,
    ) -> Result<Deed, ChatError> {
        let language = person.reads(&message.user);
        Ok(Deed::Answer(match command {
            Command::Help => Reply::Ready(texts::help(language)),
            Command::WhoAmI => Reply::WhoAmI,
            Command::Start(typed) | Command::Pair(typed) => {
                let wanted = match command {
                    Command::Pair(_) => true,
                    _ => !typed.is_empty(),
                };
                match Typed::read(typed) {
                    Some(typed) if person.via == Via::List && is_private(message) => {
                        return Ok(Deed::Pair(typed));
                    }
                    Some(_) if person.via == Via::List => Reply::Ready(texts::pair_in_private(language)),
                    _ if wanted && person.via != Via::List => Reply::Ready(texts::paired_already(language)),
                    _ => Reply::Ready(texts::greeting(language)),
                }
            }
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

    async fn session(&self, message: &Receive) -> Result<SessionId, ChatError> {
        let first = self.ledger.first_key(&chat_of(message)).await?;
        let chat = first.as_ref().unwrap_or(&message.chat_key);
        scope::session(&*self.turns, self.scope, message, chat).await
    }

    /// Stops the chat's turn; where none runs, the one from before `/new`.
    pub(super) async fn stop(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Result<Stopped, String>, LedgerError> {
        let mut first = None;
        for (target, _) in self.targets(chat, session).await? {
            let stopped = self.turns.stop(session, &target).await;
            match &stopped {
                Ok(Stopped { running: false, .. }) => {}
                Ok(_) | Err(_) => return Ok(stopped),
            }
            first.get_or_insert(stopped);
        }
        Ok(first.unwrap_or(Ok(Stopped { running: false, waiting: 0 })))
    }

    /// How the chat's turn stands; where none runs, the one from before `/new`.
    async fn status(
        &self,
        chat: &ChatRef,
        session: &SessionId,
    ) -> Result<Result<(LaneStatus, Older), String>, LedgerError> {
        let mut present = None;
        for (target, older) in self.targets(chat, session).await? {
            match self.turns.status(session, &target).await {
                Ok(lane) if lane.running_since.is_some() => return Ok(Ok((lane, older))),
                Ok(lane) => drop(present.get_or_insert((lane, older))),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(present.ok_or_else(|| "there is nothing to ask".to_owned()))
    }

    /// The chat's present era and the one before it.
    async fn targets(
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

    /// Stores what somebody wrote as a submission.
    async fn submit(
        &self,
        message: &Receive,
        person: Person,
        files: Vec<Attachment>,
        left_out: LeftOut,
    ) -> Result<Done, ChatError> {
        let session = self.session(message).await?;
        argus_crash_point::here("chat.session_chosen").await;
        let message = message.clone();
        let stored = self.ledger.write(move |tx| {
            Box::pin(async move {
                if first_sight(tx, &message, &person).await? == Seen::Again {
                    return Ok(None);
                }
                let chat = chat_of(&message);
                let era = tx.chat_era(&session, &chat).await?;
                if !left_out.is_nothing() {
                    let told = left_out.told(person.reads(&message.user), Rest::IsWorkedOn);
                    reply::put(tx, &message, &told).await?;
                }
                let text = gather::worded(tx, &message).await?;
                let submission = Submission {
                    id: new_submission_id(),
                    session,
                    target: Target::Chat { chat: chat.clone(), era },
                    thread: None,
                    origin: Origin::Chat { chat, user: message.user.id, message: message.message_id },
                    text,
                    attachments: files,
                };
                Ok(Some(tx.submit(NewSubmission { submission, idempotency_key: None }).await?))
            })
        });
        Ok(match stored.await? {
            Some(Submitted::New(submission)) => Done::Submitted(Box::new(submission)),
            Some(Submitted::Repeated(_)) | None => Done::As(Disposition::Repeated),
        })
    }
}

/// Notes the message and who wrote it.
pub(super) async fn first_sight(
    tx: &mut Tx,
    message: &Receive,
    person: &Person,
) -> Result<Seen, LedgerError> {
    let seen = tx.note_received(&message.channel, &message.bot, &message.idempotency_key).await?;
    if let Some(album) = &message.album {
        tx.drop_part(album, message).await?;
    }
    if seen == Seen::First {
        keep_known(tx, message, person).await?;
    }
    Ok(seen)
}

async fn answer(
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
