//! One call of a command: checked, sent, waited for, ended on the node when nobody waits any more.

use std::sync::Arc;

use argus_protocol::argus::node::LONGEST_TIMEOUT_MS;
use argus_protocol::node::{Cancel, Fault, LARGEST_FRAME, RUNTIME, Request, ToNode, code};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::calls::{LONGEST_WAIT, Open, Outcome, Progress, gone};
use super::resolve::{listed, resolve};
use super::{Devices, Done, Wish};
use crate::clock::new_call_id;

/// Longest parameters, in bytes.
const LONGEST_PARAMS: usize = 1 << 20;
/// Longest name of a command, in bytes.
const LONGEST_COMMAND: usize = 128;
/// Longest key, in bytes.
const LONGEST_KEY: usize = 128;
/// The longest that is waited for an answer.
const LONGEST: Duration = Duration::from_millis(LONGEST_TIMEOUT_MS);
/// How long a node may take to end a call that nobody wants any more.
const ENDING: Duration = Duration::from_secs(5);
/// How long a node whose link broke may take to come back.
const LINK_GRACE: Duration = Duration::from_secs(15);
/// What a node's own limit for a yes may be late.
const LATE: Duration = Duration::from_secs(5);

/// A call on its way. Dropped, it is not wanted any more.
struct UnderWay {
    devices: Devices,
    id: String,
    /// Whether its node knows of more than requests and results.
    knows_more: bool,
    progress: watch::Receiver<Progress>,
    sender: Arc<watch::Sender<Progress>>,
    wish: Wish,
    node: String,
    over: bool,
}

impl Devices {
    /// Has a command done. Where `cancel` comes first, it is ended on the node.
    pub async fn invoke(&self, wish: Wish, cancel: CancellationToken) -> Done {
        let done = match self.meant(&wish).await {
            Ok(node_id) => {
                let outcome = match self.begin(&wish, &node_id) {
                    Ok(mut call) => call.end(wish.timeout.min(LONGEST), cancel).await,
                    Err(fault) => Err(fault),
                };
                Done { node_id, outcome }
            }
            Err(fault) => {
                let node_id = wish.node.clone().unwrap_or_else(|| "self".to_owned());
                Done { node_id, outcome: Err(fault) }
            }
        };
        self.note_call(&wish, &done);
        done
    }

    /// Which node is meant.
    async fn meant(&self, wish: &Wish) -> Result<String, Fault> {
        let own = match &wish.session {
            Some(own) => Some(own.clone()),
            None => self.0.facts.stored_default().await,
        };
        let own = own.map(|own| format!("{RUNTIME}{own}"));
        resolve(wish.node.as_deref(), own.as_deref(), &self.registry().seen(&wish.sight))
    }

    /// Sends it, once everything about it is right.
    fn begin(&self, wish: &Wish, node: &str) -> Result<UnderWay, Fault> {
        check(wish)?;
        let mut registry = self.registry();
        let Some(online) = registry.online.get(node) else {
            let words = format!("the node `{node}` is not connected");
            return Err(Fault::new(code::NOT_CONNECTED, words));
        };
        let takes = &online.said.commands;
        if !takes.is_empty() && !takes.contains(&wish.command) {
            let takes = listed(takes.iter().map(|command| format!("`{command}`")));
            let words = format!("the node `{node}` does not take `{}`; it takes {takes}", wish.command);
            return Err(Fault::new(code::UNSUPPORTED, words));
        }
        let (out, boot, id) = (online.out.clone(), online.said.boot.clone(), new_call_id());
        let request = self.request(wish, node, &id, boot.is_some());
        if request.len() > LARGEST_FRAME {
            return Err(too_long());
        }
        registry.calls.room(node, request.len())?;
        let request = bytes::Bytes::from(request);
        if !out.push(request.clone()) {
            let words = format!("the node `{node}` does not take what is sent to it; try again in a moment");
            return Err(Fault::new(code::UNAVAILABLE, words));
        }
        let (sender, progress) = watch::channel(Progress::default());
        let (sender, knows_more) = (Arc::new(sender), boot.is_some());
        let open = Open { node: node.to_owned(), boot, request, cancel: None, progress: sender.clone() };
        registry.calls.add(id.clone(), open);
        drop(registry);
        let (devices, wish, node) = (self.clone(), Wish { params: None, ..wish.clone() }, node.to_owned());
        Ok(UnderWay { devices, id, knows_more, progress, sender, wish, node, over: false })
    }

