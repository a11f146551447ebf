//! Server requests: the agent asks, one client or the chat of the turn answers, nothing waits for ever.

use std::borrow::Cow;
use std::collections::BTreeSet;

use argus_protocol::agent::{Route, method};
use argus_protocol::{ClientId, Frame, frame};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::decline::declined;
use crate::effect::Effect;
use crate::link::{HoldId, Link};
use crate::questions::QuestionEnd;
use crate::questions::{Put, key};
use crate::session::Session;

/// One request that waits for an answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The id that clients see, JSON text of `"<epoch>:<id>"`: an answer meant for another agent fits nothing.
    shown: String,
    /// What names it for chats, in its session for ever.
    pub(crate) key: String,
    /// The agent's own id, JSON text.
    pub(crate) id: String,
    pub(crate) frame: Frame,
    pub(crate) thread: Option<String>,
    pub(crate) turn: Option<String>,
    /// The line that it came with.
    pub(crate) line: u64,
    pub(crate) asked: Asked,
    hold: HoldId,
    /// Monotonic milliseconds; `None` once it has an answer.
    pub(crate) expires: Option<u64>,
    end: End,
}

/// Who is asked.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Nobody yet: the agent has not said whether the turn that asks is the one that a chat asked for.
    Nobody,
    /// A client, as soon as there is one that may be.
    Clients(Option<ClientId>),
    /// The chat that asked for the turn.
    Chat(Put),
}

/// What becomes of a request that nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is declined.
    Declined,
    /// Its turn is over, so that it needs no answer; the agent mostly says so by itself.
    Withdrawn,
}

/// Questions that may wait in one session, in number and in bytes. One more is answered as nobody's would be.
const MOST_WAITING: usize = 256;
const MOST_BYTES: usize = 16 << 20;

/// How long an agent may take to say that a request needs no answer, its turn being over.
const WITHDRAWAL_MS: u64 = 2_000;

/// All that wait, oldest first.
#[derive(Debug, Default)]
pub(crate) struct ServerRequests {
    pub(crate) waiting: Vec<Waiting>,
    /// The keys of those that the last owner put to chats, as far as they have not come again.
    pub(crate) asked_before: BTreeSet<String>,
}

impl ServerRequests {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn are_too_many_with(&self, another: &Frame) -> bool {
        let bytes = self.waiting.iter().map(|one| one.frame.text().len()).sum::<usize>();
        self.waiting.len() >= MOST_WAITING
            || (!self.waiting.is_empty() && bytes + another.text().len() > MOST_BYTES)
    }

    /// Whether this thread waits for a person: its limits stand still meanwhile.
    pub(crate) fn concerns(&self, thread: &str) -> bool {
        self.waiting.iter().any(|one| one.expires.is_some() && one.thread.as_deref() == Some(thread))
    }

    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.waiting.iter().filter_map(|one| one.expires).min()
    }

    /// The lines they came with and the frames themselves, oldest first, for a checkpoint.
    pub(crate) fn frames(&self) -> (Vec<u64>, Vec<String>) {
        let open = self.waiting.iter().filter(|one| one.end == End::Declined);
        open.map(|one| (one.line, String::from_utf8_lossy(one.frame.text()).into_owned())).unzip()
    }

    fn find(&self, shown: &str) -> Option<&Waiting> {
        self.waiting.iter().find(|one| one.shown == shown)
    }

    fn take(&mut self, shown: &str) -> Option<Waiting> {
        let at = self.waiting.iter().position(|one| one.shown == shown)?;
        Some(self.waiting.remove(at))
    }
}

/// The id that clients see instead of an agent's own: `"7:1"` for 1 and `"7:s:1"` for `"1"`, which is another one.
fn shown(epoch: u64, id: &str) -> String {
    match id.strip_prefix('"').and_then(|id| id.strip_suffix('"')) {
        Some(text) => json!(format!("{epoch}:s:{text}")).to_string(),
        None => json!(format!("{epoch}:{id}")).to_string(),
    }
}

