//! What looks whether something is due: when it is time, and whenever somebody says that something happened.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Automation;

/// The longest time without a look: the clock on the wall may be set, and the machine may have slept.
const LONGEST: Duration = Duration::from_secs(30);
/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(50);

/// Says that something happened. Clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Notify>);

impl Pulse {
    /// Something happened: somebody looks soon.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.notified().await;
    }
}

impl Automation {
    /// Looks until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            // A defect of ours costs no more than a pause.
            let look = AssertUnwindSafe(self.look((self.0.clock)())).catch_unwind();
            let next = look.await.unwrap_or_else(|_| {
                tracing::error!("a look at what is due failed within the gateway; please report this");
                None
            });
            // A look takes its time, too.
            let now = (self.0.clock)();
            let pause = next.map_or(LONGEST, |at| Duration::from_millis(at.saturating_sub(now)));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause.clamp(SHORTEST, LONGEST)) => {}
                () = self.0.pulse.woken() => tokio::time::sleep(SHORTEST).await,
            }
        }
    }

    /// Begins what is due at this time, unix milliseconds; answers when something is due next, as far as it is known.
    pub async fn look(&self, now: u64) -> Option<u64> {
        // One after the other: what one begins is used of the day before the other counts.
        let jobs = self.run_due_jobs(now).await;
        let beats = self.beat(now).await;
        jobs.into_iter().chain(beats).min()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use argus_protocol::SessionId;
    use argus_session::Submission;
    use async_trait::async_trait;
    use serde_json::Value;

    use super::super::AutomationParts;
    use super::super::ports::Workers;
    use super::super::stage::stage;
    use super::*;

    /// Sessions that have a defect the first time.
    #[derive(Default)]
    struct Defect {
        asked: AtomicU32,
        again: Notify,
    }

    #[async_trait]
    impl Workers for Defect {
        async fn begin(&self, _: Submission) {}

        async fn knows(&self, _: &SessionId) -> bool {
            false
        }

        async fn list(&self) -> Result<Vec<SessionId>, String> {
            Ok(Vec::new())
        }

        async fn stored_default(&self) -> Option<SessionId> {
            assert!(self.asked.fetch_add(1, Ordering::SeqCst) > 0, "a defect");
            self.again.notify_one();
            None
        }

        async fn default_session(&self) -> Result<SessionId, String> {
            Err("none".to_owned())
        }

        async fn ask_agent(&self, _: &SessionId, _: &str, _: Value) -> Result<Value, String> {
            Err("nobody is there".to_owned())
        }
    }

    #[tokio::test]
    async fn a_defect_of_one_look_is_not_the_end_of_all_looking() {
        let (stage, workers, pulse) = (stage(|_| {}).await, Arc::new(Defect::default()), Pulse::default());
        let parts = &stage.automation.0;
        let automation = Automation::new(AutomationParts {
            ledger: parts.ledger.clone(),
            state: parts.state.clone(),
            workers: workers.clone(),
            pulse: pulse.clone(),
            config: parts.config.clone(),
            bots: Vec::new(),
            workspaces: parts.workspaces.clone(),
            clock: parts.clock.clone(),
        });
        pulse.wake();
        tokio::select! {
            () = automation.run(CancellationToken::new()) => panic!("nobody told it to stop"),
            () = workers.again.notified() => {}
        }
    }
}
