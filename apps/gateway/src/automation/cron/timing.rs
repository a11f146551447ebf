//! When a job is due: its next time, the times that passed, and which of these are made up for. Pure.

use std::sync::Arc;

use argus_protocol::argus::cron::{Job, Missed};
use argus_schedule::{DateTime, Expression, Tz, Utc};

/// A time that lies longer before the look than this was missed, in milliseconds.
pub(super) const MISSED_AFTER_MS: u64 = 60_000;
/// How many missed times are made up for, where a job does not say.
pub(super) const MISSED_USUALLY: u32 = 10;
/// The same at most.
pub(super) const MISSED_MOST: u32 = 100;

/// When something is due. Times are unix milliseconds.
#[derive(Clone, Debug)]
pub(super) enum Schedule {
    /// By an expression in a zone.
    Expr(Arc<Expression>, Tz),
    /// Once.
    At(u64),
    /// Again after so long.
    Every(u64),
}

/// What follows from looking at a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The due times that get a run now, oldest first.
    pub(super) runs: Vec<u64>,
    /// The newest of the times that are left out because they were missed.
    pub(super) missed: Option<u64>,
    /// When it is due next.
    pub(super) next: Option<u64>,
}

impl Schedule {
    /// The first time after `after`. An interval keeps to the times that it had: `had` is one of them.
    pub(super) fn next_after(&self, after: u64, had: Option<u64>) -> Option<u64> {
        match self {
            Self::Expr(expression, zone) => to_ms(expression.next_after(to_time(after)?, *zone)?),
            Self::At(at) => (*at > after).then_some(*at),
            Self::Every(every) => {
                let every = (*every).max(1);
                let had = had.unwrap_or(after);
                if had > after {
                    Some(had - (had - after - 1) / every * every)
                } else {
                    had.checked_add(((after - had) / every).checked_add(1)?.checked_mul(every)?)
                }
            }
        }
    }

    /// The next times after `after`.
    pub(super) fn next_times(&self, after: u64, had: Option<u64>, count: usize) -> Vec<u64> {
        let mut at = after;
        let next = std::iter::from_fn(|| {
            at = self.next_after(at, had.or(Some(after)))?;
            Some(at)
        });
        next.take(count).collect()
    }

    /// The last time within `from..=until`. However much lies between, it takes some forty looks at the expression.
    fn last_within(&self, from: u64, until: u64, had: Option<u64>) -> Option<u64> {
        let comes = |after: u64| self.next_after(after, had).is_some_and(|at| at <= until);
        // Something comes after `low`, and nothing after `high`.
        let (mut low, mut high) = (from.checked_sub(1)?, until);
        if !comes(low) {
            return None;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if comes(middle) { low = middle } else { high = middle }
        }
        Some(high)
    }

    /// The newest times within `from..=until`, oldest first.
    fn newest_within(&self, from: u64, until: u64, had: Option<u64>, count: u32) -> Vec<u64> {
        let mut newest = Vec::new();
        let mut until = until;
        while newest.len() < count as usize
            && let Some(at) = self.last_within(from, until, had)
        {
            newest.push(at);
            let Some(before) = at.checked_sub(1) else { break };
            until = before;
        }
        newest.reverse();
        newest
    }
}

/// What is to be done about a job that is enabled, at this time.
pub(super) fn plan(schedule: &Schedule, job: &Job, now: u64) -> Plan {
    let had = job.next_run_at_ms.or(job.last_run_at_ms);
    let next = schedule.next_after(now, had);
    let from = job.next_run_at_ms.or_else(|| {
        // As the reference: since it ran last, where it is not known when it should have run again.
        let since = job.last_run_at_ms.unwrap_or(now);
        schedule.next_after(since, had)
    });
    let Some(from) = from.filter(|from| *from <= now) else { return Plan { next, ..Plan::default() } };
    if matches!(schedule, Schedule::At(at) if job.last_run_at_ms >= Some(*at)) {
        return Plan { next, ..Plan::default() };
    }
    let most = match job.missed {
        Missed::Skip | Missed::Once => 1,
        Missed::All => job.missed_most.unwrap_or(MISSED_USUALLY).clamp(1, MISSED_MOST),
    };
    let runs = schedule.newest_within(from, now, had, most);
    match runs.last() {
        Some(newest) if job.missed == Missed::Skip && now - newest > MISSED_AFTER_MS => {
            Plan { runs: Vec::new(), missed: Some(*newest), next }
        }
        _ => Plan { runs, missed: None, next },
    }
}

/// Whether both say the same of when they are due.
pub(super) fn same_time(one: &Job, other: &Job) -> bool {
    let time = |job: &Job| (job.expr.clone(), job.seconds, job.tz.clone(), job.at_ms, job.every_ms);
    time(one) == time(other)
}

/// A time as expressions know it; `None` for what is out of all calendars.
pub(super) fn to_time(ms: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)
}

fn to_ms(at: DateTime<Utc>) -> Option<u64> {
    u64::try_from(at.timestamp_millis()).ok()
}

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
