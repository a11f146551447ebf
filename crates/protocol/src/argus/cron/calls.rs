//! `argus/cron/*`: what is asked about scheduled jobs, and what is answered.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Job, JobThread, Missed, Seconds};
use crate::argus::deliver::Deliver;
use crate::ids::{SessionId, SubmissionId, ThreadId};

/// How many jobs there are, and when the next one is due.
pub const STATUS: &str = "argus/cron/status";
/// Every job.
pub const LIST: &str = "argus/cron/list";
/// A new job, or one in the place of another.
pub const ADD: &str = "argus/cron/add";
/// Other members for a job.
pub const UPDATE: &str = "argus/cron/update";
/// The end of a job.
pub const REMOVE: &str = "argus/cron/remove";
/// A run of a job now.
pub const RUN: &str = "argus/cron/run";
/// The runs that a job had.
pub const HISTORY: &str = "argus/cron/history";
/// A job is not due any more.
pub const PAUSE: &str = "argus/cron/pause";
/// A job is due again, from now on.
pub const RESUME: &str = "argus/cron/resume";

/// What a job is to be: [`ADD`] needs a text and one of `expr`, `at`, `atMs` and `everyMs`; of [`UPDATE`] what is absent stays
/// as it is, and a blank `name` or `tz` is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Wish {
    /// Its id: 1 to 64 letters, digits, `.`, `_` and `-`. [`ADD`] makes one where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A cron expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// Where its seconds stand; goes with `expr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Seconds>,
    /// The only time: RFC 3339, or `2026-12-24 08:00` as the clock of its zone shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The same in unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// From one time to the next, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// The IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether it is due at all; absent: it is.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "enabled")]
    pub enabled: Option<bool>,
    /// What becomes of times that passed while nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// How many of them at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_most: Option<u32>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<JobThread>,
    /// How many threads of its runs are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// Where its answer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Deliver>,
    /// On `POST /rpc`: which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

fn enabled<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    match serde_json::Value::deserialize(value)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::Bool(enabled) => Ok(Some(enabled)),
        _ => Err(serde::de::Error::custom("'enabled': expected true or false")),
    }
}

/// Parameters of [`LIST`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct List {
    /// `false` leaves out what is not enabled; absent: all are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_disabled: Option<bool>,
    /// On `POST /rpc`: which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of [`REMOVE`], [`RUN`], [`PAUSE`], [`RESUME`] and [`HISTORY`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Which {
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Of [`HISTORY`]: how many runs at most, the newest; absent: 20, at most 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// On `POST /rpc`: which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Result of [`STATUS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// The session of those who name none, where one was chosen.
    pub default_session_id: Option<SessionId>,
    /// How many jobs it has.
    pub jobs: usize,
    /// How many of them are enabled.
    pub enabled_jobs: usize,
    /// When the next one is due, unix milliseconds.
    pub next_due_at_ms: Option<u64>,
}

/// Result of [`LIST`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Jobs {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// Its jobs, in the order in which they were added.
    pub jobs: Vec<Listed>,
}

/// A job, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// Why it cannot be due: what is wrong with its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Result of [`ADD`], [`UPDATE`], [`PAUSE`] and [`RESUME`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// The job as it stands now.
    pub job: Job,
    /// The next three times that it names, enabled or not.
    pub next_times: Vec<Time>,
}

/// A time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Time {
    /// RFC 3339, as the clock of the job's zone shows it.
    pub at: String,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// Result of [`REMOVE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// The job that is no more.
    pub job_id: String,
}

/// Result of [`RUN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// The job.
    pub job_id: String,
    /// Always true: the run is durable.
    pub enqueued: bool,
    /// Names this run, as the history does.
    pub run: String,
    /// Its submission.
    pub submission_id: SubmissionId,
}

/// Result of [`HISTORY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Always true.
    pub ok: bool,
    /// The session.
    pub session_id: SessionId,
    /// The job.
    pub job_id: String,
    /// Its runs, the newest first.
    pub runs: Vec<Run>,
}

/// One run. Times are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Names it.
    pub run: String,
    /// When it should have been.
    pub due_at_ms: u64,
    /// How it stands.
    pub state: RunState,
    /// The thread it ran in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// Why it failed or was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for.
    pub asked_at_ms: u64,
    /// When its turn was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at_ms: Option<u64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// From its beginning to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Tokens that it took, read and written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunState {
    /// It waits or runs.
    Open,
    /// The agent finished.
    Done,
    /// It did not finish.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// It was left out.
    Skipped,
}
