//! Questions of agents: put to the chat that asked for the turn, and taken back when nobody has to answer.

mod asked;
mod bounds;
mod decide;
mod field;
mod form;
mod show;

use argus_protocol::SessionId;
use argus_session::{ChatQuestion, ChatRef, Origin, QuestionEnd};
use data_encoding::BASE32_NOPAD;

pub(super) use self::asked::{Asked, Kind, What, read};
pub(super) use self::bounds::{fenced, hides, middle_out, short};
pub(super) use self::decide::Verdict;
pub(super) use self::field::{Format, Wrong};
pub(super) use self::form::{Draft, Form, Step, Stepped};
pub(super) use self::show::{Shown, message};
use super::texts;
use crate::store::ledger::{
    Body, DocumentBody, EditBody, Language, Ledger, LedgerError, NewQuestion, NewRow, Question,
    QuestionState, Seen, TextBody, Tx,
};

/// The longest request that is kept, in bytes; nobody could judge a longer one.
const LONGEST_REQUEST: usize = 4 << 20;

/// Puts questions to chats.
#[derive(Clone)]
pub struct Asking(Ledger);

impl Asking {
    /// With questions kept there.
    pub fn new(ledger: Ledger) -> Self {
        Self(ledger)
    }

    /// Puts a question to its chat, once. Where it has been answered, that answer.
    pub async fn ask(
        &self,
        session: &SessionId,
        question: &ChatQuestion,
    ) -> Result<Option<String>, LedgerError> {
        let Some(chat) = question.origin.chat().cloned() else { return Ok(None) };
        let bytes = question.params.len() + question.item.as_ref().map_or(0, String::len);
        let (params, item) = if bytes > LONGEST_REQUEST {
            ("null".to_owned(), None)
        } else {
            (question.params.clone(), question.item.clone())
        };
        let new = NewQuestion {
            id: fresh_id(),
            session: session.clone(),
            key: question.key.clone(),
            asker: asker(&question.origin, &chat),
            chat,
            method: question.method.clone(),
            params,
            item,
            expires_ms: question.expires_ms,
        };
        self.0.write(move |tx| Box::pin(async move { put(tx, new).await })).await
    }

    /// A question needs no answer any more; where it still waits, its message says so. Of what it said only the end is kept.
    pub async fn over(&self, session: &SessionId, key: &str, end: QuestionEnd) -> Result<(), LedgerError> {
        let (session, key) = (session.clone(), key.to_owned());
        let done = self.0.write(move |tx| {
            Box::pin(async move {
                let Some(question) = tx.question_of(&session, &key).await? else { return Ok(()) };
                let id = question.asked.id.clone();
                if is_news(&question, end) {
                    take_back(tx, question, end).await?;
                }
                tx.shed_question(&id).await
            })
        });
        done.await
    }
}

async fn put(tx: &mut Tx, new: NewQuestion) -> Result<Option<String>, LedgerError> {
    if tx.put_question(&new).await? == Seen::Again {
        let known = tx.question_of(&new.session, &new.key).await?;
        return Ok(known.and_then(|question| question.answer));
    }
    let language = tx.language(&new.chat, &new.asker).await?;
    let asked = read(&new.method, &new.params, new.item.as_deref());
    if let Asked::Unaskable(answer) = asked {
        let text = texts::asking::unaskable(language, &new.method, answer.is_some());
        tx.end_question(&new.id, answer.as_deref(), &text).await?;
        if let Some(part) = argus_chat_markup::telegram(&text).into_iter().next() {
            tx.put_out(row(&new, Body::Text(TextBody::of(part.html, part.plain)))).await?;
        }
        return Ok(answer);
    }
    let Shown { part, buttons, whole } = message(&asked, &new.id, &Draft::default(), language, None);
    if let Some(whole) = whole {
        let note = texts::asking::whole(language);
        let (name, text) = (whole.name.to_owned(), whole.text);
        let file = DocumentBody { name, text, html: note.clone(), plain: note, live: None };
        let dedupe_key = format!("{}:whole", row_key(&new.id));
        tx.put_out(NewRow { dedupe_key, chat: new.chat.clone(), body: Body::Document(file) }).await?;
    }
    tx.put_out(row(&new, Body::Text(TextBody { buttons, ..TextBody::of(part.html, part.plain) }))).await?;
    Ok(None)
}

/// Whether its message has to say so. An answer that came too late for the session does not stand there as if it counted.
fn is_news(question: &Question, end: QuestionEnd) -> bool {
    match question.state {
        QuestionState::Open => true,
        QuestionState::Answered => end != QuestionEnd::Answered,
        QuestionState::Over => false,
    }
}

async fn take_back(tx: &mut Tx, question: Question, end: QuestionEnd) -> Result<(), LedgerError> {
    let language = tx.language(&question.asked.chat, &question.asked.asker).await?;
    let told = texts::asking::ended(language, end);
    tx.end_question(&question.asked.id, None, &told).await?;
    change(tx, &question, language, Some(&told), "over").await
}

/// Changes the message of a question: to its next step, or to what came of it. `by` names this very change.
pub(super) async fn change(
    tx: &mut Tx,
    question: &Question,
    language: Language,
    end: Option<&str>,
    by: &str,
) -> Result<(), LedgerError> {
    let NewQuestion { id, chat, method, params, item, .. } = &question.asked;
    let (asked, draft) = (read(method, params, item.as_deref()), Draft::kept(question.draft.as_deref()));
    let Shown { part, buttons, .. } = message(&asked, id, &draft, language, end);
    let of = row_key(id);
    let body = Body::Edit(EditBody { of: of.clone(), html: part.html, plain: part.plain, buttons });
    tx.put_out(NewRow { dedupe_key: format!("{of}:{by}"), chat: chat.clone(), body }).await
}

fn row(new: &NewQuestion, body: Body) -> NewRow {
    NewRow { dedupe_key: row_key(&new.id), chat: new.chat.clone(), body }
}

/// The outbox's name for a question's message.
fn row_key(id: &str) -> String {
    format!("ask:{id}")
}

/// Who asked for the turn: a person, or in a private chat the one it belongs to.
fn asker(origin: &Origin, chat: &ChatRef) -> String {
    match origin {
        Origin::Chat { user, .. } => user.clone(),
        Origin::Client { .. } | Origin::Cron { .. } | Origin::Heartbeat { .. } => chat.chat.to_string(),
    }
}

/// An id that nobody can guess: 80 bits, 16 characters.
pub(super) fn fresh_id() -> String {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    BASE32_NOPAD.encode(&bytes)
}