impl Session {
    /// The agent asks: answered by the gateway itself, or kept and offered to one client or to a chat.
    pub(crate) fn server_request(&mut self, seq: u64, request: Frame) {
        self.ask_at(seq, seq, request);
    }

    /// The same for a request that came with line `line`; the bridge may have forgotten the lines before `seq`.
    pub(crate) fn ask_at(&mut self, line: u64, seq: u64, request: Frame) {
        let Some(id) = request.id().map(str::to_owned) else { return };
        if request.method() == method::CURRENT_TIME_READ {
            let result = json!({ "currentTimeAt": self.now.unix / 1000 }).to_string();
            self.send_down(frame::reply(&id, &result));
            return;
        }
        let Some(epoch) = self.agent.epoch() else { return };
        let shown = shown(epoch, &id);
        if self.requests.are_too_many_with(&request) {
            self.send_down(declined(request.method(), &id));
            return;
        }
        let route = request.params_as::<Route<'_>>().unwrap_or_default();
        let turn = route.turn().map(str::to_owned);
        let thread = route.thread_id.map(Cow::into_owned);
        let hold = self.hold(seq);
        let expires = Some(self.now.mono.saturating_add(self.config.approval_timeout_ms));
        if let Some(before) = self.requests.take(&shown) {
            self.is_over(&before, QuestionEnd::Withdrawn);
        }
        let boot = self.link.as_ref().map_or("", |link| &link.boot);
        let (key, asked, end) = (key(boot, &shown, line), Asked::Nobody, End::Declined);
        let frame = request;
        let waiting = Waiting { shown, key, id, frame, thread, turn, line, asked, hold, expires, end };
        self.requests.waiting.push(waiting);
        self.offer_requests();
    }

    /// Offers every request that nobody holds to who may be asked now. Not before everything the bridge had kept was
    /// seen: the answer may be there.
    pub(crate) fn offer_requests(&mut self) {
        self.find_askers();
        if !self.link.as_ref().is_some_and(Link::caught_up) {
            return;
        }
        for waiting in self.requests.waiting.iter_mut().filter(|one| one.end == End::Declined) {
            let Asked::Clients(to @ None) = &mut waiting.asked else { continue };
            let Some(client) = self.clients.handler(waiting.thread.as_deref()) else { continue };
            *to = Some(client);
            let text = waiting.frame.with_id(&waiting.shown);
            self.effects.push_back(Effect::ToClient { client, text });
        }
        self.ask_chats();
    }

    /// What was offered to a client that left is to be offered again.
    pub(crate) fn withdraw_offers_of(&mut self, client: ClientId) {
        for waiting in &mut self.requests.waiting {
            if let Asked::Clients(to) = &mut waiting.asked {
                *to = to.filter(|to| *to != client);
            }
        }
    }

    /// What is asked in a turn of a client that is back is to be offered to it, whoever was asked meanwhile.
    pub(crate) fn withdraw_offers_for(&mut self, client: ClientId) {
        let clients = &self.clients;
        let owned = |one: &&mut Waiting| one.thread.as_deref().is_some_and(|t| clients.owns(client, t));
        for waiting in self.requests.waiting.iter_mut().filter(owned) {
            if let Asked::Clients(to) = &mut waiting.asked {
                *to = None;
            }
        }
    }

    /// A client answers. The first answer counts; a later one, or one for another agent, goes nowhere.
    pub(crate) fn answer_request(&mut self, answer: &Frame) {
        let Some(key) = answer.id() else { return };
        let waiting = self.requests.find(key).filter(|waiting| waiting.end == End::Declined);
        let Some(waiting) = waiting else { return };
        let text = answer.with_id(&waiting.id);
        if let Asked::Chat(_) = waiting.asked {
            let key = waiting.key.clone();
            return self.answer_of_chat(&key, text);
        }
        // What cannot be sent now may be answered again.
        if self.send_down(text)
            && let Some(waiting) = self.requests.take(key)
        {
            self.release(waiting.hold);
        }
    }

