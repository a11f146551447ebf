//! Scheduled jobs: kept in `state.json`, run once for each time they are due.
//!
//! A look stores every run that is due with its submission (ledger), then moves the due times (state file), then brings the
//! submissions to their sessions. A run is named by its job and its due time, and a name makes one run: whatever is done
//! again after a crash before the due times moved makes nothing.

mod book;
mod checks;
mod keeping;
mod moment;
mod runs;
mod threads;
mod timetable;
mod timing;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Job, JobThread};
use argus_session::Submission;
use futures::StreamExt as _;

pub use self::book::CronError;
pub(super) use self::timetable::Timetable;
use self::timetable::Trouble;
use super::Automation;
use crate::store::state_file::DueJobs;

/// Jobs that are looked at side by side.
const AT_ONCE: usize = 64;
/// After a failure to store something it is tried again so much later, in milliseconds.
const RETRY_MS: u64 = 5_000;

/// What a look at one job came to.
struct Looked {
    session: SessionId,
    /// The job as it was seen.
    job: Job,
    /// What is to be begun.
    begins: Vec<Submission>,
    then: Then,
}

/// What becomes of a job's due time.
enum Then {
    /// Nothing.
    Stays,
    /// It is looked at again at this time.
    Again(u64),
    /// The job was due at `last`, where it was, and is due next at `next`.
    Moves { last: Option<u64>, next: Option<u64> },
    /// Its time cannot be understood.
    Stops(Trouble),
}

impl Automation {
    /// Runs what is due at this time; answers when something is due next.
    pub(super) async fn run_due_jobs(&self, now: u64) -> Option<u64> {
        let parts = &self.0;
        if self.timetable().looked(now) {
            self.look_anew(now).await;
        }
        let DueJobs { due, next_ms } = parts.state.due_jobs(now).await;
        // Those that run beside others one after the other: each sees what the one before it began.
        let (beside, in_line): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|(_, job)| job.thread == JobThread::Own);
        let look = |(session, job)| self.look_at_job(session, job, now);
        let mut looked: Vec<Looked> =
            futures::stream::iter(in_line).map(look).buffered(AT_ONCE).collect().await;
        looked.extend(futures::stream::iter(beside).then(look).collect::<Vec<_>>().await);
        let mut next: Vec<u64> = next_ms.into_iter().collect();
        let mut begins = Vec::new();
        let mut moves = HashMap::new();
        for Looked { session, job, begins: begun, then } in looked {
            begins.extend(begun);
            match then {
                Then::Stays => {}
                Then::Again(at) => next.push(at),
                Then::Moves { .. } | Then::Stops(_) => {
                    _ = moves.insert((session, job.job_id.clone()), (job, then));
                }
            }
        }
        if !moves.is_empty() {
            argus_crash_point::here("cron.stored").await;
            next.extend(self.move_jobs(moves, now).await);
            argus_crash_point::here("cron.state").await;
        }
        if !begins.is_empty() {
            let bring = |submission| parts.workers.begin(submission);
            futures::stream::iter(begins).for_each_concurrent(AT_ONCE, bring).await;
            argus_crash_point::here("cron.begun").await;
        }
        self.tidy_threads().await;
        next.into_iter().min()
    }

    /// Moves due times, all in one write; the earliest of them.
    async fn move_jobs(&self, moves: HashMap<(SessionId, String), (Job, Then)>, now: u64) -> Option<u64> {
        let written = self.0.state.change_each_job(|session, job| {
            let Some((seen, then)) = moves.get(&(session.clone(), job.job_id.clone())) else { return };
            // Somebody gave it another time meanwhile.
            if job.next_run_at_ms != seen.next_run_at_ms || !timing::same_time(job, seen) {
                return;
            }
            match then {
                Then::Moves { last, next } => {
                    job.last_run_at_ms = job.last_run_at_ms.max(*last);
                    job.next_run_at_ms = *next;
                }
                Then::Stops(trouble) => {
                    tracing::warn!(session.id = %session, job.id = job.job_id, reason = trouble.reason, "a job is not enabled any more: its time cannot be understood");
                    (job.enabled, job.next_run_at_ms) = (false, None);
                }
                Then::Stays | Then::Again(_) => {}
            }
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "due times could not be moved; it is tried again, and no run is made twice");
            return Some(now.saturating_add(RETRY_MS));
        }
        let next = moves.values().filter_map(|(_, then)| match then {
            Then::Moves { next, .. } => *next,
            Then::Stays | Then::Again(_) | Then::Stops(_) => None,
        });
        next.min()
    }

    /// Looks at what is not due, too: after a start, settings and the file may be others; and after the clock was set back, times
    /// lie too far ahead.
    async fn look_anew(&self, now: u64) {
        let parts = &self.0;
        let mut moves = HashMap::new();
        for (session, job) in parts.state.all_jobs().await {
            let Some(next) = job.next_run_at_ms.filter(|next| job.enabled && *next > now) else { continue };
            let then = match self.timetable().schedule(&job, parts.config.zone) {
                Err(trouble) => Then::Stops(trouble),
                Ok(schedule) => match schedule.next_after(now, Some(next)) {
                    Some(same) if same == next => continue,
                    other => Then::Moves { last: None, next: other },
                },
            };
            moves.insert((session, job.job_id.clone()), (job, then));
        }
        if !moves.is_empty() {
            self.move_jobs(moves, now).await;
        }
    }
}
