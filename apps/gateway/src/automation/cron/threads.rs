//! Puts away the threads of old runs, where each run of a job has its own.

use argus_protocol::SessionId;
use serde_json::json;
use tracing::Instrument as _;

use crate::automation::Automation;

/// Threads that are put away after one run.
const AT_ONCE: u32 = 20;
/// After so many failures the rest waits for the next run.
const MOST_FAILURES: usize = 3;

impl Automation {
    /// Puts away what is too much of jobs whose last run has just ended: their runtimes are awake.
    pub(super) async fn tidy_threads(&self) {
        for untidy in self.timetable().untidy() {
            match self.0.ledger.has_open_run(&untidy.0, &untidy.1).await {
                Ok(true) => {}
                Ok(false) => {
                    self.timetable().tidied(&untidy);
                    let (automation, (session, job)) = (self.clone(), untidy);
                    let span = tracing::info_span!("threads", session.id = %session, job.id = job);
                    // It ends by itself: the agent answers in time or not at all.
                    tokio::spawn(async move { automation.archive(&session, &job).await }.instrument(span));
                }
                Err(error) => tracing::warn!(%error, "the runs of a job cannot be read"),
            }
        }
    }

    /// What fails stays for the next run.
    pub(super) async fn archive(&self, session: &SessionId, job: &str) {
        let parts = &self.0;
        let over = match parts.ledger.threads_over(session, job, AT_ONCE).await {
            Ok(over) => over,
            Err(error) => return tracing::warn!(%error, "the threads of a job cannot be read"),
        };
        let mut failures = 0;
        for (run, thread) in over {
            if failures == MOST_FAILURES {
                return;
            }
            let asked =
                parts.workers.ask_agent(session, "thread/archive", json!({ "threadId": thread })).await;
            if let Err(error) = asked {
                tracing::warn!(error, thread.id = %thread, "the thread of an old run could not be archived; it is tried again after the next run");
                failures += 1;
                continue;
            }
            if let Err(error) = parts.ledger.thread_archived(session, &run).await {
                return tracing::warn!(%error, "that a thread was archived could not be noted");
            }
        }
    }
}
