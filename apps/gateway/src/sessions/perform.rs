//! The deeds of a session: what its core asks for, done without waiting.

use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::bridge::FromGateway;
use argus_session::{Effect, Input, LinkUp, Preparation};
use tracing::Instrument;

use super::actor::{Actor, RuntimeTie};
use super::outbound::CloseReason;
use super::registry::SessionsParts;
use crate::runtime::{LinkCommand, Reached};

/// How long a runtime may take to be reached, whoever provisions it. Provisioners have a shorter limit of their own.
const REACH_LIMIT: Duration = Duration::from_mins(10);
/// How long a prompt may take to be written: files are read for it, and fetched from a channel.
const PREPARE_LIMIT: Duration = Duration::from_mins(10);
/// How long a runtime that is not needed may take to end its agent.
const STOP_GRACE_MS: u64 = 5000;

impl Actor {
    /// Does what the core asks for. Nothing here waits.
    pub(super) fn perform(&mut self) {
        while let Some(effect) = self.session.next_effect() {
            match effect {
                Effect::ToClient { client, text } => {
                    self.fan_out.deliver(&self.clients);
                    if let Some(client) = self.clients.get(&client) {
                        client.send(text);
                    }
                }
                Effect::ToClients { clients, text } => self.fan_out.add(clients, text, &self.clients),
                Effect::Replaced { client } => {
                    self.fan_out.deliver(&self.clients);
                    if let Some(client) = self.clients.get(&client) {
                        client.close(CloseReason::Replaced);
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
                Effect::Keep(frame) => self.kept.push(frame),
                Effect::Answer { ticket, answer } => {
                    if let Some(reply) = self.questions.remove(&ticket) {
                        _ = reply.send(answer);
                    }
                }
                Effect::AskChat(question) => self.asking.ask(question),
                Effect::QuestionOver { key, end } => self.asking.over(key, end),
                Effect::Progress { origin, submission, progress } => {
                    self.parts.react.progress(&origin, &submission, progress);
                }
                Effect::TurnRunning { origin, thread } => {
                    self.parts.react.turn_running(&origin, thread.as_ref());
                }
                Effect::TurnOver { origin } => self.parts.react.turn_over(&origin),
            }
        }
        self.fan_out.deliver(&self.clients);
        self.keep.keep(&mut self.kept);
    }

    fn control(&mut self, line: FromGateway) {
        self.line_out.send(LinkCommand::Control(line));
    }

    fn provision(&mut self) {
        if self.closing.is_some() {
            return;
        }
        self.runtime = RuntimeTie::Reaching;
        if let Err(reason) = self.ask_for_seat() {
            tracing::info!(reason, "no runtime yet");
            _ = self.results_in.send(Input::ProvisionFailed { reason, passing: true });
            return;
        }
        let (id, parts) = (self.id.clone(), self.parts.clone());
        let (reached_in, results) = (self.reached_in.clone(), self.results_in.clone());
        let work = async move {
            let reached =
                guarded(REACH_LIMIT, "reaching the runtime", async move { reach(&id, &parts).await });
            match reached.await.unwrap_or_else(|reason| Err((reason, true))) {
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
            let prompt = async move { parts.prepare.prepare(&id, preparation).await };
            let prompt = guarded(PREPARE_LIMIT, "writing the prompt", prompt).await.unwrap_or_else(Err);
            _ = results.send(Input::Prepared { lane, attempt, prompt });
        };
        tokio::spawn(work.in_current_span());
    }
}

/// The result of work that ends in time and without a panic; otherwise why there is none, in words.
async fn guarded<T: Send + 'static>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    let mut work = tokio::spawn(work.in_current_span());
    match tokio::time::timeout(limit, &mut work).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(format!("{what} failed within the gateway ({error}); please report this")),
        Err(_) => {
            work.abort();
            Err(format!("{what} took longer than {limit:?}"))
        }
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
        after_loss: welcome.after_loss,
        agent_epoch: welcome.agent_epoch,
        agent_state: welcome.agent_state,
        first_seq: welcome.first_seq,
        last_seq: welcome.last_seq,
        last_down_seq: welcome.last_down_seq,
    };
    Ok((reached, up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_hangs_or_panics_is_told_in_words() {
        let hangs = guarded(Duration::from_millis(1), "it", std::future::pending::<()>()).await;
        assert_eq!(hangs, Err("it took longer than 1ms".to_owned()));
        let panics = guarded(Duration::from_mins(1), "it", async { panic!("a defect") }).await;
        assert!(panics.is_err_and(|words: String| words.contains("failed within the gateway")));
        assert_eq!(guarded(Duration::from_mins(1), "it", async { 7 }).await, Ok(7));
    }
}
