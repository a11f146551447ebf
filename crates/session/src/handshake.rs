//! `initialize`: the gateway greets each agent once; every client is answered from that.

use argus_protocol::agent::{AccountReply, method};
use argus_protocol::error::INVALID_REQUEST;
use argus_protocol::{ClientId, Frame, RpcError, frame};
use serde_json::{Value, json};

use crate::StoreOp;
use crate::agent::Agent;
use crate::config::SessionConfig;
use crate::input::Listening;
use crate::introduction::Introduction;
use crate::link::Link;
use crate::opening::message_of;
use crate::records::Storing;
use crate::relay::Pending;
use crate::session::Session;

/// Whether the agent can reach its model provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Not known: turns may be tried.
    #[default]
    Unknown,
    /// Being asked; turns wait.
    Asking,
    /// There, or not needed.
    Present,
    /// Not there; asked again before the next turn.
    Missing,
}

/// Words in the agent's refusal of a second `initialize`.
const GREETED: &str = "already initialized";
/// A reply to `initialize` that says nothing, with every member that clients may insist on.
const NOTHING_KNOWN: &str = r#"{"userAgent":"argus_gateway/unknown","codexHome":"/unknown","platformFamily":"unknown","platformOs":"unknown"}"#;

impl Session {
    /// Greets a new agent.
    pub(crate) fn greet(&mut self, epoch: u64) {
        self.agent = Agent::Greeting { epoch };
        let params = json!({
            "clientInfo": { "name": "argus_gateway", "title": "Argus Gateway", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": { "experimentalApi": true },
        });
        let seq = self.link.as_ref().map_or(1, |link| link.last_seen() + 1);
        let hold = self.hold(seq);
        let limit = SessionConfig::INITIALIZE_LIMIT_MS;
        self.request(method::INITIALIZE, &params, Pending::Initialize { epoch, hold }, limit);
    }

    /// The agent's reply to our `initialize`.
    pub(crate) fn greeted(&mut self, epoch: u64, hold: crate::link::HoldId, reply: &Frame) {
        if self.agent != (Agent::Greeting { epoch }) {
            return self.release(hold);
        }
        let said = reply.result().filter(|result| result.starts_with('{')).map(str::to_owned);
        let Some(result) = said.or_else(|| self.greeted_before(reply)) else {
            // Greeted by a gateway that died before it stored the reply: nothing else was ever sent, so a new
            // agent loses nothing.
            self.release(hold);
            let why = message_of(reply.error().unwrap_or("no result"));
            return self.end_hung_agent(&format!("the agent refused `initialize`: {why}"));
        };
        self.relay.handshake = Some((epoch, result.clone()));
        let op = StoreOp::Handshake { epoch, result };
        self.store(op, Storing::Handshake { epoch, hold });
    }

    /// What can be said of an agent that somebody greeted before this connection was made, and that lives on behind it:
    /// what it said when we greeted it last, if we did.
    fn greeted_before(&self, reply: &Frame) -> Option<String> {
        let outlives = self.link.as_ref().is_some_and(Link::ends_with_its_connection);
        let error: RpcError = serde_json::from_str(reply.error()?).ok()?;
        let known = error.code == INVALID_REQUEST && error.message.to_lowercase().contains(GREETED);
        let last = self.relay.handshake.as_ref().map(|(_, result)| result.clone());
        (outlives && known).then(|| last.unwrap_or_else(|| NOTHING_KNOWN.to_owned()))
    }

    pub(crate) fn handshake_stored(
        &mut self,
        epoch: u64,
        hold: crate::link::HoldId,
        result: Result<(), String>,
    ) {
        self.release(hold);
        if self.agent != (Agent::Greeting { epoch }) {
            return;
        }
        if let Err(why) = result {
            // Served all the same: at worst the agent is started anew after a restart of the gateway.
            self.trouble.reason = Some(format!("the agent's greeting could not be stored: {why}"));
        }
        self.agent = Agent::Ready { epoch, since: self.now.mono };
        self.send_down(frame::notification(method::INITIALIZED, &json!({})));
        self.agent_serves();
    }

    /// A client introduces itself: answered at once when the agent was greeted, otherwise as soon as it is.
    pub(crate) fn introduced(&mut self, client: ClientId, request: &Frame) {
        let Some(id) = request.id().map(str::to_owned) else { return };
        let introduction = request.params_as::<Introduction>().unwrap_or_default();
        self.clients.introduce(client, introduction);
        if self.relay.introductions.len() >= SessionConfig::WAITING_FRAMES {
            return self.refuse(client, request, &Self::overloaded());
        }
        self.relay.introductions.push((client, id));
        if self.is_ready() {
            self.answer_introductions();
        }
    }

    pub(crate) fn answer_introductions(&mut self) {
        self.relay.wanted = false;
        let Some((_, result)) = self.relay.handshake.clone() else { return };
        for (client, id) in std::mem::take(&mut self.relay.introductions) {
            self.clients.greeted(client);
            let Some(known) = self.clients.get(client) else { continue };
            if known.listening == Listening::Introduced {
                // It reads for itself what nobody heard.
                self.history.take_unheard();
            }
            let text = frame::reply(&id, &personal(&result, known.introduction.name()));
            self.reply(client, &id, text);
        }
    }

    /// Nobody can be greeted: clients that wait for it are told why.
    pub(crate) fn refuse_introductions(&mut self, error: &RpcError) {
        self.relay.wanted = false;
        for (client, id) in std::mem::take(&mut self.relay.introductions) {
            self.reply(client, &id, frame::reply_error(&id, error));
        }
    }

    /// Asks who is logged in at the model provider.
    pub(crate) fn ask_for_account(&mut self) {
        self.relay.credentials = Credentials::Asking;
        let params = json!({ "refreshToken": false });
        self.request(method::ACCOUNT_READ, &params, Pending::Account, SessionConfig::INITIALIZE_LIMIT_MS);
    }

    /// An agent that does not know the question needs no answer.
    pub(crate) fn account_read(&mut self, reply: &Frame) {
        self.relay.credentials = match reply.result_as::<AccountReply>() {
            Some(account) if account.requires_openai_auth && account.account.is_none() => {
                Credentials::Missing
            }
            Some(_) => Credentials::Present,
            None => Credentials::Unknown,
        };
        if self.relay.credentials == Credentials::Missing {
            let mend = &self.config.sign_in;
            let reason = format!("the agent has no model credentials: {mend}, then send the message again");
            for id in self.lanes.ids() {
                self.fail_submissions(id, &reason);
            }
        }
    }
}

/// The agent's reply with the client's own name at the head of `userAgent`.
fn personal(result: &str, name: &str) -> String {
    let Ok(mut reply) = serde_json::from_str::<Value>(result) else { return result.to_owned() };
    let Some(Value::String(agent)) = reply.get_mut("userAgent") else { return result.to_owned() };
    if let Some(slash) = agent.find('/').filter(|_| !name.is_empty()) {
        agent.replace_range(..slash, name);
    }
    reply.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_answered_under_its_own_name() {
        let result = r#"{"userAgent":"argus_gateway/0.169.0 (Linux)","codexHome":"/h"}"#;
        let shown: Value = serde_json::from_str(&personal(result, "my_client")).unwrap();
        assert_eq!(shown["userAgent"], "my_client/0.169.0 (Linux)");
        assert_eq!(personal("{}", "x"), "{}");
    }
}
