//! Questions of the agent in turns that chats asked for: put to the chat, its answer brought to the agent, its end told.

use argus_protocol::agent::method;
use argus_protocol::{ThreadId, frame};
use bytes::Bytes;
use serde_json::Value;

use crate::approvals::{Asked, Waiting};
use crate::decline::declined;
use crate::effect::Effect;
use crate::lane::{Leg, Running, Starting, State, origin};
use crate::lanes::Lanes;
use crate::link::Link;
use crate::session::Session;
use crate::turn::Origin;

/// A question of the agent for the chat that asked for the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatQuestion {
    /// Names it in its session for ever.
    pub key: String,
    /// Who asked for the turn.
    pub origin: Origin,
    /// The method of the agent's request.
    pub method: String,
    /// Its parameters, JSON text.
    pub params: String,
    /// The item that it is about, as `item/started` showed it (JSON text), where the parameters only name it.
    pub item: Option<String>,
    /// When it is declined, unix milliseconds.
    pub expires_ms: u64,
}

/// Why a question needs no answer of the chat any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionEnd {
    /// The agent has its answer: the chat's, or another client's.
    Answered,
    /// Its turn is over, or its agent is gone.
    Withdrawn,
    /// Nobody answered in time; it is declined.
    Expired,
}

/// The longest key of a question; one with a longer id is not put to a chat.
const KEY_BYTES: usize = 512;

/// A question for a chat, and how far it is.
#[derive(Debug)]
pub(crate) struct Put {
    origin: Origin,
    /// The item that it is about, JSON text.
    item: Option<String>,
    /// Whether the chat was asked.
    asked: bool,
    /// What the agent is answered, whoever answered.
    answer: Option<Bytes>,
    /// Whether the answer is on its way. Until the agent says that it has it, another owner may have to send it again.
    sent: bool,
    /// Whether the chat was told that it is over.
    over: bool,
}

/// The key of a question: ids of an agent may come again, lines of a bridge do not.
pub(crate) fn key(boot: &str, shown: &str, line: u64) -> String {
    format!("{boot}/{}@{line}", shown.trim_matches('"'))
}

/// Whether a person can answer it; anything else is for programs.
fn is_for_people(method: &str) -> bool {
    matches!(
        method,
        method::APPROVE_COMMAND
            | method::APPROVE_FILE_CHANGE
            | method::APPROVE_PERMISSIONS
            | method::USER_INPUT
            | method::ELICITATION
    )
}

/// Whose question it is, as far as that is known; with the turn where it names none itself.
fn asker(lanes: &Lanes, waiting: &Waiting) -> (Asked, Option<String>) {
    let clients = (Asked::Clients(None), None);
    if !is_for_people(waiting.frame.method()) || waiting.key.len() > KEY_BYTES {
        return clients;
    }
    let thread = waiting.thread.as_deref().and_then(|thread| thread.parse::<ThreadId>().ok());
    let lane = thread.and_then(|thread| lanes.find_thread(&thread)).and_then(|id| lanes.all.get(&id));
    let is_of = |turn: &str| waiting.turn.as_deref().is_none_or(|asks| asks == turn);
    match lane.map(|lane| &lane.state) {
        Some(State::Running(running))
            if waiting.line > running.mark.after && is_of(running.turn.as_str()) =>
        {
            let Some(chat @ Origin::Chat { .. }) = origin(&running.batch) else { return clients };
            (Asked::Chat(put(chat, running, waiting)), Some(running.turn.to_string()))
        }
        Some(State::Starting(Starting { batch, leg: Leg::Sent(sent), .. }))
            if waiting.line > sent.mark.after && matches!(origin(batch), Some(Origin::Chat { .. })) =>
        {
            (Asked::Nobody, None)
        }
        _ => clients,
    }
}

fn put(origin: &Origin, running: &Running, waiting: &Waiting) -> Put {
    let item = running.notes.item(waiting.frame.params().unwrap_or_default());
    Put { origin: origin.clone(), item, asked: false, answer: None, sent: false, over: false }
}

impl Session {
    /// Finds out who is to be asked what nobody was asked yet.
    pub(crate) fn find_askers(&mut self) {
        for waiting in &mut self.requests.waiting {
            if let Asked::Nobody = waiting.asked {
                let (asked, turn) = asker(&self.lanes, waiting);
                waiting.asked = asked;
                waiting.turn = waiting.turn.take().or(turn);
            }
        }
    }

