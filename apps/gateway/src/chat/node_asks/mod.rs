//! Questions of nodes: put to the operator at home, answered by a button, taken back when nobody has to answer.

mod show;

use argus_protocol::argus::chat::Pressed;
use argus_protocol::node::Ask;
use argus_session::ChatRef;
use serde::{Deserialize, Serialize};

use self::show::message;
use super::button::Deed;
use super::pressing::{alert, notice, silent};
use super::spoken::base;
use super::{ChatError, Chats, Parts, Spoken, asking, texts};
use crate::clock::unix_ms;
use crate::store::ledger::{
    Body, Button, EditBody, Language, LedgerError, MostAsked, NewRow, NodeQuestion, NodeQuestionState,
    Person, Put, Role, Seen, TextBody, Tx,
};

/// Questions that may be open.
const MOST_OPEN: MostAsked = MostAsked { of_one: 8, of_all: 64 };
/// Questions that may be put in an hour: a machine, or an agent that calls again and again, must not fill the chat.
const MOST_LATELY: MostAsked = MostAsked { of_one: 60, of_all: 240 };
/// The longest that one may wait, in milliseconds.
const LONGEST_MS: u64 = 60 * 60 * 1000;
/// Characters that are kept: of what is to be done, of anything else.
const LONGEST_WHAT: usize = 2000;
const LONGEST: usize = 300;

/// What is asked, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) node: String,
    pub(super) command: String,
    pub(super) what: String,
    pub(super) cwd: Option<String>,
    pub(super) session: Option<String>,
}

/// What came of a question that was put to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerAsked {
    /// The owner reads it.
    Waits,
    /// The owner has answered it before: yes or no, and who that was.
    Answered(bool, String),
    /// There is nobody to be asked.
    Nobody,
    /// Too many are open, or were asked in the last hour.
    Full,
}

impl Chats {
    /// Puts a node's question to the operator at home, once. `name` is what people call the node.
    pub async fn ask_owner(&self, node: &str, name: &str, ask: &Ask) -> Result<OwnerAsked, ChatError> {
        let Some(chat) = self.0.owners_chat().await? else { return Ok(OwnerAsked::Nobody) };
        let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let asked = Asked {
            node: short(name, LONGEST),
            command: short(&ask.command, LONGEST),
            what: short(&ask.what, LONGEST_WHAT),
            cwd: ask.cwd.as_deref().map(|cwd| short(cwd, LONGEST)),
            session: ask.session_id.as_deref().map(|id| short(id, LONGEST)),
        };
        let question = NodeQuestion {
            id: asking::fresh_id(),
            node_id: node.to_owned(),
            ask_id: ask.id.clone(),
            chat,
            asked: serde_json::to_string(&asked).expect("texts serialize"),
            state: NodeQuestionState::Open,
            expires_ms: unix_ms() + ask.expires_in_ms.min(LONGEST_MS),
        };
        let put = self.0.ledger.write(move |tx| Box::pin(async move { put(tx, &question, &asked).await }));
        Ok(match put.await? {
            Put::New | Put::Known(NodeQuestionState::Open | NodeQuestionState::Over) => OwnerAsked::Waits,
            Put::Known(NodeQuestionState::Allowed(by)) => OwnerAsked::Answered(true, by),
            Put::Known(NodeQuestionState::Denied(by)) => OwnerAsked::Answered(false, by),
            Put::Full => OwnerAsked::Full,
        })
    }

    /// A node's question needs no answer any more; where it still waits, its message says so.
    pub async fn owner_is_not_needed(&self, node: &str, ask: &str) -> Result<(), ChatError> {
        let (node, ask) = (node.to_owned(), ask.to_owned());
        let done = self.0.ledger.write(move |tx| {
            Box::pin(async move {
                match tx.node_question_of(&node, &ask).await? {
                    Some(question) => {
                        end(tx, question, NodeQuestionState::Over, texts::node_asks::over).await
                    }
                    None => Ok(()),
                }
            })
        });
        Ok(done.await?)
    }

    /// Takes back the questions of nodes whose time is over.
    pub async fn end_overdue_node_asks(&self) -> Result<(), ChatError> {
        let parts = &self.0;
        for question in parts.ledger.overdue_node_questions(unix_ms()).await? {
            let ended = parts.ledger.write(move |tx| {
                Box::pin(async move {
                    end(tx, question, NodeQuestionState::Over, texts::node_asks::expired).await
                })
            });
            ended.await?;
        }
        Ok(())
    }
}

impl Parts {
    /// The home chat, where it is an operator's own and one of the bots speaks there.
    async fn owners_chat(&self) -> Result<Option<ChatRef>, ChatError> {
        let Some(chat) = self.ledger.home_chat().await? else { return Ok(None) };
        if self.can_answer(&chat.channel, &chat.bot).is_err() {
            return Ok(None);
        }
        // A private chat has the id of its person.
        let id = base(&chat).chat.to_string();
        let person = self.ledger.person(&chat.channel, &chat.bot, &id).await?;
        let is_operators = person.is_some_and(|person| self.role_of(&id, &person) == Role::Operator);
        Ok(is_operators.then_some(chat))
    }