    /// The agent says that a request needs no answer any more. The notification in the ids that clients know.
    pub(crate) fn resolved_notice(&mut self, notice: &Frame) -> Bytes {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Resolved {
            thread_id: Value,
            request_id: Value,
        }
        let (Some(resolved), Some(epoch)) = (notice.params_as::<Resolved>(), self.agent.epoch()) else {
            return notice.text().clone();
        };
        let shown = shown(epoch, &resolved.request_id.to_string());
        if let Some(waiting) = self.requests.take(&shown) {
            self.is_over(&waiting, QuestionEnd::Answered);
        }
        resolved_notice(&resolved.thread_id, &shown)
    }

    /// A turn is over: what was asked in it needs no answer, and who was asked is told: a chat at once, clients soon, since
    /// the agent mostly tells them.
    pub(crate) fn withdraw_requests(&mut self, thread: &str, turn: &str) {
        let soon = self.now.mono + WITHDRAWAL_MS;
        let concerned =
            |one: &Waiting| one.thread.as_deref() == Some(thread) && one.turn.as_deref() == Some(turn);
        let of_chats = |one: &mut Waiting| concerned(one) && matches!(one.asked, Asked::Chat(_));
        for waiting in self.requests.waiting.extract_if(.., of_chats).collect::<Vec<_>>() {
            self.is_over(&waiting, QuestionEnd::Withdrawn);
        }
        for waiting in self.requests.waiting.iter_mut().filter(|one| concerned(one)) {
            waiting.end = End::Withdrawn;
            waiting.expires = waiting.expires.map(|at| at.min(soon));
        }
    }

    /// Declines what nobody answered in time.
    pub(crate) fn expire_requests(&mut self) {
        let now = self.now.mono;
        let is_late = |one: &mut Waiting| one.expires.is_some_and(|at| at <= now);
        if !self.requests.waiting.iter_mut().any(&is_late) {
            return;
        }
        self.decline_for_chats();
        for waiting in self.requests.waiting.extract_if(.., is_late).collect::<Vec<_>>() {
            self.release(waiting.hold);
            match waiting.end {
                End::Declined => _ = self.send_down(declined(waiting.frame.method(), &waiting.id)),
                End::Withdrawn => self.tell_resolved(&waiting),
            }
        }
    }

    /// The agent that asked is gone: who was asked is told that no answer is needed.
    pub(crate) fn drop_requests(&mut self) {
        for waiting in std::mem::take(&mut self.requests.waiting) {
            if !matches!(waiting.asked, Asked::Chat(_)) {
                self.tell_resolved(&waiting);
            }
            self.is_over(&waiting, QuestionEnd::Withdrawn);
        }
    }

    /// A request needs no answer any more; where a chat was asked, it is told.
    fn is_over(&mut self, waiting: &Waiting, end: QuestionEnd) {
        self.release(waiting.hold);
        self.tell_chat(waiting, end);
    }

    fn tell_resolved(&mut self, waiting: &Waiting) {
        let text = resolved_notice(&json!(waiting.thread), &waiting.shown);
        self.broadcast(method::SERVER_REQUEST_RESOLVED, text);
    }
}

/// `serverRequest/resolved` as clients see it; `shown` is JSON text.
fn resolved_notice(thread: &Value, shown: &str) -> Bytes {
    let id: Value = serde_json::from_str(shown).unwrap_or_default();
    let params = json!({ "threadId": thread, "requestId": id });
    frame::notification(method::SERVER_REQUEST_RESOLVED, &params)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_number_and_its_text_are_two_ids() {
        assert_eq!([shown(7, "1"), shown(7, "\"1\"")], ["\"7:1\"", "\"7:s:1\""]);
    }
}