    /// Asks chats what they were not asked yet, and sends their answers.
    pub(crate) fn ask_chats(&mut self) {
        let now = self.now;
        let mut answers = Vec::new();
        for (at, waiting) in self.requests.waiting.iter_mut().enumerate() {
            let Asked::Chat(put) = &mut waiting.asked else { continue };
            if let Some(answer) = put.answer.as_ref().filter(|_| !put.sent) {
                answers.push((at, answer.clone()));
            }
            let Some(expires) = waiting.expires.filter(|_| !put.asked) else { continue };
            put.asked = true;
            self.requests.asked_before.remove(&waiting.key);
            self.effects.push_back(Effect::AskChat(ChatQuestion {
                key: waiting.key.clone(),
                origin: put.origin.clone(),
                method: waiting.frame.method().to_owned(),
                params: waiting.frame.params().unwrap_or("{}").to_owned(),
                item: put.item.clone(),
                expires_ms: now.unix + expires.saturating_sub(now.mono),
            }));
        }
        for (at, answer) in answers {
            // What cannot be sent now is sent later.
            let sent = self.send_down(answer);
            if let Asked::Chat(put) = &mut self.requests.waiting[at].asked {
                put.sent = sent;
            }
        }
    }

    /// A chat answers. The first answer counts; a late one goes nowhere.
    pub(crate) fn chat_answers(&mut self, key: &str, result: &str) {
        let waiting = self.requests.waiting.iter().find(|one| one.key == key);
        let Some(waiting) = waiting.filter(|one| matches!(one.asked, Asked::Chat(_))) else { return };
        let text = match serde_json::from_str::<Value>(result) {
            Ok(result) => frame::reply(&waiting.id, &result.to_string()),
            Err(_) => declined(waiting.frame.method(), &waiting.id),
        };
        self.answer_of_chat(key, text);
    }

    /// The answer to what a chat was asked, for the agent. It is kept until the agent says that it has it.
    pub(crate) fn answer_of_chat(&mut self, key: &str, text: Bytes) {
        let Some(waiting) = self.requests.waiting.iter_mut().find(|one| one.key == key) else { return };
        let Asked::Chat(put) = &mut waiting.asked else { return };
        if put.answer.is_none() {
            (put.answer, waiting.expires) = (Some(text), None);
        }
    }

    /// Declines what chats did not answer in time, and tells them.
    pub(crate) fn decline_for_chats(&mut self) {
        let now = self.now.mono;
        for waiting in &mut self.requests.waiting {
            let Asked::Chat(put) = &mut waiting.asked else { continue };
            if waiting.expires.is_some_and(|at| at <= now) {
                put.answer = Some(declined(waiting.frame.method(), &waiting.id));
                waiting.expires = None;
                let known = put.asked || self.requests.asked_before.remove(&waiting.key);
                if known && !std::mem::replace(&mut put.over, true) {
                    let (key, end) = (waiting.key.clone(), QuestionEnd::Expired);
                    self.effects.push_back(Effect::QuestionOver { key, end });
                }
            }
        }
    }

    /// Where a chat was asked this, it is told that it is over; once.
    pub(crate) fn tell_chat(&mut self, waiting: &Waiting, end: QuestionEnd) {
        let Asked::Chat(put) = &waiting.asked else { return };
        let known = self.requests.asked_before.remove(&waiting.key) || put.asked;
        if known && !put.over {
            let end = if put.answer.is_some() { QuestionEnd::Answered } else { end };
            self.effects.push_back(Effect::QuestionOver { key: waiting.key.clone(), end });
        }
    }

    /// What the last owner put to chats, and does not come again, is over: its turn or its agent is.
    pub(crate) fn end_former_questions(&mut self) {
        let unknown = |link: &Link| !link.caught_up();
        let open = self.lanes.all.values().any(|lane| matches!(lane.state, State::Recovering(_)));
        if self.requests.asked_before.is_empty() || open || self.link.as_ref().is_some_and(unknown) {
            return;
        }
        for key in std::mem::take(&mut self.requests.asked_before) {
            if self.requests.waiting.iter().any(|one| one.key == key) {
                self.requests.asked_before.insert(key);
            } else {
                self.effects.push_back(Effect::QuestionOver { key, end: QuestionEnd::Withdrawn });
            }
        }
    }
}
