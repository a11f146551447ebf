//! What is in a `state.json`, told without changing anything.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use argus_protocol::argus::cron::{Job, Seconds};
use argus_schedule::{Dialect, Expression, zone};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{StateError, check, former, pause, read, sessions};

/// What is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The file.
    pub path: PathBuf,
    /// The session of those who name none.
    pub default_session: Option<String>,
    /// Each session.
    pub sessions: Vec<SessionSurvey>,
    /// What is kept in it and left out of account.
    pub warnings: Vec<String>,
}

/// What is in it of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSurvey {
    /// Its id.
    pub session: String,
    /// Its main thread.
    pub main_thread: Option<String>,
    /// How many jobs it has.
    pub jobs: usize,
    /// How many of them are enabled.
    pub enabled: usize,
    /// Whether it does nothing unasked.
    pub paused: bool,
    /// Jobs that are never due because nobody can say when.
    pub troubles: Vec<JobTrouble>,
    /// Events of the reference that the next start takes over.
    pub to_take_over: usize,
}

/// A job that is never due because nobody can say when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobTrouble {
    /// The job.
    pub job: String,
    /// Its expression.
    pub expr: String,
    /// The field, and what is wrong with it.
    pub reason: String,
}

/// Looks through the file at that path; `None` where there is none.
pub fn survey(path: &Path, now: SystemTime) -> Result<Option<Survey>, StateError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let checked = check::check(path, &bytes)?;
    let of_text = |value: &Map<String, Value>, member: &str| {
        let text = value.get(member).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        text.map(str::to_owned)
    };
    let queues = former::queues(&checked.state);
    let sessions = sessions(&checked.state).filter_map(|(id, own)| Some((id, own, own.as_object()?)));
    let sessions = sessions.map(|(id, value, own)| {
        let jobs: Vec<_> = own.get("cronJobs").and_then(Value::as_array).into_iter().flatten().collect();
        let jobs: Vec<_> = jobs.into_iter().filter_map(|job| Job::deserialize(job).ok()).collect();
        let waiting = queues.iter().filter(|queue| queue.session.as_str() == id);
        SessionSurvey {
            session: id.clone(),
            main_thread: of_text(own, "mainThreadId"),
            jobs: jobs.len(),
            enabled: jobs.iter().filter(|job| job.enabled).count(),
            paused: pause::paused(value),
            troubles: jobs.iter().filter_map(|job| trouble(job, now)).collect(),
            to_take_over: waiting.map(|queue| queue.events.len()).sum(),
        }
    });
    Ok(Some(Survey {
        path: path.to_owned(),
        default_session: of_text(&checked.state, "defaultSessionId"),
        sessions: sessions.collect(),
        warnings: checked.warnings,
    }))
}

fn trouble(job: &Job, now: SystemTime) -> Option<JobTrouble> {
    let expr = job.expr.as_deref()?;
    let dialect = match job.seconds {
        None => Dialect::Five,
        Some(Seconds::First) => Dialect::SecondsFirst,
        Some(Seconds::Last) => Dialect::SecondsLast,
    };
    let read = Expression::read(expr, dialect, now.into()).map(drop);
    let named = job.tz.as_deref().map_or(Ok(()), |tz| zone(tz).map(drop));
    let reason = read.and(named).err()?.to_string();
    Some(JobTrouble { job: job.job_id.clone(), expr: expr.to_owned(), reason })
}
