//! What looks whether something is due: when it is time, and whenever somebody says that something happened.

use std::sync::Arc;
use std::time::Duration;

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
            let next = self.look((self.0.clock)()).await;
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
