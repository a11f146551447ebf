//! `cron`: a session's scheduled jobs.

mod words;

use argus_protocol::SessionId;
use argus_protocol::argus::cron::Wish;
use serde_json::{Value, json};

use super::super::super::rpc::cron::reach;
use super::super::answer::{Refusal, Told};
use super::{Call, session_property};
use crate::automation::cron::CronError;

pub(super) const DESCRIPTION: &str = "\
Keeps jobs that are done later by themselves: at its time a job's `text` is given to you as a turn of its own, and what you \
answer goes to the owner. Actions: `status`, `list`, `add` (needs `text` and one of `expr`, `at`, `atMs`, `everyMs`), \
`update` (needs `jobId`; what is left out stays), `remove`, `run` (now, beside its times), `pause`, `resume`, `history` (its \
last runs and how they ended). Write `text` so that it can be understood without this conversation. A one-time reminder is \
`add` with `at`, for example {\"action\":\"add\",\"at\":\"2026-12-24 08:00\",\"tz\":\"Europe/Berlin\",\"text\":\"Remind the owner to …\"}. \
The answer to `add` and `update` names the next times: check that they are what was meant.";

/// Actions, in the order in which a refusal lists them.
const ACTIONS: [&str; 9] = ["add", "history", "list", "pause", "remove", "resume", "run", "status", "update"];
/// Longest text of a job that is looked at; the book of jobs has its own limits.
const LONGEST: usize = 64 * 1024;

/// The largest number that every client can write exactly.
const LATEST_MS: u64 = 9_007_199_254_740_991;

pub(super) fn schema() -> Value {
    let text =
        |most: usize, words: &str| json!({ "type": "string", "maxLength": most, "description": words });
    let number = |most: u64, words: &str| json!({ "type": "integer", "minimum": 0, "maximum": most, "description": words });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["action"],
        "properties": {
            "action": { "type": "string", "enum": ACTIONS, "description": "What to do. See the description of the tool" },
            "jobId": text(64, "Which job: 1 to 64 letters, digits, `.`, `_`, `-`. Of `add`: its id, made where it is left out; an existing one is replaced"),
            "name": text(512, "What people call the job"),
            "text": text(LONGEST, "What is to be done at its time, as it will be said to you"),
            "expr": text(256, "For what comes again: a cron expression of five fields, `minute hour day month weekday`, such as `0 8 * * MON-FRI`"),
            "seconds": { "type": "string", "enum": ["first", "last"], "description": "Only where `expr` has seconds: where they stand" },
            "at": text(64, "For what comes once: RFC 3339, or `2026-12-24 08:00` as the clock of `tz` shows it"),
            "atMs": number(LATEST_MS, "The same in unix milliseconds"),
            "everyMs": number(LATEST_MS, "For what comes again in equal steps: milliseconds from one time to the next"),
            "tz": text(64, "The IANA time zone of `expr` and `at`, such as `Europe/Berlin`. Left out: the gateway's own"),
            "enabled": { "type": "boolean", "description": "Whether it is due at all. Left out: it is" },
            "missed": { "type": "string", "enum": ["skip", "once", "all"], "description": "What becomes of times that passed while the gateway was off: left out, made up for once (usual), or each" },
            "missedMost": number(1000, "With `missed` `all`: how many at most"),
            "thread": { "type": "string", "enum": ["main", "own"], "description": "Where it runs: in the main thread (usual), or each run in a new thread that knows nothing of former ones" },
            "keep": number(1000, "With `thread` `own`: how many threads of its newest runs are kept"),
            "deliver": text(128, "Where its answer goes: `home` (usual: the owner's chat), `last` (where somebody wrote last), `none`, or a chat such as `telegram:7`"),
            "includeDisabled": { "type": "boolean", "description": "Of `list`: false leaves out what is not enabled" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 200, "description": "Of `history`: how many runs at most. Left out: 20" },
            "sessionId": session_property(),
        }
    })
}

