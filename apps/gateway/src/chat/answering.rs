//! Answers of people to an agent's questions: by a button, or in words as a reply to the question.

use argus_protocol::agent::Route;
use argus_protocol::argus::chat::{Disposition, Pressed, Receive};
use argus_protocol::{SessionId, ThreadId};
use argus_session::Target;
use serde_json::Value;

use super::asking::{self, Asked, Draft, Form, Step, Stepped, Wrong};
use super::known::first_sight;
use super::pressing::{alert, notice, silent};
use super::{ChatError, Done, Parts, Spoken, reply, texts};
use crate::store::ledger::{LedgerError, Person, Question, QuestionState, Role, Seen, Tx};

/// An answer that is durable and has to be told to its session.
struct Told {
    session: SessionId,
    key: String,
    result: String,
    /// Whether the turn has to be stopped too.
    stops: bool,
    /// The thread in which the agent asked, where it says so.
    thread: Option<ThreadId>,
}

/// What a button comes to.
struct Outcome {
    pressed: Pressed,
    told: Option<Told>,
}

impl From<Pressed> for Outcome {
    fn from(pressed: Pressed) -> Self {
        Self { pressed, told: None }
    }
}

/// What came of a question.
struct End {
    result: Value,
    words: String,
    stops: bool,
}

impl Parts {
    /// Answers a question by one of its buttons.
    pub(super) async fn answer_by_button(
        &self,
        spoken: &Spoken,
        person: &Person,
        id: String,
        word: String,
    ) -> Result<Pressed, ChatError> {
        let (by, person) = (spoken.clone(), person.clone());
        let outcome =
            self.ledger.write(move |tx| Box::pin(async move { press(tx, &by, &person, &id, &word).await }));
        let Outcome { pressed, told } = outcome.await?;
        argus_crash_point::here("press.stored").await;
        self.tell(spoken, told).await?;
        argus_crash_point::here("press.told").await;
        Ok(pressed)
    }

    /// Takes a message as the answer to the question that it is a reply to, where that can be answered in words.
    pub(super) async fn answer_in_words(
        &self,
        message: &Receive,
        person: &Person,
    ) -> Result<Option<Done>, ChatError> {
        let Some(replied) = &message.reply_to else { return Ok(None) };
        let spoken = Spoken::of(message);
        let question = self.ledger.question_of_message(&spoken.chat, &replied.message_id).await?;
        let Some(question) = question.filter(takes_words) else { return Ok(None) };
        let (message, person, by) = (message.clone(), person.clone(), spoken.clone());
        let answered = self.ledger.write(move |tx| {
            Box::pin(async move {
                if first_sight(tx, &message, &person).await? == Seen::Again {
                    return Ok((Disposition::Repeated, None));
                }
                let told = words(tx, &message, &by, &person, &question.asked.id).await?;
                Ok((Disposition::Answered, told))
            })
        });
        let (disposition, told) = answered.await?;
        self.tell(&spoken, told).await?;
        Ok(Some(Done::As(disposition)))
    }

    async fn tell(&self, spoken: &Spoken, told: Option<Told>) -> Result<(), ChatError> {
        let Some(Told { session, key, result, stops, thread }) = told else { return Ok(()) };
        self.turns.answer(&session, &key, &result).await;
        if !stops {
            return Ok(());
        }
        let stopped = match thread {
            Some(id) => self.turns.stop(&session, &Target::Thread { id }).await,
            None => self.stop(&spoken.chat, &session).await?,
        };
        if let Err(reason) = stopped {
            tracing::warn!(session.id = %session, reason, "a turn could not be stopped after its question was denied");
        }
        Ok(())
    }
}

async fn press(
    tx: &mut Tx,
    by: &Spoken,
    person: &Person,
    id: &str,
    word: &str,
) -> Result<Outcome, LedgerError> {
    let language = person.reads(&by.user);
    let Some(question) = tx.question(id).await?.filter(|question| question.asked.chat == by.chat) else {
        return Ok(notice(texts::asking::unknown_button(language)).into());
    };
    if question.state != QuestionState::Open {
        let outcome = question.outcome.unwrap_or_else(|| texts::asking::unknown_button(language));
        return Ok(notice(outcome).into());
    }
    if !may_answer(person, by, &question) {
        return Ok(alert(texts::asking::not_yours(language)).into());
    }
    if tx.note_received(&by.chat.channel, &by.chat.bot, &by.idempotency_key).await? == Seen::Again {
        return Ok(silent().into());
    }
    let asked = &question.asked;
    let reads = tx.language(&asked.chat, &asked.asker).await?;
    match asking::read(&asked.method, &asked.params, asked.item.as_deref()) {
        Asked::Decide(decide) => {
            let Some(choice) = decide.choices.into_iter().find(|choice| choice.word == word) else {
                return Ok(notice(texts::asking::unknown_button(language)).into());
            };
            let words = texts::asking::decided(reads, &choice.verdict, &by.name());
            tracing::info!(
                session.id = %asked.session, user.id = by.user.id, method = asked.method, decision = choice.word,
                allowed = choice.verdict.allows(), "a chat decided"
            );
            let end = End { result: choice.result, words, stops: choice.stops };
            let pressed = notice(end.words.clone());
            Ok(Outcome { pressed, told: Some(close(tx, by, &question, end).await?) })
        }
        Asked::Fill(form) => {
            let Some(step) = Step::read(word) else {
                return Ok(notice(texts::asking::unknown_button(language)).into());
            };
            let stepped = form.step(Draft::kept(question.draft.as_deref()), step);
            if stepped == Stepped::Count {
                let (least, most) = counts(&form, &question);
                return Ok(notice(texts::forms::count(language, least, most)).into());
            }
            if stepped == Stepped::Late {
                return Ok(notice(texts::asking::unknown_button(language)).into());
            }
            let told = go_on(tx, by, &question, stepped).await?;
            Ok(Outcome { pressed: silent(), told })
        }
        Asked::Unaskable(_) => Ok(notice(texts::asking::unknown_button(language)).into()),
    }
}

