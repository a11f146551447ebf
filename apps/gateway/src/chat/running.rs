//! Messages that come while a turn runs: they wait, are told to the agent within it, or end it; and messages that change.

use argus_protocol::argus::chat::{Disposition, Pressed, Receive};
use argus_session::{Haste, Hastened, Origin, Submission};
use futures::future::BoxFuture;

use super::button::Deed;
use super::known::first_sight;
use super::ports::Standing;
use super::pressing::{alert, notice, silent};
use super::{ChatError, Chats, Done, LONGEST_TEXT, Parts, Spoken, chat_of, gather, reply, texts};
use crate::config::{WhileRunning, while_running};
use crate::store::ledger::{
    Body, Button, EditBody, LedgerError, NewRow, Person, Phase, Role, Seen, TextBody, note_key,
};

impl Chats {
    /// Sees to a submission that has to wait, as its chat wants it. Holds nobody up.
    pub(super) fn watch(&self, submission: Submission, standing: BoxFuture<'static, Standing>) {
        let chats = self.clone();
        tokio::spawn(async move {
            if standing.await == Standing::Waits
                && let Err(error) = chats.0.waits(&submission).await
            {
                tracing::warn!(session.id = %submission.session, %error, "nobody could be told that a message waits");
            }
        });
    }
}

impl Parts {
    async fn waits(&self, submission: &Submission) -> Result<(), LedgerError> {
        let Origin::Chat { chat, user, message } = &submission.origin else { return Ok(()) };
        let wish = self.ledger.chat_settings(chat).await?.while_running;
        let how = match wish.as_deref().and_then(while_running).unwrap_or(self.while_running) {
            WhileRunning::Queue => None,
            WhileRunning::Steer => Some(Haste::Steer),
            WhileRunning::Interrupt => Some(Haste::Interrupt),
        };
        if let Some(how) = how {
            match self.turns.hasten(&submission.session, &submission.id, how).await {
                Ok(Hastened::NothingRuns) => {}
                Ok(_) => return Ok(()),
                Err(reason) => tracing::debug!(reason, "a message waits that was not to"),
            }
        }
        let (chat, user, message, id) = (chat.clone(), user.clone(), message.clone(), submission.id.clone());
        let told = self.ledger.write(move |tx| {
            Box::pin(async move {
                let language = tx.language(&chat, &user).await?;
                let buttons = [
                    (texts::running::steer(language), Deed::Hasten(Haste::Steer, id.clone())),
                    (texts::running::interrupt(language), Deed::Hasten(Haste::Interrupt, id.clone())),
                ];
                let buttons =
                    buttons.into_iter().filter_map(|(text, deed)| Some(Button { text, data: deed.data()? }));
                let text = texts::running::waits(language, how);
                let body = TextBody {
                    buttons: vec![buttons.collect()],
                    reply_to: Some(message),
                    ..TextBody::of(text.clone(), text)
                };
                tx.note_waiting(&id, chat, body).await
            })
        });
        told.await
    }

    /// Brings a message that waits to the agent, because somebody pressed a button for that.
    pub(super) async fn hasten(
        &self,
        by: &Spoken,
        person: &Person,
        how: Haste,
        id: &argus_protocol::SubmissionId,
    ) -> Result<Pressed, ChatError> {
        let language = person.reads(&by.user);
        let known = self.ledger.submission(id).await?;
        let Some((submission, _)) = known.filter(|(one, _)| one.origin.chat() == Some(&by.chat)) else {
            return Ok(notice(texts::asking::unknown_button(language)));
        };
        let theirs = matches!(&submission.origin, Origin::Chat { user, .. } if *user == by.user.id);
        if !theirs && person.role != Role::Operator {
            return Ok(alert(texts::asking::not_yours(language)));
        }
        let hastened = match self.turns.hasten(&submission.session, id, how).await {
            Ok(hastened) => hastened,
            Err(reason) => return Ok(alert(texts::cannot(language, &reason))),
        };
        let text = texts::running::hastened(language, hastened);
        let (by, of, shown) = (by.clone(), note_key(id), text.clone());
        let first = self.ledger.write(move |tx| {
            Box::pin(async move {
                let seen = tx.note_received(&by.chat.channel, &by.chat.bot, &by.idempotency_key).await?;
                if seen == Seen::First {
                    let dedupe_key = format!("{of}:{}", by.idempotency_key);
                    let body = EditBody { of, html: shown.clone(), plain: shown, buttons: Vec::new() };
                    tx.put_out(NewRow { dedupe_key, chat: by.chat, body: Body::Edit(body) }).await?;
                }
                Ok(seen)
            })
        });
        Ok(if first.await? == Seen::First { notice(text) } else { silent() })
    }

    /// A message has another text now: what it became is changed while it waits.
    pub(super) async fn edited(&self, message: &Receive, person: Person) -> Result<Done, ChatError> {
        let origin = Origin::Chat {
            chat: chat_of(message),
            user: message.user.id.clone(),
            message: message.message_id.clone(),
        };
        let known = self.ledger.submission_of_message(&origin).await?;
        let fits = !message.text.trim().is_empty() && message.text.len() <= LONGEST_TEXT;
        let Some((submission, phase)) = known.filter(|_| fits) else {
            return Ok(Done::As(Disposition::Ignored));
        };
        let text = gather::reworded(message, &submission.text);
        if text == submission.text {
            return Ok(Done::As(Disposition::Ignored));
        }
        if phase == Phase::Settled {
            return Ok(Done::As(Disposition::Ignored));
        }
        let (changed, id, new) = (message.clone(), submission.id.clone(), text.clone());
        let sight = person.clone();
        let amended = self.ledger.write(move |tx| {
            Box::pin(async move {
                if first_sight(tx, &changed, &sight).await? == Seen::Again {
                    return Ok(None);
                }
                Ok(Some(tx.amend(&id, &new).await?))
            })
        });
        let waits = match amended.await? {
            None => return Ok(Done::As(Disposition::Repeated)),
            Some(false) => false,
            Some(true) => {
                let amended = self.turns.amend(&submission.session, &submission.id, text).await;
                // It is durable: whoever brings the submission to the agent reads it.
                amended.unwrap_or(true)
            }
        };
        if waits {
            return Ok(Done::As(Disposition::Answered));
        }
        let (message, language) = (message.clone(), person.reads(&message.user));
        let told = self.ledger.write(move |tx| {
            Box::pin(async move {
                let text = texts::running::too_late(language);
                let key = format!("edited:{}", submission.id);
                reply::put_once(tx, &chat_of(&message), &key, Some(&message.message_id), &text).await
            })
        });
        told.await?;
        Ok(Done::As(Disposition::Answered))
    }
}
