//! Jobs and their runs, as a model reads them.

use argus_protocol::argus::cron::{History, Job, Jobs, Kept, RunState, Status};

use super::super::super::moment::moment;

pub(super) fn status(status: &Status) -> String {
    let next = status
        .next_due_at_ms
        .map_or_else(|| "none is due".to_owned(), |at| format!("the next is due {}", moment(at)));
    format!("{} jobs, {} of them enabled; {next}.", status.jobs, status.enabled_jobs)
}

pub(super) fn list(list: &Jobs) -> String {
    if list.jobs.is_empty() {
        return "There are no jobs.".to_owned();
    }
    let lines = list.jobs.iter().map(|listed| {
        let trouble =
            listed.trouble.as_ref().map(|why| format!(" — it cannot be due: {why}")).unwrap_or_default();
        format!("- {}{trouble}", job(&listed.job))
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn kept(what: &str, kept: &Kept) -> String {
    let times: Vec<_> = kept.next_times.iter().map(|time| time.at.as_str()).collect();
    let next = match (kept.job.enabled, times.as_slice()) {
        (false, _) => "It is not enabled, so it is not due.".to_owned(),
        (true, []) => "It is never due again.".to_owned(),
        (true, times) => format!("Next: {}.", times.join(", ")),
    };
    format!("Job {what}: {}\n{next}", job(&kept.job))
}

pub(super) fn history(history: &History) -> String {
    if history.runs.is_empty() {
        return format!("Job `{}` has not run yet.", history.job_id);
    }
    let lines = history.runs.iter().map(|run| {
        let state = match run.state {
            RunState::Open => "waits or runs",
            RunState::Done => "done",
            RunState::Failed => "failed",
            RunState::Stopped => "stopped",
            RunState::Skipped => "left out",
        };
        let reason = run.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let took = run.duration_ms.map(|ms| format!(", took {} s", ms / 1000)).unwrap_or_default();
        format!("- due {}: {state}{reason}{took}", moment(run.due_at_ms))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A job in a line.
fn job(job: &Job) -> String {
    let name = job.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let zone = job.tz.as_ref().map(|zone| format!(" ({zone})")).unwrap_or_default();
    let when = match (&job.expr, job.at_ms, job.every_ms) {
        (Some(expr), _, _) => format!("`{expr}`{zone}"),
        (_, Some(at), _) => format!("once, {}{zone}", moment(at)),
        (_, _, Some(every)) => format!("every {} s", every / 1000),
        _ => "at no time".to_owned(),
    };
    let next = match (job.enabled, job.next_run_at_ms) {
        (false, _) => ", paused".to_owned(),
        (true, Some(next)) => format!(", next {}", moment(next)),
        (true, None) => String::new(),
    };
    format!("`{}`{name}: {when}{next}: {}", job.job_id, shown(&job.text))
}

/// The beginning of a text, on one line.
fn shown(text: &str) -> String {
    const SHOWN: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        line
    } else {
        format!("{}…", line.chars().take(SHOWN).collect::<String>())
    }
}