    /// Answers a node's question by one of its buttons.
    pub(super) async fn answer_node(
        &self,
        spoken: &Spoken,
        person: &Person,
        id: String,
        allow: bool,
    ) -> Result<Pressed, ChatError> {
        let (by, person) = (spoken.clone(), person.clone());
        let outcome =
            self.ledger.write(move |tx| Box::pin(async move { press(tx, &by, &person, &id, allow).await }));
        let (pressed, answered) = outcome.await?;
        argus_crash_point::here("press.stored").await;
        if let Some((question, by)) = answered {
            self.machines.answered(&question.node_id, &question.ask_id, allow, &by).await;
        }
        Ok(pressed)
    }
}

async fn press(
    tx: &mut Tx,
    by: &Spoken,
    person: &Person,
    id: &str,
    allow: bool,
) -> Result<(Pressed, Option<(NodeQuestion, String)>), LedgerError> {
    let language = person.reads(&by.user);
    let found = tx.node_question(id).await?.filter(|question| question.chat == by.chat);
    let Some(question) = found else {
        return Ok((notice(texts::asking::unknown_button(language)), None));
    };
    if person.role != Role::Operator {
        return Ok((alert(texts::node_asks::operators_only(language)), None));
    }
    let is_late = question.expires_ms <= tx.now_ms();
    let words = match &question.state {
        NodeQuestionState::Open if is_late => Some(texts::node_asks::expired(language)),
        NodeQuestionState::Open => None,
        NodeQuestionState::Allowed(by) => Some(texts::node_asks::allowed(language, by)),
        NodeQuestionState::Denied(by) => Some(texts::node_asks::denied(language, by)),
        NodeQuestionState::Over => Some(texts::node_asks::over(language)),
    };
    if let Some(words) = words {
        return Ok((notice(words), None));
    }
    if tx.note_received(&by.chat.channel, &by.chat.bot, &by.idempotency_key).await? == Seen::Again {
        return Ok((silent(), None));
    }
    let (name, who) = (by.name(), format!("{}:{} ({})", by.chat.channel, by.name(), by.user.id));
    tracing::info!(node.id = question.node_id, user.id = by.user.id, allowed = allow, "an operator decided");
    let state =
        if allow { NodeQuestionState::Allowed(who.clone()) } else { NodeQuestionState::Denied(who.clone()) };
    let words = move |language| {
        let words = if allow { texts::node_asks::allowed } else { texts::node_asks::denied };
        words(language, &name)
    };
    let told = notice(words(language));
    end(tx, question.clone(), state, words).await?;
    Ok((told, Some((question, who))))
}

async fn put(tx: &mut Tx, question: &NodeQuestion, asked: &Asked) -> Result<Put, LedgerError> {
    let put = tx.put_node_question(question, MOST_OPEN, MOST_LATELY).await?;
    if put != Put::New {
        return Ok(put);
    }
    let language = reads(tx, &question.chat).await?;
    let part = message(asked, language, None);
    let button = |text: String, allow: bool| {
        let data = Deed::Node { id: question.id.clone(), allow }.data()?;
        Some(Button { text, data })
    };
    let row =
        [button(texts::node_asks::allow(language), true), button(texts::node_asks::deny(language), false)];
    let buttons = vec![row.into_iter().flatten().collect()];
    let body = Body::Text(TextBody { buttons, ..TextBody::of(part.html, part.plain) });
    tx.put_out(NewRow { dedupe_key: row_key(&question.id), chat: question.chat.clone(), body }).await?;
    Ok(put)
}

/// Ends an open question, and has its message say how.
async fn end(
    tx: &mut Tx,
    question: NodeQuestion,
    state: NodeQuestionState,
    words: impl Fn(Language) -> String,
) -> Result<(), LedgerError> {
    if question.state != NodeQuestionState::Open {
        return Ok(());
    }
    tx.end_node_question(&question.id, &state).await?;
    let language = reads(tx, &question.chat).await?;
    let Ok(asked) = serde_json::from_str::<Asked>(&question.asked) else { return Ok(()) };
    let part = message(&asked, language, Some(&words(language)));
    let of = row_key(&question.id);
    let dedupe_key = format!("{of}:over");
    let body = Body::Edit(EditBody { of, html: part.html, plain: part.plain, buttons: Vec::new() });
    tx.put_out(NewRow { dedupe_key, chat: question.chat, body }).await
}

/// The language of the person whose private chat it is.
async fn reads(tx: &mut Tx, chat: &ChatRef) -> Result<Language, LedgerError> {
    tx.language(chat, base(chat).chat.as_str()).await
}

/// The outbox's name for a question's message.
fn row_key(id: &str) -> String {
    format!("node-ask:{id}")
}
