//! The calls that are known: which run, and how those ended that the gateway has not acknowledged.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::node::{Cancel, Fault, FromNode, JobKnown, Request, Waiting, code};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::Machine;
use super::known::{Ack, Known, Stage};
use super::outbox::Bulk;
use super::running::{self, Settled};
use crate::{Answer, Asker, Call, Progress};

/// How many calls run at once.
const MOST_RUNNING: usize = 64;
/// How many bytes of parameters those may have together.
const MOST_PARAMS: usize = 32 << 20;
/// How many calls are remembered once they have ended.
const MOST_REMEMBERED: usize = 256;
/// How many bytes of results are kept for the gateway.
const MOST_KEPT: usize = 64 << 20;
/// How long a gateway may take to come back and ask for a result.
const UNHEARD: Duration = Duration::from_mins(1);
/// The longest id of a call.
const LONGEST_ID: usize = 256;

/// A frame for the gateway, and what it is about.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: String,
    pub(super) text: Utf8Bytes,
    pub(super) bulk: Bulk,
}

/// All calls.
pub(super) struct Calls {
    machine: Arc<dyn Machine>,
    node_id: String,
    settle: Duration,
    running: JoinSet<Answer>,
    by_task: HashMap<tokio::task::Id, String>,
    known: HashMap<String, Known>,
    ended: VecDeque<String>,
    /// Those whose results nobody will be told.
    given_up: Vec<String>,
    params_bytes: usize,
    kept_bytes: usize,
    /// Whether there is a connection on which something can be said.
    greeted: bool,
    progress: mpsc::Receiver<(String, Progress)>,
    /// Each call has a copy of it.
    tells: mpsc::Sender<(String, Progress)>,
}

impl Calls {
    pub(super) fn new(machine: Arc<dyn Machine>, node_id: String, settle: Duration) -> Self {
        let (tells, progress) = mpsc::channel(MOST_RUNNING);
        Self {
            machine,
            node_id,
            settle,
            running: JoinSet::new(),
            by_task: HashMap::new(),
            known: HashMap::new(),
            ended: VecDeque::new(),
            given_up: Vec::new(),
            params_bytes: 0,
            kept_bytes: 0,
            greeted: false,
            progress,
            tells,
        }
    }

    /// Begins a call; one that is known is not begun again. What is to be said of it at once.
    pub(super) fn request(&mut self, request: Request) -> Option<Outgoing> {
        if request.id.is_empty() || request.id.len() > LONGEST_ID {
            tracing::warn!("the gateway sent a call whose id cannot be used; it is ignored");
            return None;
        }
        if let Some(known) = self.known.get_mut(&request.id) {
            known.awaited = true;
            return match &known.stage {
                Stage::Running { .. } => None,
                Stage::Settled { .. } if known.said => None,
                Stage::Settled { text, .. } => {
                    known.said = true;
                    Some(Outgoing { id: request.id, text: text.clone(), bulk: Bulk::Shared })
                }
                Stage::Done => {
                    let words = "that call was done already, and what came of it is not kept any more";
                    let fault = Fault::new(code::FAILED, words);
                    let fault = known.job.iter().fold(fault, Fault::of_job);
                    Some(self.refusal(request.id, fault))
                }
            };
        }
        match self.begin(&request) {
            Ok(()) => None,
            Err((code, words)) => Some(self.refusal(request.id, Fault::new(code, words))),
        }
    }

