//! Server requests: the agent asks, one client answers, nothing waits for ever.

use std::borrow::Cow;

use argus_protocol::agent::{Route, method};
use argus_protocol::{ClientId, Frame, frame};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::decline::declined;
use crate::effect::Effect;
use crate::link::{HoldId, Link};
use crate::session::Session;

/// One request that waits for an answer.
#[derive(Debug)]
struct Waiting {
    /// The id that clients see, JSON text of `"<epoch>:<id>"`: an answer meant for another agent fits nothing.
    shown: String,
    /// The agent's own id, JSON text.
    id: String,
    frame: Frame,
    thread: Option<String>,
    turn: Option<String>,
    offered_to: Option<ClientId>,
    hold: HoldId,
    /// Monotonic milliseconds.
    expires: u64,
    end: End,
}

/// What becomes of a request that nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
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
    waiting: Vec<Waiting>,
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
        self.waiting.iter().any(|one| one.thread.as_deref() == Some(thread))
    }

    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.waiting.iter().map(|one| one.expires).min()
    }

    /// The frames themselves, oldest first, for a checkpoint.
    pub(crate) fn frames(&self) -> Vec<String> {
        let open = self.waiting.iter().filter(|one| one.end == End::Declined);
        open.map(|one| String::from_utf8_lossy(one.frame.text()).into_owned()).collect()
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
    /// The agent asks: answered by the gateway itself, or kept and offered to one client.
    pub(crate) fn server_request(&mut self, seq: u64, request: Frame) {
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
        let expires = self.now.mono.saturating_add(self.config.approval_timeout_ms);
        if let Some(before) = self.requests.take(&shown) {
            self.release(before.hold);
        }
        let (offered_to, end) = (None, End::Declined);
        let waiting = Waiting { shown, id, frame: request, thread, turn, offered_to, hold, expires, end };
        self.requests.waiting.push(waiting);
        self.offer_requests();
    }

    /// Offers every request that nobody holds to who may be asked now. Not before everything the bridge had kept was
    /// seen: the answer may be there.
    pub(crate) fn offer_requests(&mut self) {
        if !self.link.as_ref().is_some_and(Link::caught_up) {
            return;
        }
        let open = |one: &&mut Waiting| one.offered_to.is_none() && one.end == End::Declined;
        for waiting in self.requests.waiting.iter_mut().filter(open) {
            let Some(client) = self.clients.handler(waiting.thread.as_deref()) else { continue };
            waiting.offered_to = Some(client);
            let text = waiting.frame.with_id(&waiting.shown);
            self.effects.push_back(Effect::ToClient { client, text });
        }
    }

    /// What was offered to a client that left is to be offered again.
    pub(crate) fn withdraw_offers_of(&mut self, client: ClientId) {
        for waiting in self.requests.waiting.iter_mut().filter(|one| one.offered_to == Some(client)) {
            waiting.offered_to = None;
        }
    }

    /// What is asked in a turn of a client that is back is to be offered to it, whoever was asked meanwhile.
    pub(crate) fn withdraw_offers_for(&mut self, client: ClientId) {
        let clients = &self.clients;
        let owned = |one: &&mut Waiting| one.thread.as_deref().is_some_and(|t| clients.owns(client, t));
        for waiting in self.requests.waiting.iter_mut().filter(owned) {
            waiting.offered_to = None;
        }
    }

    /// A client answers. The first answer counts; a later one, or one for another agent, goes nowhere.
    pub(crate) fn answer_request(&mut self, answer: &Frame) {
        let Some(key) = answer.id() else { return };
        let waiting = self.requests.find(key).filter(|waiting| waiting.end == End::Declined);
        let Some(text) = waiting.map(|waiting| answer.with_id(&waiting.id)) else { return };
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
            self.release(waiting.hold);
        }
        resolved_notice(&resolved.thread_id, &shown)
    }

    /// A turn is over: what was asked in it needs no answer, and who was asked is told soon.
    pub(crate) fn withdraw_requests(&mut self, thread: &str, turn: &str) {
        let soon = self.now.mono + WITHDRAWAL_MS;
        for waiting in &mut self.requests.waiting {
            if waiting.thread.as_deref() == Some(thread) && waiting.turn.as_deref() == Some(turn) {
                (waiting.end, waiting.expires) = (End::Withdrawn, soon.min(waiting.expires));
            }
        }
    }

    /// Declines what nobody answered in time.
    pub(crate) fn expire_requests(&mut self) {
        let now = self.now.mono;
        let late = self.requests.waiting.extract_if(.., |waiting| waiting.expires <= now).collect::<Vec<_>>();
        for waiting in late {
            self.release(waiting.hold);
            match waiting.end {
                End::Declined => _ = self.send_down(declined(waiting.frame.method(), &waiting.id)),
                End::Withdrawn => self.tell_resolved(&waiting),
            }
        }
    }

    /// The agent that asked is gone: clients are told that no answer is needed.
    pub(crate) fn drop_requests(&mut self) {
        for waiting in std::mem::take(&mut self.requests.waiting) {
            self.release(waiting.hold);
            self.tell_resolved(&waiting);
        }
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
