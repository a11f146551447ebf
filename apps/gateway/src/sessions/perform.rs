//! The deeds of a session: what its core asks for, done without waiting.

use argus_protocol::SessionId;
use argus_protocol::bridge::FromGateway;
use argus_session::{Effect, Input, LinkUp, Preparation};
use tracing::Instrument;

use super::actor::{Actor, RuntimeTie};
use super::registry::SessionsParts;
use crate::runtime::{LinkCommand, Reached};

/// How long a runtime that is not needed may take to end its agent.
const STOP_GRACE_MS: u64 = 5000;

impl Actor {
    /// Does what the core asks for. Nothing here waits.
    pub(super) fn perform(&mut self) {
        while let Some(effect) = self.session.next_effect() {
            match effect {
                Effect::ToClient { client, text } => {
                    if let Some(client) = self.clients.get(&client) {
                        client.send(text);
                    }
                }
                Effect::ToClients { clients, text } => {
                    for client in clients.iter().filter_map(|id| self.clients.get(id)) {
                        client.send(text.clone());
                    }
                }
                Effect::ToRuntime { seq, text } => self.line_out.send(LinkCommand::Frame { seq, text }),
                Effect::Ack { seq } => self.control(FromGateway::Ack { n: seq }),
                Effect::StartAgent => self.control(FromGateway::Start {}),
                Effect::KillAgent => {
                    tracing::warn!("the agent hangs; its processes are ended");
                    self.control(FromGateway::Kill {});
                }
                Effect::StopRuntime => self.control(FromGateway::Stop { grace_ms: STOP_GRACE_MS }),
                Effect::Provision => self.provision(),
                Effect::Prepare(preparation) => self.prepare(preparation),
                Effect::Store { ticket, op } => {
                    self.at_start.note(&op);
                    _ = self.records.send((ticket, op));
                }
                Effect::Answer { ticket, answer } => {
                    if let Some(reply) = self.questions.remove(&ticket) {
                        _ = reply.send(answer);
                    }
                }
                Effect::TurnRunning { origin } => self.parts.react.turn_running(&origin),
                Effect::TurnOver { origin } => self.parts.react.turn_over(&origin),
            }
        }
    }

    fn control(&mut self, line: FromGateway) {
        self.line_out.send(LinkCommand::Control(line));
    }

    fn provision(&mut self) {
        if self.closing.is_some() {
            return;
        }
        self.runtime = RuntimeTie::Reaching;
        let (id, parts) = (self.id.clone(), self.parts.clone());
        let (reached_in, results) = (self.reached_in.clone(), self.results_in.clone());
        let work = async move {
            match reach(&id, &parts).await {
                Ok(reached) => _ = reached_in.send(reached),
                Err((reason, passing)) => {
                    tracing::error!(reason, "no runtime");
                    _ = results.send(Input::ProvisionFailed { reason, passing });
                }
            }
        };
        tokio::spawn(work.in_current_span());
    }

    fn prepare(&self, preparation: Preparation) {
        let (id, parts, results) = (self.id.clone(), self.parts.clone(), self.results_in.clone());
        let work = async move {
            let (lane, attempt) = (preparation.lane, preparation.attempt);
            let prompt = parts.prepare.prepare(&id, preparation).await;
            _ = results.send(Input::Prepared { lane, attempt, prompt });
        };
        tokio::spawn(work.in_current_span());
    }
}

/// Reaches the runtime and reads what is stored of it.
async fn reach(id: &SessionId, parts: &SessionsParts) -> Result<(Reached, LinkUp), (String, bool)> {
    let stored = |error: crate::store::ledger::LedgerError| (error.to_string(), true);
    let reached = parts.provisioner.reach(id).await.map_err(|error| (error.reason, error.passing))?;
    let welcome = reached.welcome.clone();
    let up = LinkUp {
        handshake: parts.ledger.newest_handshake(id).await.map_err(stored)?,
        checkpoint: parts
            .ledger
            .checkpoint(id, &welcome.boot)
            .await
            .map_err(stored)?
            .map(|kept| (kept.seq, kept.body)),
        boot: welcome.boot,
        agent_epoch: welcome.agent_epoch,
        agent_state: welcome.agent_state,
        first_seq: welcome.first_seq,
        last_seq: welcome.last_seq,
        last_down_seq: welcome.last_down_seq,
    };
    Ok((reached, up))
}
