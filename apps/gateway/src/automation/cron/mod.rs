//! Scheduled jobs: kept in `state.json`, run once for each time they are due.

use super::Automation;

impl Automation {
    /// Runs what is due at this time; answers when something is due next.
    #[expect(clippy::unused_async, reason = "nothing can be scheduled yet")]
    pub(super) async fn run_due_jobs(&self, _now: u64) -> Option<u64> {
        None
    }
}

mod timetable;
mod timing;
pub use self::timetable::Timetable;