pub(super) async fn call(call: Call) -> Result<Told, Refusal> {
    let action = call.arguments.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
    let session = call.session().await?;
    let jobs = &call.edge.automation;
    let told = match action.as_str() {
        "status" => {
            let status = jobs.cron_status(&session).await;
            Told::new(words::status(&status), &status)
        }
        "list" => {
            let include = call.arguments.get("includeDisabled").and_then(Value::as_bool);
            let list = jobs.list_jobs(&session, include).await;
            Told::new(words::list(&list), &list)
        }
        "add" => {
            let kept =
                jobs.add_job(&session, &wish(&call, None)?, reach(&call.caller)).await.map_err(refused)?;
            Told::new(words::kept("is kept", &kept), &kept)
        }
        "update" => {
            let wish = wish(&call, Some(job_id(&call)?))?;
            let kept = jobs.update_job(&session, &wish, reach(&call.caller)).await.map_err(refused)?;
            Told::new(words::kept("is changed", &kept), &kept)
        }
        _ => of_one_job(&call, &action, &session, job_id(&call)?).await?,
    };
    Ok(told)
}

/// What needs nothing but a job.
async fn of_one_job(call: &Call, action: &str, session: &SessionId, id: &str) -> Result<Told, Refusal> {
    let jobs = &call.edge.automation;
    Ok(match action {
        "remove" => {
            let removed = jobs.remove_job(session, id).await.map_err(refused)?;
            Told::new(format!("Job `{id}` is removed."), &removed)
        }
        "run" => {
            let begun = jobs.run_job(session, id).await.map_err(refused)?;
            let words = format!(
                "Job `{id}` runs as soon as its thread is free (run `{}`); `history` tells how it ended.",
                begun.run
            );
            Told::new(words, &begun)
        }
        "pause" => {
            let kept = jobs.pause_job(session, id).await.map_err(refused)?;
            Told::new(format!("Job `{id}` is paused: it is not due until `resume`."), &kept)
        }
        "resume" => {
            let kept = jobs.resume_job(session, id).await.map_err(refused)?;
            Told::new(words::kept("is due again", &kept), &kept)
        }
        _ => {
            let limit =
                call.arguments.get("limit").and_then(Value::as_u64).and_then(|most| u32::try_from(most).ok());
            let history = jobs.job_history(session, id, limit).await.map_err(refused)?;
            Told::new(words::history(&history), &history)
        }
    })
}

/// What the job is to be; of the arguments all that are not about the call itself.
fn wish(call: &Call, id: Option<&str>) -> Result<Wish, Refusal> {
    let of_the_call = ["action", "includeDisabled", "limit", "sessionId"];
    let mut members = call.arguments.clone();
    members.retain(|name, value| !value.is_null() && !of_the_call.contains(&name.as_str()));
    let wish: Wish = serde_json::from_value(Value::Object(members)).map_err(|error| {
        // Only a place is more than its schema says.
        Refusal::argument("deliver", &format!("cannot be taken: {error}"))
    })?;
    let changes = Wish { job_id: None, ..wish.clone() };
    if id.is_some() && changes == Wish::default() {
        let words =
            "nothing is to be changed; give what is to be different, such as `text`, `expr` or `enabled`";
        return Err(Refusal::new("INVALID_ARGUMENT", words));
    }
    Ok(wish)
}

fn job_id(call: &Call) -> Result<&str, Refusal> {
    let id = call.arguments.get("jobId").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty());
    id.ok_or_else(|| Refusal::argument("jobId", "is missing; `list` tells which jobs there are"))
}

fn refused(problem: CronError) -> Refusal {
    let words = problem.to_string();
    match problem {
        CronError::Missing(field) => {
            let more = if field == "expr" { " (or one of `at`, `atMs`, `everyMs`)" } else { "" };
            Refusal::argument(field, &format!("is missing{more}"))
        }
        CronError::Wrong { field, reason } => Refusal::argument(field, &format!("cannot be taken: {reason}")),
        CronError::NoJob(id) => {
            let words = format!("there is no job `{id}` in this session; `list` tells which there are");
            Refusal::new("NOT_FOUND", words).with("jobId", id)
        }
        CronError::NotItsChat { .. } => Refusal::new("FORBIDDEN", words).with("field", "deliver"),
        CronError::Failed(_) => Refusal::new("INTERNAL_ERROR", words),
    }
}
