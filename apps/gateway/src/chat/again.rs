//! The last thing that a chat asked, again.

use argus_protocol::SessionId;
use argus_protocol::argus::chat::{Disposition, Pressed, Receive};
use argus_session::{ChatRef, Origin, Submission, Target};

use super::known::first_sight;
use super::pressing::{notice, silent};
use super::{ChatError, Chats, Done, Parts, Spoken, reply, texts};
use crate::clock::new_submission_id;
use crate::store::ledger::{LastAsked, LedgerError, NewSubmission, Person, Phase, Seen, Submitted, Tx};

/// What there is to be asked again.
enum Last {
    /// Nothing was asked here.
    Nothing,
    /// It is being worked on.
    Open,
    /// This, in the chat's own thread or in another.
    Ask(LastAsked, Option<Target>),
}

impl Chats {
    /// The same by a button.
    pub(super) async fn retry_by_button(
        &self,
        by: &Spoken,
        person: &Person,
        message: &str,
    ) -> Result<Pressed, ChatError> {
        let language = person.reads(&by.user);
        let session = self.0.session_of(by).await?;
        let last = match self.0.last(&session, &by.chat).await? {
            Last::Nothing => return Ok(notice(texts::commands::nothing_before(language))),
            Last::Open => return Ok(notice(texts::commands::still_open(language))),
            Last::Ask(last, aside) => (last, aside),
        };
        let (by, message) = (by.clone(), message.to_owned());
        let stored = self.0.ledger.write(move |tx| {
            Box::pin(async move {
                match tx.note_received(&by.chat.channel, &by.chat.bot, &by.idempotency_key).await? {
                    Seen::Again => Ok(None),
                    Seen::First => ask(tx, session, &by, message, last).await,
                }
            })
        });
        let Some(submission) = stored.await? else { return Ok(silent()) };
        let standing = self.0.turns.submitted(submission.clone()).await;
        self.watch(submission, standing);
        Ok(notice(texts::commands::again(language)))
    }
}

impl Parts {
    /// `/retry`
    pub(super) async fn retry(&self, message: &Receive, person: Person) -> Result<Done, ChatError> {
        let session = self.session(message).await?;
        let by = Spoken::of(message);
        let last = self.last(&session, &by.chat).await?;
        let message = message.clone();
        let stored = self.ledger.write(move |tx| {
            Box::pin(async move {
                if first_sight(tx, &message, &person).await? == Seen::Again {
                    return Ok(Done::As(Disposition::Repeated));
                }
                let language = person.reads(&message.user);
                let text = match last {
                    Last::Ask(last, aside) => {
                        let stored = ask(tx, session, &by, message.message_id, (last, aside)).await?;
                        return Ok(stored
                            .map_or(Done::As(Disposition::Repeated), |one| Done::Submitted(Box::new(one))));
                    }
                    Last::Nothing => texts::commands::nothing_before(language),
                    Last::Open => texts::commands::still_open(language),
                };
                reply::put(tx, &message, &text).await?;
                Ok(Done::As(Disposition::Answered))
            })
        });
        Ok(stored.await?)
    }

    async fn last(&self, session: &SessionId, chat: &ChatRef) -> Result<Last, LedgerError> {
        match self.ledger.last_aside(session, chat).await? {
            Some((_, LastAsked { phase, .. })) if phase != Phase::Settled => return Ok(Last::Open),
            Some((target, last)) => return Ok(Last::Ask(last, Some(target))),
            None => {}
        }
        for era in newest_first(self.ledger.chat_era(session, chat).await?) {
            let target = Target::Chat { chat: chat.clone(), era };
            match self.ledger.last_asked(session, &target).await? {
                Some(LastAsked { phase, .. }) if phase != Phase::Settled => return Ok(Last::Open),
                Some(last) => return Ok(Last::Ask(last, None)),
                None => {}
            }
        }
        Ok(Last::Nothing)
    }
}

/// How many of a chat's eras are looked at for what came last in it: people may have said `/new` several times since.
const LOOKED_BACK: u32 = 20;

/// The present era and those before it, the newest first.
pub(super) fn newest_first(era: u32) -> impl Iterator<Item = u32> {
    (0..=LOOKED_BACK).map_while(move |back| era.checked_sub(back))
}

/// Asks it in the chat's present thread, or where it was asked aside of it.
async fn ask(
    tx: &mut Tx,
    session: SessionId,
    by: &Spoken,
    message: String,
    (last, aside): (LastAsked, Option<Target>),
) -> Result<Option<Submission>, LedgerError> {
    let chat = by.chat.clone();
    let era = tx.chat_era(&session, &chat).await?;
    let submission = Submission {
        id: new_submission_id(),
        session,
        target: aside.unwrap_or_else(|| Target::Chat { chat: chat.clone(), era }),
        thread: None,
        origin: Origin::Chat { chat, user: by.user.id.clone(), message },
        text: last.text,
        attachments: last.attachments,
    };
    Ok(match tx.submit(NewSubmission { submission, idempotency_key: None }).await? {
        Submitted::New(submission) => Some(submission),
        Submitted::Repeated(_) => None,
    })
}