/// Takes words as the answer to what is asked now, or says what is wrong with them.
async fn words(
    tx: &mut Tx,
    message: &Receive,
    by: &Spoken,
    person: &Person,
    id: &str,
) -> Result<Option<Told>, LedgerError> {
    let language = person.reads(&by.user);
    let open = tx.question(id).await?.filter(|question| question.state == QuestionState::Open);
    let text = match open {
        None => texts::asking::unknown_button(language),
        Some(question) if !may_answer(person, by, &question) => texts::asking::not_yours(language),
        Some(question) => match answered(&question, &message.text) {
            Ok(Stepped::Late | Stepped::Count) => texts::asking::unknown_button(language),
            Ok(stepped) => return go_on(tx, by, &question, stepped).await,
            Err(wrong) => texts::forms::wrong(language, &wrong),
        },
    };
    reply::put(tx, message, &text).await?;
    Ok(None)
}

fn answered(question: &Question, text: &str) -> Result<Stepped, Wrong> {
    match form_of(question) {
        Some(form) => form.words(Draft::kept(question.draft.as_deref()), text),
        None => Ok(Stepped::Late),
    }
}

/// The next step of a form, or its end.
async fn go_on(
    tx: &mut Tx,
    by: &Spoken,
    question: &Question,
    stepped: Stepped,
) -> Result<Option<Told>, LedgerError> {
    let asked = &question.asked;
    let language = tx.language(&asked.chat, &asked.asker).await?;
    let (draft, end) = match stepped {
        Stepped::On(draft) => (draft, None),
        Stepped::Whole(draft, result) => {
            (draft, Some((result, texts::asking::answered(language, &by.name()))))
        }
        Stepped::Refused(result) => {
            let words = texts::asking::refused(language, &by.name());
            return close(tx, by, question, End { result, words, stops: false }).await.map(Some);
        }
        Stepped::Late | Stepped::Count => return Ok(None),
    };
    let draft = serde_json::to_string(&draft).expect("a draft serializes");
    tx.draft_question(&asked.id, &draft).await?;
    let question = Question { draft: Some(draft), ..question.clone() };
    let Some((result, words)) = end else {
        asking::change(tx, &question, language, None, &by.idempotency_key).await?;
        return Ok(None);
    };
    close(tx, by, &question, End { result, words, stops: false }).await.map(Some)
}

/// Ends a question with an answer: it is kept, and the message shows what came of it.
async fn close(tx: &mut Tx, by: &Spoken, question: &Question, end: End) -> Result<Told, LedgerError> {
    let asked = &question.asked;
    let result = end.result.to_string();
    tx.end_question(&asked.id, Some(&result), &end.words).await?;
    let language = tx.language(&asked.chat, &asked.asker).await?;
    asking::change(tx, question, language, Some(&end.words), &by.idempotency_key).await?;
    let route: Route<'_> = serde_json::from_str(&asked.params).unwrap_or_default();
    let thread = route.thread_id.and_then(|thread| thread.parse().ok());
    Ok(Told { session: asked.session.clone(), key: asked.key.clone(), result, stops: end.stops, thread })
}

/// Who asked for the turn may answer what is asked in it, and so may an operator.
fn may_answer(person: &Person, by: &Spoken, question: &Question) -> bool {
    question.asked.asker == by.user.id || person.role == Role::Operator
}

fn form_of(question: &Question) -> Option<Form> {
    let asked = &question.asked;
    match asking::read(&asked.method, &asked.params, asked.item.as_deref()) {
        Asked::Fill(form) => Some(form),
        Asked::Decide(_) | Asked::Unaskable(_) => None,
    }
}

/// Whether what is asked now can be answered in words.
fn takes_words(question: &Question) -> bool {
    let draft = Draft::kept(question.draft.as_deref());
    form_of(question).is_some_and(|form| form.present(&draft).is_some_and(|field| field.free.is_some()))
}

fn counts(form: &Form, question: &Question) -> (usize, usize) {
    let draft = Draft::kept(question.draft.as_deref());
    let many = form.present(&draft).and_then(|field| field.many.clone());
    many.map_or((1, 1), |many| (*many.start(), *many.end()))
}
