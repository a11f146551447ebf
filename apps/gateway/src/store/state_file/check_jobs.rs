//! Whether the jobs of a session are jobs. Whether an expression can be understood is not asked here: one that cannot is
//! shown with its job.

use std::collections::HashMap;

use argus_protocol::argus::cron::{Job, JobThread, Missed, Seconds};
use argus_protocol::argus::deliver::Deliver;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::check::whole_number;

/// Members that are whole numbers, which the reference takes as text too.
const NUMBERS: [&str; 6] = ["atMs", "everyMs", "missedMost", "keep", "lastRunAtMs", "nextRunAtMs"];
/// What says when a job is due; one of them does.
const WHEN: [&str; 3] = ["expr", "atMs", "everyMs"];

type Form = fn(&Value) -> Result<(), String>;

/// What the members must be that we know.
const FORMS: [(&str, Form); 15] = [
    ("jobId", is::<String>),
    ("name", is::<String>),
    ("expr", is::<String>),
    ("seconds", is::<Seconds>),
    ("atMs", is::<u64>),
    ("everyMs", is::<u64>),
    ("tz", is::<String>),
    ("enabled", is::<bool>),
    ("missed", is::<Missed>),
    ("missedMost", is::<u32>),
    ("thread", is::<JobThread>),
    ("keep", is::<u32>),
    ("deliver", is::<Deliver>),
    ("lastRunAtMs", is::<u64>),
    ("nextRunAtMs", is::<u64>),
];

/// Checks them, and gives them the form in which [`Job`] reads them. `place` is where they stand.
pub(super) fn make_even(place: &str, jobs: &mut Value) -> Result<(), String> {
    let jobs = match jobs {
        Value::Null => return Ok(()),
        Value::Array(jobs) => jobs,
        _ => return Err(format!("`{place}`: it is not a list")),
    };
    let mut known = HashMap::new();
    for (number, job) in jobs.iter_mut().enumerate() {
        let wrong = |member: &str, reason: &str| Err(format!("`{place}[{number}].{member}`: {reason}"));
        let Value::Object(job) = job else { return Err(format!("`{place}[{number}]`: it is not an object")) };
        leave_out_blanks(job);
        for member in NUMBERS {
            let Some(value) = job.get_mut(member) else { continue };
            let Some(count) = whole_number(value) else {
                return wrong(member, "it is not a whole number from 0 on");
            };
            *value = json!(count);
        }
        for (member, form) in FORMS {
            if let Some(Err(reason)) = job.get(member).map(form) {
                return wrong(member, &reason);
            }
        }
        match job.entry("text").or_insert_with(|| json!("")) {
            Value::String(_) => {}
            text @ Value::Null => *text = json!(""),
            other => return wrong("text", &is::<String>(other).err().unwrap_or_default()),
        }
        let Some(id) = job.get("jobId").and_then(Value::as_str) else {
            return wrong("jobId", "it is missing");
        };
        if let Some(first) = known.insert(id.to_owned(), number) {
            return wrong("jobId", &format!("`{}` is that of `cronJobs[{first}]` too", id.escape_debug()));
        }
        let when: Vec<_> = WHEN.into_iter().filter(|member| job.contains_key(*member)).collect();
        match when[..] {
            [] => return wrong("expr", "it is missing, and so are `atMs` and `everyMs`"),
            [_] => {}
            [first, second, ..] => {
                return wrong(second, &format!("it stands beside `{first}`: one says when"));
            }
        }
        if has_the_references_seconds(job) {
            job.insert("seconds".to_owned(), json!(Seconds::Last));
        }
        if let Err(error) = Job::deserialize(&*job) {
            return Err(format!("`{place}[{number}]`: {error}"));
        }
    }
    Ok(())
}

/// Null and blank mean that a member is not there.
fn leave_out_blanks(job: &mut Map<String, Value>) {
    job.retain(|member, value| {
        let known = FORMS.iter().any(|(name, _)| name == member) || NUMBERS.contains(&member.as_str());
        let blank = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        !(known && blank)
    });
}

/// The reference's expressions may have seconds, and a year, at their end, and do not say so.
fn has_the_references_seconds(job: &Map<String, Value>) -> bool {
    let fields = job.get("expr").and_then(Value::as_str).map(|expr| expr.split_whitespace().count());
    !job.contains_key("seconds") && matches!(fields, Some(6 | 7))
}

fn is<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    T::deserialize(value).map(drop).map_err(|error| error.to_string())
}
