//! What a job may be: each member is checked before the job is kept.

use argus_protocol::argus::cron::{Job, Wish};
use argus_schedule::{Expression, Tz};

use super::timetable::{Timetable, Trouble, dialect, zone_of};
use super::timing::{MISSED_MOST, Schedule, to_time};
use super::{CronError, moment};

/// The longest text of a job, in bytes.
pub(super) const LONGEST_TEXT: usize = 32 * 1024;
/// The longest name, in characters.
pub(super) const LONGEST_NAME: usize = 120;
/// The longest id.
const LONGEST_ID: usize = 64;
/// The shortest and the longest interval, in milliseconds: a second and ten years.
const EVERY_MS: std::ops::RangeInclusive<u64> = 1_000..=315_360_000_000;
/// The end of the last year of all calendars here, in unix milliseconds.
const LAST_MS: u64 = 4_102_444_800_000;
/// Most threads that a job keeps.
const MOST_KEPT: u32 = 1000;

impl From<Trouble> for CronError {
    fn from(trouble: Trouble) -> Self {
        Self::Wrong { field: trouble.field, reason: trouble.reason }
    }
}

fn wrong<T>(field: &'static str, reason: impl Into<String>) -> Result<T, CronError> {
    Err(CronError::Wrong { field, reason: reason.into() })
}

/// The job with the members that are wished; the others stay.
pub(super) fn apply(mut job: Job, wish: &Wish, zone: Tz) -> Result<Job, CronError> {
    if let Some(name) = &wish.name {
        job.name = checked_name(name)?;
    }
    if let Some(text) = &wish.text {
        job.text = checked_text(text)?;
    }
    if let Some(tz) = &wish.tz {
        job.tz = Some(tz.trim().to_owned()).filter(|tz| !tz.is_empty());
    }
    let zone = zone_of(&job, zone)?;
    set_time(&mut job, wish, zone)?;
    job.enabled = wish.enabled.unwrap_or(job.enabled);
    job.missed = wish.missed.unwrap_or(job.missed);
    job.thread = wish.thread.unwrap_or(job.thread);
    if let Some(most) = wish.missed_most {
        if !(1..=MISSED_MOST).contains(&most) {
            return wrong("missedMost", format!("expected 1 to {MISSED_MOST}"));
        }
        job.missed_most = Some(most);
    }
    if let Some(keep) = wish.keep {
        if keep > MOST_KEPT {
            return wrong("keep", format!("expected at most {MOST_KEPT}"));
        }
        job.keep = Some(keep);
    }
    if let Some(deliver) = &wish.deliver {
        job.deliver = deliver.clone();
    }
    Ok(job)
}

/// When it is due, where that is wished: one kind of time takes the place of another.
fn set_time(job: &mut Job, wish: &Wish, zone: Tz) -> Result<(), CronError> {
    let expr = wish.expr.as_deref().map(str::trim);
    let at = wish.at.is_some() || wish.at_ms.is_some();
    match usize::from(expr.is_some()) + usize::from(at) + usize::from(wish.every_ms.is_some()) {
        0 if wish.seconds.is_some() && job.expr.is_some() => job.seconds = wish.seconds,
        0 => {}
        1 => {
            (job.expr, job.seconds, job.at_ms, job.every_ms) = (None, None, None, None);
            (job.expr, job.every_ms) = (expr.map(str::to_owned), wish.every_ms);
            job.seconds = wish.seconds.filter(|_| expr.is_some());
            job.at_ms = match &wish.at {
                None => wish.at_ms,
                Some(text) => match moment::read(text, zone) {
                    Some(at) => Some(at),
                    None => {
                        return wrong(
                            "at",
                            format!(
                                "`{}` is no time; write 2026-12-24T08:00:00Z, or 2026-12-24 08:00 as the clock of its zone shows it",
                                shown(text)
                            ),
                        );
                    }
                },
            };
        }
        _ => return wrong("expr", "it names more than one kind of time; give one of expr, at and everyMs"),
    }
    Ok(())
}

/// When it is due, where that is possible at all after this time.
pub(super) fn checked_time(table: &Timetable, job: &Job, zone: Tz, now: u64) -> Result<Schedule, CronError> {
    if job.expr.is_none() && job.at_ms.is_none() && job.every_ms.is_none() {
        return wrong("expr", "it names no time; give one of expr, at and everyMs");
    }
    if let Some(expr) = &job.expr
        && let Some(now) = to_time(now)
        && let Err(mistake) = Expression::read(expr, dialect(job.seconds), now)
    {
        return wrong("expr", mistake.to_string());
    }
    let schedule = table.schedule(job, zone)?;
    match schedule {
        Schedule::At(at) if at <= now => wrong("at", "that time has passed"),
        Schedule::At(at) if at >= LAST_MS => wrong("at", "that time is after the year 2099"),
        Schedule::Every(every) if !EVERY_MS.contains(&every) => {
            wrong("everyMs", "expected a second to ten years")
        }
        Schedule::Expr(..) | Schedule::At(_) | Schedule::Every(_) => Ok(schedule),
    }
}

/// The id that is wished; `None` where there is none.
pub(super) fn checked_id(id: Option<&str>) -> Result<Option<String>, CronError> {
    let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()) else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    // In a path dots alone name no job.
    if id.len() > LONGEST_ID || !id.chars().all(plain) || id.chars().all(|c| c == '.') {
        return wrong(
            "jobId",
            format!("expected 1 to {LONGEST_ID} letters, digits, `.`, `_` or `-`, and not dots alone"),
        );
    }
    Ok(Some(id.to_owned()))
}

fn checked_name(name: &str) -> Result<Option<String>, CronError> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME {
        return wrong("name", format!("it has more than {LONGEST_NAME} characters"));
    }
    if name.chars().any(char::is_control) {
        return wrong("name", "it must be one line");
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

fn checked_text(text: &str) -> Result<String, CronError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CronError::Missing("text"));
    }
    if text.len() > LONGEST_TEXT {
        return wrong("text", format!("it has {} bytes, more than {LONGEST_TEXT}", text.len()));
    }
    Ok(text.to_owned())
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