    fn begin(&mut self, request: &Request) -> Result<(), (&'static str, String)> {
        if request.node_id != self.node_id {
            let words = format!("this is node `{}`, not `{}`", self.node_id, request.node_id);
            return Err((code::NODE_NOT_FOUND, words));
        }
        let text = request.params_json.as_deref().unwrap_or("null");
        if self.running.len() >= MOST_RUNNING || self.params_bytes + text.len() > MOST_PARAMS {
            let words = format!(
                "`{}` does {} calls at once already; try again later",
                self.node_id,
                self.running.len()
            );
            return Err((code::BUSY, words));
        }
        let params: Value = serde_json::from_str(text).map_err(|error| {
            (code::BAD_PARAMS, format!("the parameters of `{}` are no JSON: {error}", request.command))
        })?;
        let cancel = CancellationToken::new();
        let (progress, heard) = mpsc::channel(8);
        let call = Call {
            id: request.id.clone(),
            command: request.command.clone(),
            params,
            idempotency_key: request.idempotency_key.clone(),
            asker: Asker { session_id: request.session_id.clone(), ticket: request.ticket.clone() },
            cancel: cancel.clone(),
            progress,
        };
        let run = running::run(Arc::clone(&self.machine), call, heard, self.tells.clone(), self.settle);
        let task = self.running.spawn(run);
        self.by_task.insert(task.id(), request.id.clone());
        self.params_bytes += text.len();
        let stage = Stage::Running { cancel, reason: None, params: text.len(), waits_until: None };
        self.known.insert(
            request.id.clone(),
            Known { stage, job: None, awaited: true, abandoned: false, said: false, ack: Ack::NotDue },
        );
        Ok(())
    }

    /// Nobody waits for a call any more.
    pub(super) fn cancel(&mut self, cancel: Cancel) {
        let Some(known) = self.known.get_mut(&cancel.id) else { return };
        if let Stage::Running { cancel: token, reason, .. } = &mut known.stage {
            *reason = Some(cancel.reason);
            token.cancel();
        }
    }