    fn request(&self, wish: &Wish, node: &str, id: &str, knows_more: bool) -> String {
        let session = wish.session.as_ref().filter(|_| knows_more);
        let key = wish.idempotency_key.as_ref().filter(|_| knows_more);
        let request = Request {
            id: id.to_owned(),
            node_id: node.to_owned(),
            command: wish.command.clone(),
            params_json: wish.params.as_ref().map(|params| params.get().to_owned()),
            timeout_ms: u64::try_from(wish.timeout.as_millis()).ok(),
            idempotency_key: key.map(|key| named(wish, key)),
            ticket: session.map(|session| self.ticket(node, session).reveal().to_owned()),
            session_id: session.map(ToString::to_string),
        };
        ToNode::Request(Box::new(request)).write()
    }
}

/// One session's keys are not another's.
fn named(wish: &Wish, key: &str) -> String {
    let whose = wish.session.as_ref().map_or("", |session| session.as_str());
    data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{whose}\n{key}")))
}

fn check(wish: &Wish) -> Result<(), Fault> {
    let plain = |text: &str, longest: usize| {
        (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control)
    };
    let wrong = |words: String| Err(Fault::new(code::BAD_INPUT, words));
    if !plain(&wish.command, LONGEST_COMMAND) {
        return wrong(format!("`command` takes 1 to {LONGEST_COMMAND} bytes, such as `system.run`"));
    }
    if wish.idempotency_key.as_ref().is_some_and(|key| !plain(key, LONGEST_KEY)) {
        return wrong(format!("`idempotencyKey` takes 1 to {LONGEST_KEY} bytes without control characters"));
    }
    if wish.params.as_ref().is_some_and(|params| params.get().len() > LONGEST_PARAMS) {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> Fault {
    let words = format!(
        "the parameters are longer than {LONGEST_PARAMS} bytes; put what is long into a file on the node"
    );
    Fault::new(code::BAD_PARAMS, words)
}

impl UnderWay {
    /// Waits for its end, or sees to it.
    async fn end(&mut self, timeout: Duration, cancel: CancellationToken) -> Outcome {
        let outcome = self.wait(timeout, cancel).await;
        self.over = true;
        self.devices.registry().calls.remove(&self.id);
        outcome
    }

    async fn wait(&mut self, timeout: Duration, cancel: CancellationToken) -> Outcome {
        let begun = Instant::now();
        let latest = begun + timeout + LONGEST_WAIT;
        let (mut until, mut waited) = (begun + timeout, false);
        // Why it is being ended, once it is.
        let mut ending: Option<Fault> = None;
        loop {
            let (away_since, waits_until) = {
                let known = self.progress.borrow_and_update();
                (known.away_since, known.waits_until)
            };
            let mut outcome = None;
            self.sender.send_if_modified(|known| {
                outcome = known.outcome.take();
                false
            });
            if let Some(outcome) = outcome {
                return outcome;
            }
            if ending.is_none() {
                match waits_until {
                    Some(yes) => (until, waited) = ((yes + LATE).min(latest), true),
                    // Its time begins with the yes.
                    None if waited => (until, waited) = ((Instant::now() + timeout).min(latest), false),
                    None => {}
                }
            }
            let lost = away_since.map(|since| since + LINK_GRACE);
            let due = lost.map_or(until, |lost| until.min(lost));
            tokio::select! {
                _ = self.progress.changed() => continue,
                () = cancel.cancelled(), if ending.is_none() => {
                    let words = "who asked does not wait for it any more";
                    ending = Some(Fault::new(code::CANCELLED, words));
                }
                () = sleep_until(due) => {
                    if let Some(fault) = ending.take() {
                        return Err(self.of_its_job(fault));
                    }
                    if lost.is_some_and(|lost| lost <= due) {
                        return Err(self.of_its_job(gone(&self.node)));
                    }
                    let words = format!("no answer within {} ms", timeout.as_millis());
                    ending = Some(Fault::new(code::TIMEOUT, words));
                }
            }
            until = Instant::now();
            if let Some(fault) = &ending
                && self.unwanted(&fault.code)
            {
                until += ENDING;
            }
        }
    }

    fn of_its_job(&self, fault: Fault) -> Fault {
        match self.progress.borrow().job.clone() {
            Some(job) => fault.of_job(job),
            None => fault,
        }
    }

    /// Tells the node that nobody wants it any more; whether it can be told.
    fn unwanted(&self, reason: &str) -> bool {
        if !self.knows_more {
            return false;
        }
        let frame = ToNode::Cancel(Cancel { id: self.id.clone(), reason: reason.to_owned() });
        let frame = bytes::Bytes::from(frame.write());
        let mut registry = self.devices.registry();
        registry.calls.cancel(&self.id, frame.clone());
        if let Some(online) = registry.online.get(&self.node) {
            online.out.push(frame);
        }
        true
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.over {
            self.unwanted(code::CANCELLED);
            self.devices.registry().calls.remove(&self.id);
            let fault = self.of_its_job(Fault::new(code::CANCELLED, "who asked is gone"));
            self.devices.note_call(&self.wish, &Done { node_id: self.node.clone(), outcome: Err(fault) });
        }
    }
}
