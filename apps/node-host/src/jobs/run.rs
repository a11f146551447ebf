//! `system.run`: begins a job, or finds the one that the same deed began, and waits for it for a while.

use std::time::{Duration, Instant};

use argus_protocol::node::{Fault, code};
use tokio::sync::watch::Receiver;

use super::index::{Claim, Left, Phase};
use super::meta::Meta;
use super::params::{Wish, ms};
use super::{Jobs, RunPlan, ids};
use crate::call::{Answer, Call, Progress};
use crate::keeper::words::{Input, Order, now_ms};

impl Jobs {
    /// Does `system.run` as it was planned.
    ///
    /// Answers when the job has ended, or when the call has waited for it long enough. A call that is cancelled or
    /// dropped before that ends its job, unless another call waits for the same one.
    pub async fn run(&self, call: Call, plan: RunPlan) -> Answer {
        let wish = Wish::of(&call)?;
        let id =
            ids::new().map_err(|error| Fault::new(code::FAILED, format!("no id can be had: {error}")))?;
        let (session, key) = (call.asker.session_id.clone(), call.idempotency_key.clone());
        let mut wait = wish.wait;
        let claim = self.index().claim(&id, session, key, now_ms(), &self.0.config.limits);
        let (id, phase) = match claim {
            Claim::New(phase) => {
                let (meta, order) = self.put_together(id.clone(), &call, wish, plan);
                // Not within this call: half a start would be nobody's.
                self.0.tasks.spawn(self.clone().begin(meta, order));
                (id, phase)
            }
            // Even a call that does not wait hears of an end that was there before it.
            Claim::Known(known, phase) => {
                wait = wait.max(Duration::from_millis(1));
                (known, phase)
            }
            Claim::Busy => {
                let most = self.0.config.limits.running;
                let words = format!("{most} jobs run already: wait for one, or end one with `process.kill`");
                return Err(Fault::new(code::BUSY, words));
            }
        };
        let waiter = Waiter { jobs: self.clone(), id, stands: Stands::Waiting };
        self.wait(&call, waiter, phase, wait).await
    }

    async fn wait(&self, call: &Call, waiter: Waiter, mut phase: Receiver<Phase>, wait: Duration) -> Answer {
        let id = waiter.id.clone();
        let begun = phase.wait_for(|phase| *phase != Phase::Starting).await;
        if let Phase::Failed(fault) = begun.map_err(|_| gone(&id))?.clone() {
            waiter.leave();
            return Err(fault);
        }
        // One that has no room for it learns of the job from the answer.
        let _ = call.progress.try_send(Progress::Job(id.clone()));
        tokio::select! {
            biased;
            // A call that does not want to wait hears that it runs, whatever has become of it by now.
            () = until_ended(&mut phase), if !wait.is_zero() => {}
            () = call.cancel.cancelled() => return self.cancelled(call, waiter).await,
            () = self.0.stop.cancelled() => return Err(gone(&id)),
            () = tokio::time::sleep(wait) => {
                let answer = self.so_far(&id).await;
                waiter.leave();
                return answer;
            }
        }
        self.index().give(&call.id, &id, Instant::now() + self.0.config.limits.delivery);
        let answer = self.finished(&id).await;
        if answer.is_err() {
            // It does not tell the end.
            self.result_given_up(&call.id);
        }
        waiter.leave();
        answer
    }

    async fn cancelled(&self, call: &Call, mut waiter: Waiter) -> Answer {
        let id = waiter.id.clone();
        let fault = |words: &str| Err(Fault::new(code::CANCELLED, words).of_job(&id));
        if self.index().leave_to_others(&id) == Left::ToOthers {
            waiter.stands = Stands::Gone;
            return fault("the call was cancelled; its job goes on, because another call waits for it");
        }
        self.end(&id).await;
        self.index().give(&call.id, &id, Instant::now() + self.0.config.limits.delivery);
        waiter.leave();
        fault("the call was cancelled, and its job was ended")
    }

    fn put_together(&self, id: String, call: &Call, wish: Wish, plan: RunPlan) -> (Meta, Order) {
        let meta = Meta {
            version: 1,
            job_id: id,
            node_id: self.0.config.node_id.clone(),
            argv: plan.argv.clone(),
            cwd: plan.cwd.display().to_string(),
            stdin_text_bytes: if let Input::Text(text) = &wish.input { text.len() } else { 0 },
            created_at_ms: now_ms(),
            running: true,
            timeout_ms: wish.timeout.map(ms),
            yield_ms: ms(wish.wait),
            notify_on_exit: wish.notify_on_exit,
            notify_on_exit_mode: wish.notify(),
            pty: matches!(wish.input, Input::Terminal(_)),
            told: Some(false),
            call_id: call.id.clone(),
            idempotency_key: call.idempotency_key.clone(),
            session_id: call.asker.session_id.clone(),
            ticket: call.asker.ticket.clone(),
            ..Meta::default()
        };
        let mut env = plan.env;
        if meta.pty && !env.iter().any(|(name, _)| name == "TERM") {
            env.push(("TERM".into(), "xterm-256color".into()));
        }
        let order = Order {
            program: plan.program.into_os_string(),
            argv: plan.argv,
            cwd: plan.cwd.into_os_string(),
            env,
            input: wish.input,
            timeout_ms: meta.timeout_ms,
            output_limit: self.0.config.limits.output,
        };
        (meta, order)
    }
}

async fn until_ended(phase: &mut Receiver<Phase>) {
    // Nobody lets go of a phase before it says how the job ended.
    let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
}

fn gone(id: &str) -> Fault {
    Fault::new(code::FAILED, format!("this program ends; job `{id}` goes on without it")).of_job(id)
}

/// A call that waits for a job. Dropped without a word, it wants the job no more.
struct Waiter {
    jobs: Jobs,
    id: String,
    stands: Stands,
}

/// How a call stands to its job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It waits.
    Waiting,
    /// It has its answer.
    Answered,
    /// It does not count among those who wait any more.
    Gone,
}

impl Waiter {
    /// The call has its answer.
    fn leave(mut self) {
        self.stands = Stands::Answered;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.stands == Stands::Gone {
            return;
        }
        let waiting = self.jobs.index().leave(&self.id);
        if self.stands == Stands::Answered || waiting > 0 || self.jobs.0.stop.is_cancelled() {
            // Its end may be nobody's now but those' who are told.
            self.jobs.something_ended();
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (jobs, id) = (self.jobs.clone(), self.id.clone());
            self.jobs.0.tasks.spawn_on(async move { jobs.end(&id).await }, &runtime);
        }
    }
}