    /// What happens next to any call, to be said to the gateway if there is one; losing the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        tokio::select! {
            biased;
            // Its own sender keeps it open.
            Some((id, progress)) = self.progress.recv() => self.progressed(id, progress),
            Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => {
                let (task, answer) = match ended {
                    Ok((task, answer)) => (task, answer),
                    Err(error) => (error.id(), Err(Fault::new(code::FAILED, "the command broke down on the node"))),
                };
                let id = self.by_task.remove(&task)?;
                self.settled(id, answer)
            }
            else => std::future::pending().await,
        }
    }

    fn progressed(&mut self, id: String, progress: Progress) -> Option<Outgoing> {
        let known = self.known.get_mut(&id)?;
        let Stage::Running { waits_until, .. } = &mut known.stage else { return None };
        let frame = match progress {
            Progress::Job(job) => {
                known.job = Some(job.clone());
                job_known(&id, job)
            }
            Progress::Waiting(lasts) => {
                *waits_until = Some(Instant::now() + lasts);
                waiting(&id, lasts)
            }
            Progress::GoesOn => {
                *waits_until = None;
                waiting(&id, Duration::ZERO)
            }
        };
        let awaited = !known.abandoned;
        awaited.then(|| Outgoing { id, text: frame.write().into(), bulk: Bulk::Own })
    }

    fn settled(&mut self, id: String, answer: Answer) -> Option<Outgoing> {
        let known = self.known.get_mut(&id)?;
        let Stage::Running { reason, params, .. } = &known.stage else { return None };
        self.params_bytes -= params;
        if known.abandoned {
            known.stage = Stage::Done;
            self.given_up.push(id.clone());
            self.ended.push_back(id);
            self.forget_the_oldest();
            return None;
        }
        let settled = Settled { id: &id, node_id: &self.node_id, job: known.job.as_deref() };
        let text = settled.write(answer, reason.as_deref());
        known.stage = Stage::Settled { text: text.clone(), since: Instant::now() };
        known.said = self.greeted;
        known.ack = Ack::Due;
        self.kept_bytes += text.len();
        self.ended.push_back(id.clone());
        self.forget_the_oldest();
        Some(Outgoing { id, text, bulk: Bulk::Shared })
    }

    /// A node that nobody acknowledges results of forgets them in the end; the ends of jobs among them are told apart.
    fn forget_the_oldest(&mut self) {
        while self.ended.len() > MOST_REMEMBERED {
            let Some(mut known) = self.ended.pop_front().and_then(|id| self.known.remove(&id)) else {
                continue;
            };
            self.kept_bytes -= known.stage.forget().unwrap_or_default();
        }
        for id in &self.ended {
            if self.kept_bytes <= MOST_KEPT {
                return;
            }
            let Some(known) = self.known.get_mut(id) else { continue };
            if let Some(bytes) = known.stage.forget() {
                self.kept_bytes -= bytes;
                tracing::warn!(call = %id, "its result was never acknowledged, and is forgotten for newer ones");
            }
        }
    }

    /// The gateway has the result of a call; whether that is news. One that had to make room was said all the same.
    pub(super) fn acked(&mut self, id: &str) -> bool {
        let Some(known) = self.known.get_mut(id) else { return false };
        self.kept_bytes -= known.stage.forget().unwrap_or_default();
        std::mem::replace(&mut known.ack, Ack::NotDue) == Ack::Due
    }

    /// The connection is gone: who waits for a call has to ask for it again. Nobody does for one that ended long ago
    /// and was not asked for on this connection either.
    pub(super) fn lost(&mut self) {
        self.greeted = false;
        for (id, known) in &mut self.known {
            let old = matches!(known.stage, Stage::Settled { since, .. } if since.elapsed() > UNHEARD);
            if old && !known.awaited {
                self.kept_bytes -= known.stage.forget().unwrap_or_default();
                known.ack = Ack::NotDue;
                self.given_up.push(id.clone());
            }
            known.awaited = false;
            known.said = false;
        }
    }

    /// The gateway was started anew: whoever asked is gone with the old one. What runs goes on.
    pub(super) fn abandoned(&mut self) {
        for (id, known) in &mut self.known {
            known.abandoned = true;
            known.ack = Ack::NotDue;
            if let Some(bytes) = known.stage.forget() {
                self.kept_bytes -= bytes;
                self.given_up.push(id.clone());
            }
        }
    }

    /// The calls whose results nobody will be told, each once.
    pub(super) fn given_up(&mut self) -> Vec<String> {
        std::mem::take(&mut self.given_up)
    }

    /// All that another connection has to be told again.
    pub(super) fn again(&mut self) -> Vec<Outgoing> {
        self.greeted = true;
        let mut frames = Vec::new();
        let own = |id: &str, frame: &FromNode| Outgoing {
            id: id.to_owned(),
            text: frame.write().into(),
            bulk: Bulk::Own,
        };
        for (id, known) in self.known.iter().filter(|(_, known)| !known.abandoned) {
            let Stage::Running { waits_until, .. } = &known.stage else { continue };
            frames.extend(known.job.clone().map(|job| own(id, &job_known(id, job))));
            let left = waits_until.map(|until| until.saturating_duration_since(Instant::now()));
            frames.extend(left.map(|left| own(id, &waiting(id, left))));
        }
        for id in &self.ended {
            let Some(known) = self.known.get_mut(id) else { continue };
            if let Stage::Settled { text, .. } = &known.stage {
                known.said = true;
                frames.push(Outgoing { id: id.clone(), text: text.clone(), bulk: Bulk::Shared });
            }
        }
        frames
    }

    fn refusal(&self, id: String, fault: Fault) -> Outgoing {
        let settled = Settled { id: &id, node_id: &self.node_id, job: None };
        let text = settled.write(Err(fault), None);
        Outgoing { id, text, bulk: Bulk::Own }
    }
}

fn job_known(id: &str, job_id: String) -> FromNode {
    FromNode::Job(JobKnown { id: id.to_owned(), job_id })
}

fn waiting(id: &str, lasts: Duration) -> FromNode {
    let ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
    FromNode::Waiting(Waiting { id: id.to_owned(), ms })
}
