//! Jobs and their runs in words, a line each.

use std::fmt::Write as _;

use argus_protocol::argus::cron::{Job, Kept, Listed, Run, RunState};

use crate::shown::{local, on_one_line, utc};

/// The beginning of a text that is shown, in characters.
const SHOWN: usize = 60;

/// A job that was kept, and when it is due next, or would be.
pub(super) fn kept(kept: &Kept) -> String {
    let paused = match (kept.job.enabled, kept.next_times.is_empty()) {
        (true, _) => "",
        (false, true) => "  paused",
        (false, false) => "  paused; it would be due at",
    };
    let mut told = format!("{}{paused}\n", on_one_line(&kept.job.job_id));
    for time in &kept.next_times {
        _ = writeln!(told, "  {}", time.at);
    }
    told
}

/// `9f0c1d2e3a  0 9 * * 1-5 Europe/Berlin  next 2026-03-02T09:00:00+01:00  Morning summary`
pub(super) fn listed(listed: &Listed) -> String {
    let job = &listed.job;
    let stands = match (&listed.trouble, job.enabled, job.next_run_at_ms) {
        (Some(trouble), ..) => format!("cannot be due: {}", on_one_line(trouble)),
        (None, false, _) => "paused".to_owned(),
        (None, true, Some(next)) => format!("next {}", in_its_zone(job, next)),
        (None, true, None) => "never again".to_owned(),
    };
    let called = job.name.as_deref().unwrap_or(&job.text);
    let mut shown: String = on_one_line(called).chars().take(SHOWN).collect();
    if shown.len() < on_one_line(called).len() {
        shown.push('…');
    }
    format!("{}  {}  {stands}  {shown}", on_one_line(&job.job_id), when(job))
}

fn when(job: &Job) -> String {
    let zone = job.tz.as_deref().map(|zone| format!(" {}", on_one_line(zone))).unwrap_or_default();
    match (&job.expr, job.at_ms, job.every_ms) {
        (Some(expr), ..) => format!("{}{zone}", on_one_line(expr)),
        (None, Some(at), _) => format!("at {}", in_its_zone(job, at)),
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
    _ = write!(told, "  {}", on_one_line(&run.run));
    if let Some(reason) = &run.reason {
        _ = write!(told, "  {}", on_one_line(reason));
    }
    told
}

/// As the clock of the job's zone shows it; where it names none, in UTC.
fn in_its_zone(job: &Job, ms: u64) -> String {
    job.tz.as_deref().map_or_else(|| utc(ms), |zone| local(ms, zone))
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
            "a  0 9 * * 1 Asia/Tokyo  next 2026-03-01T17:00:00+09:00  x [2J"
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
    fn a_paused_job_is_shown_with_when_it_would_be_due() {
        let shown = |enabled: bool, times: serde_json::Value| {
            let job = json!({ "jobId": "a", "everyMs": 1000, "text": "x", "enabled": enabled });
            kept(
                &serde_json::from_value(
                    json!({ "ok": true, "sessionId": "s", "job": job, "nextTimes": times }),
                )
                .unwrap(),
            )
        };
        let times = json!([{ "at": "2026-03-01T08:00:00+00:00", "atMs": 1_772_352_000_000_u64 }]);
        assert_eq!(shown(true, times.clone()), "a\n  2026-03-01T08:00:00+00:00\n");
        assert_eq!(shown(false, times), "a  paused; it would be due at\n  2026-03-01T08:00:00+00:00\n");
        assert_eq!(shown(false, json!([])), "a  paused\n");
    }

    #[test]
    fn a_run_is_a_line_with_how_it_ended_and_what_it_took() {
        let run = json!({
            "run": "j@1", "dueAtMs": 1_772_352_000_000_u64, "state": "failed", "askedAtMs": 1, "durationMs": 42_000,
            "tokens": 7, "reason": "no\nway"
        });
        assert_eq!(
            run_line(&serde_json::from_value(run).unwrap()),
            "2026-03-01T08:00:00Z  failed  in 42s  7 tokens  j@1  no way"
        );
    }
}
