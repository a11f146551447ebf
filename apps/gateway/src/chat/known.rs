//! People we know: their commands are answered here, everything else they write becomes a submission.

use argus_protocol::argus::chat::{Attachment, Disposition, Manner, Receive};
use argus_session::{Origin, Submission, Target};

use super::command::{self, Command, Said};
use super::files::{LeftOut, Rest, sift};
use super::obeying::{Deed, Reply, answer};
use super::pairing::{keep_known, try_code};
use super::spoken::is_private;
use super::{ChatError, Done, LONGEST_TEXT, Parts, chat_of, gather, reply, texts};
use crate::clock::new_submission_id;
use crate::store::ledger::{LedgerError, NewSubmission, Person, Role, Seen, Submitted, Tx};

impl Parts {
    /// Hears somebody we know.
    pub(super) async fn hear(&self, message: &Receive, person: Person) -> Result<Done, ChatError> {
        match message.manner {
            Manner::Addressed => {}
            Manner::Edited => return self.edited(message, person).await,
            Manner::Overheard => return Ok(Done::As(Disposition::Ignored)),
        }
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
            Some(Command::Retry) => return self.retry(message, person).await,
            Some(Command::Model) => return self.ask_for_models(message, person, language).await,
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
                let answers = match &message.reply_to {
                    Some(replied) => tx.goes_on_in(&session, &chat, &replied.message_id).await?,
                    None => None,
                };
                // What goes on in the main thread is nothing for everybody in a group to ask about.
                let answers = answers.filter(|target| {
                    *target != Target::Main || is_private(&message) || person.role == Role::Operator
                });
                let submission = Submission {
                    id: new_submission_id(),
                    session,
                    target: answers.unwrap_or_else(|| Target::Chat { chat: chat.clone(), era }),
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
