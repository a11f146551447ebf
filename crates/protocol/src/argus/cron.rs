//! Scheduled jobs: what a session is to do by itself, and when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::deliver::Deliver;

mod calls;

pub use self::calls::*;

/// A scheduled job, as it is listed and as it stands in `state.json` (`sessions.<id>.cronJobs`). Exactly one of `expr`, `atMs`
/// and `everyMs` says when. Times are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id within its session.
    pub job_id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A cron expression, for what comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// Where seconds stand in the expression; absent: it has five fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Seconds>,
    /// The only time, for what comes once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// From one time to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// The IANA time zone of the expression; absent: the deployment's (`ARGUS_TIMEZONE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// What is to be done.
    pub text: String,
    /// Whether it is due at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What becomes of times that passed while nobody looked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: Missed,
    /// How many of them at most, where all are made up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_most: Option<u32>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub thread: JobThread,
    /// How many threads of its newest runs are kept, where each run has its own; absent: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// Where its answer goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deliver: Deliver,
    /// When it was due last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_at_ms: Option<u64>,
    /// When it is due next; absent where it is not enabled or never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_at_ms: Option<u64>,
    /// What somebody else wrote beside it; kept as it is.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Where seconds stand in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seconds {
    /// `second minute hour day month weekday`.
    First,
    /// `minute hour day month weekday second [year]`, as the reference has it.
    Last,
}

/// What becomes of times that passed while nobody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Missed {
    /// They are left out.
    Skip,
    /// One run stands for all of them.
    #[default]
    Once,
    /// Each has its run, the oldest first, up to [`Job::missed_most`] of the newest.
    All,
}

/// Where a job runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum JobThread {
    /// In the session's main thread.
    #[default]
    Main,
    /// Each run in a new thread of its own.
    Own,
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
