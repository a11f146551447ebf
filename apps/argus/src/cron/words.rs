//! Jobs and their runs in words, a line each.

use std::fmt::Write as _;

use argus_protocol::argus::cron::{Job, Kept, Listed, Run, RunState};
use argus_schedule::{DateTime, Utc};

use crate::pair::printable;

/// The beginning of a text that is shown, in characters.
const SHOWN: usize = 60;

/// A job that was kept, and when it is due next.
pub(super) fn kept(kept: &Kept) -> String {
    let paused = if kept.job.enabled { "" } else { "  paused" };
    let mut told = format!("{}{paused}\n", printable(&kept.job.job_id));
    for time in &kept.next_times {
        _ = writeln!(told, "  {}", time.at);
    }
    told
}

/// `9f0c1d2e3a  0 9 * * 1-5 Europe/Berlin  next 2026-03-01T08:00:00Z  Morning summary`
pub(super) fn listed(listed: &Listed) -> String {
    let job = &listed.job;
    let stands = match (&listed.trouble, job.enabled, job.next_run_at_ms) {
        (Some(trouble), ..) => format!("cannot be due: {}", printable(trouble)),
        (None, false, _) => "paused".to_owned(),
        (None, true, Some(next)) => format!("next {}", utc(next)),
        (None, true, None) => "never again".to_owned(),
    };
    let called = job.name.as_deref().unwrap_or(&job.text);
    let mut shown: String = printable(called).chars().take(SHOWN).collect();
    if shown.len() < printable(called).len() {
        shown.push('…');
    }
    format!("{}  {}  {stands}  {shown}", printable(&job.job_id), when(job))
}

fn when(job: &Job) -> String {
    let zone = job.tz.as_deref().map(|zone| format!(" {}", printable(zone))).unwrap_or_default();
    match (&job.expr, job.at_ms, job.every_ms) {
        (Some(expr), ..) => format!("{}{zone}", printable(expr)),
        (None, Some(at), _) => format!("at {}", utc(at)),
        (None, None, Some(every)) => format!("every {}", span(every)),
        (None, None, None) => "-".to_owned(),
    }
}

/// `2026-03-01T08:00:00Z  done  in 42s  1234 tokens  j@1772352000000`
pub(super) fn run_line(run: &Run) -> String {
    let state = match run.state {
        RunState::Open => "open",
        RunState::Done => "done",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
        RunState::Skipped => "skipped",
    };
    let mut told = format!("{}  {state}", utc(run.due_at_ms));
    if let Some(duration) = run.duration_ms {
        _ = write!(told, "  in {}", span(duration));
    }
    if let Some(tokens) = run.tokens {
        _ = write!(told, "  {tokens} tokens");
    }
    _ = write!(told, "  {}", printable(&run.run));
    if let Some(reason) = &run.reason {
        _ = write!(told, "  {}", printable(reason));
    }
    told
}

fn utc(ms: u64) -> String {
    let at: Option<DateTime<Utc>> = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The time in the largest unit that loses nothing of its seconds.
fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms}ms"),
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_is_a_line_that_steers_no_terminal() {
        let line = |job: serde_json::Value| listed(&serde_json::from_value(job).unwrap());
        let at = 1_772_352_000_000_u64;
        assert_eq!(
            line(
                json!({ "jobId": "a", "expr": "0 9 * * 1", "tz": "Asia/Tokyo", "text": "x\u{1b}[2J", "nextRunAtMs": at })
            ),
            "a  0 9 * * 1 Asia/Tokyo  next 2026-03-01T08:00:00Z  x[2J"
        );
        assert_eq!(
            line(json!({ "jobId": "a", "everyMs": 5_400_000, "name": "N", "text": "x", "enabled": false })),
            "a  every 90m  paused  N"
        );
        assert_eq!(
            line(json!({ "jobId": "a", "atMs": at, "text": "y".repeat(61) })),
            format!("a  at 2026-03-01T08:00:00Z  never again  {}…", "y".repeat(60))
        );
        assert_eq!(
            line(json!({ "jobId": "a", "expr": "61 * * * *", "text": "x", "trouble": "'expr': no" })),
            "a  61 * * * *  cannot be due: 'expr': no  x"
        );
    }

    #[test]
    fn a_run_is_a_line_with_how_it_ended_and_what_it_took() {
        let run = json!({
            "run": "j@1", "dueAtMs": 1_772_352_000_000_u64, "state": "failed", "askedAtMs": 1, "durationMs": 42_000,
            "tokens": 7, "reason": "no\nway"
        });
        assert_eq!(
            run_line(&serde_json::from_value(run).unwrap()),
            "2026-03-01T08:00:00Z  failed  in 42s  7 tokens  j@1  noway"
        );
    }
}
