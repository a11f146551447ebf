//! The way every call goes before it is done: judged, asked for, noted.

use std::sync::Arc;

use argus_protocol::node::{Fault, code};
use tokio::sync::Semaphore;

use super::ask::{Askers, Asks};
use super::question::summary;
use super::show::shortened;
use super::verdict::{Permit, Verdict};
use super::{Grant, Policy};
use crate::audit::{Audit, Begun, Ended};
use crate::call::{Answer, Call};

/// How many calls are judged at the same time; the others wait for their turn.
const JUDGED_AT_ONCE: usize = 16;

/// The longest id or name that is noted whole, in characters.
const LONGEST_NOTED: usize = 200;

/// Policy, owner and audit together. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Gate {
    policy: Policy,
    audit: Audit,
    askers: Askers,
    turns: Arc<Semaphore>,
}

impl Gate {
    /// Of these parts; the owner is asked at all `places` that the policy takes.
    pub fn new(policy: Policy, audit: Audit, places: Vec<Arc<dyn Asks>>) -> Self {
        let turns = Arc::new(Semaphore::new(JUDGED_AT_ONCE));
        Self { policy, audit, askers: Askers::new(places), turns }
    }

    /// Lets a call through, or says why not. It is noted either way; what cannot be noted is not done.
    pub async fn pass(&self, call: &Call) -> Result<Permit, Fault> {
        let (verdict, judged) = match self.judge(call).await {
            Verdict::Allow(grant) => ("allow", Ok(Permit { grant, by: None })),
            Verdict::Deny(fault) => ("deny", Err(fault)),
            Verdict::Ask(question) => ("ask", self.ask(Arc::new(question), call).await),
        };
        let bounded = |text: &str| shortened(text, LONGEST_NOTED);
        let session = call.asker.session_id.as_deref().map(bounded);
        let begun = Begun {
            call: &bounded(&call.id),
            session: session.as_deref(),
            command: &bounded(&call.command),
            what: &summary(call),
            verdict,
            by: judged.as_ref().ok().and_then(|permit| permit.by.as_deref()),
            outcome: judged.as_ref().err().map(|fault| fault.code.as_str()),
            why: judged.as_ref().err().map(|fault| fault.message.as_str()),
        };
        self.audit.begun(&begun).map_err(|error| {
            let words = format!("the audit of this device cannot be written, so nothing is done: {error}");
            tracing::error!("{words}");
            Fault::new(code::FAILED, words)
        })?;
        judged
    }

    /// Notes how a call that was let through ended.
    pub fn ended(&self, call: &Call, answer: &Answer) {
        let job = match answer {
            Ok(told) => job_of(told.get()),
            Err(fault) => fault.job_id.clone(),
        };
        let outcome = answer.as_ref().err().map_or("OK", |fault| fault.code.as_str());
        let ended = Ended { call: &shortened(&call.id, LONGEST_NOTED), outcome, job_id: job.as_deref() };
        if let Err(error) = self.audit.ended(&ended) {
            tracing::error!("the end of the call `{}` cannot be noted in the audit: {error}", call.id);
        }
    }

    /// Judges it on another thread: the files that are looked for may lie where nothing answers.
    async fn judge(&self, call: &Call) -> Verdict {
        let cancelled = || Verdict::Deny(Fault::new(code::CANCELLED, "nobody waits for it any more"));
        let (policy, own, turns) = (self.policy.clone(), call.clone(), Arc::clone(&self.turns));
        let judged = async move {
            let turn = turns.acquire_owned().await;
            // Held by the work itself: what hangs takes no more than its share of threads.
            tokio::task::spawn_blocking(move || turn.map(|_turn| policy.judge(&own))).await
        };
        tokio::select! {
            judged = judged => match judged {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(_)) => cancelled(),
                Err(error) => {
                    let words = format!("the policy could not be asked: {error}");
                    Verdict::Deny(Fault::new(code::FAILED, words))
                }
            },
            () = call.cancel.cancelled() => cancelled(),
        }
    }

    async fn ask(&self, question: Arc<super::Question>, call: &Call) -> Result<Permit, Fault> {
        let by = self.askers.ask(&question, call).await?;
        let grant = question.grant.clone();
        // Time has passed: what is forbidden by now is not done, and what would be run now must be what was asked for.
        match self.judge(call).await {
            Verdict::Deny(fault) => Err(fault),
            Verdict::Allow(now) if now != grant => Err(changed()),
            Verdict::Ask(now) if now.grant != grant => Err(changed()),
            Verdict::Allow(_) | Verdict::Ask(_) => Ok(Permit { grant, by: Some(by) }),
        }
    }
}

fn changed() -> Fault {
    let words = "while its owner was asked, another file or folder came to be meant; call again";
    Fault::new(code::DENIED, words)
}

/// The job an answer names.
fn job_of(told: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        job_id: Option<String>,
    }
    serde_json::from_str::<Named>(told).ok().and_then(|named| named.job_id)
}

impl Permit {
    /// The program that may be run, if it is about one.
    pub fn plan(self) -> Option<crate::jobs::plan::RunPlan> {
        match self.grant {
            Grant::Run(plan) => Some(plan),
            Grant::Call => None,
        }
    }
}
