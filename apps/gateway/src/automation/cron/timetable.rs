//! What automation remembers of jobs between two looks: expressions that were read, and what was said already.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Job, Seconds};
use argus_schedule::{DateTime, Dialect, Expression, Mistake, Tz};

use super::timing::Schedule;

/// Expressions that are remembered.
const REMEMBERED: usize = 4096;

/// The memory. It begins empty with each start.
#[derive(Debug, Default)]
pub(in crate::automation) struct Timetable(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    expressions: HashMap<(String, Option<Seconds>), Result<Arc<Expression>, Mistake>>,
    /// When was looked last, unix milliseconds.
    looked_ms: Option<u64>,
    /// Sessions with jobs that are not known, and were told of in the log.
    unknown: HashSet<SessionId>,
    /// Jobs whose runs have threads of their own and may have too many of them.
    untidy: HashSet<(SessionId, String)>,
}

/// Why a job cannot be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The member that is wrong.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) reason: String,
}

impl Timetable {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a job is due; `zone` is meant where it names none.
    pub(super) fn schedule(&self, job: &Job, zone: Tz) -> Result<Schedule, Trouble> {
        let wrong = |field, reason: String| Trouble { field, reason };
        match (&job.expr, job.at_ms, job.every_ms) {
            (Some(expr), None, None) => {
                let zone = zone_of(job, zone)?;
                let expression = self.expression(expr, job.seconds);
                expression
                    .map(|expression| Schedule::Expr(expression, zone))
                    .map_err(|mistake| wrong("expr", mistake.to_string()))
            }
            (None, Some(at), None) => Ok(Schedule::At(at)),
            (None, None, Some(every)) => Ok(Schedule::Every(every)),
            (None, None, None) => Err(wrong("expr", "it names no time".to_owned())),
            _ => Err(wrong(
                "expr",
                "it names more than one kind of time; one of expr, atMs, everyMs".to_owned(),
            )),
        }
    }

    /// An expression as it was read before. One whose last time has passed is no mistake here.
    fn expression(&self, text: &str, seconds: Option<Seconds>) -> Result<Arc<Expression>, Mistake> {
        let mut memory = self.memory();
        let key = (text.to_owned(), seconds);
        if let Some(known) = memory.expressions.get(&key) {
            return known.clone();
        }
        if memory.expressions.len() >= REMEMBERED {
            memory.expressions.clear();
        }
        let read = Expression::read(text, dialect(seconds), DateTime::UNIX_EPOCH).map(Arc::new);
        memory.expressions.insert(key, read.clone());
        read
    }

    /// Notes a look; whether next times are to be looked at anew: at the first one, and where the clock was set back.
    pub(super) fn looked(&self, now_ms: u64) -> bool {
        let before = self.memory().looked_ms.replace(now_ms);
        before.is_none_or(|before| now_ms < before)
    }

    /// Whether it is the first time that this session is not known.
    pub(super) fn is_news(&self, unknown: &SessionId) -> bool {
        self.memory().unknown.insert(unknown.clone())
    }

    /// A run with a thread of its own was begun.
    pub(super) fn note_thread(&self, session: &SessionId, job: &str) {
        self.memory().untidy.insert((session.clone(), job.to_owned()));
    }

    /// Jobs that may have too many threads.
    pub(super) fn untidy(&self) -> Vec<(SessionId, String)> {
        self.memory().untidy.iter().cloned().collect()
    }

    /// Their threads are being put away.
    pub(super) fn tidied(&self, job: &(SessionId, String)) {
        self.memory().untidy.remove(job);
    }
}

/// How the fields of an expression stand.
pub(super) fn dialect(seconds: Option<Seconds>) -> Dialect {
    match seconds {
        None => Dialect::Five,
        Some(Seconds::First) => Dialect::SecondsFirst,
        Some(Seconds::Last) => Dialect::SecondsLast,
    }
}

/// The zone of a job.
pub(super) fn zone_of(job: &Job, zone: Tz) -> Result<Tz, Trouble> {
    let Some(name) = &job.tz else { return Ok(zone) };
    argus_schedule::zone(name).map_err(|mistake| Trouble { field: "tz", reason: mistake.reason })
}
