//! Whether bytes are a state file: what is in it and needs mending, by its place; the forms that the reference took are
//! made even.

use std::path::Path;

use argus_protocol::{SessionId, ThreadId};
use serde_json::{Map, Value, json};

use super::{StateError, VERSION, check_former, check_jobs, strict};

/// A state that can be used.
pub(super) struct Checked {
    /// It, with every member that we know in the one form we write.
    pub(super) state: Map<String, Value>,
    /// What is kept in the file and left out of account.
    pub(super) warnings: Vec<String>,
}

/// Takes the bytes of the file at that path.
pub(super) fn check(path: &Path, bytes: &[u8]) -> Result<Checked, StateError> {
    let invalid = |reason: String| StateError::Invalid { path: path.to_owned(), reason };
    let value = strict::read(bytes).map_err(|error| invalid(error.to_string()))?;
    let Value::Object(mut state) = value else { return Err(invalid("it is not an object".to_owned())) };
    match state.get("version") {
        None => {}
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(other) => return Err(StateError::Version { path: path.to_owned(), found: other.to_string() }),
    }
    state.insert("version".to_owned(), json!(VERSION));
    let warnings = members(&mut state).map_err(invalid)?;
    Ok(Checked { state, warnings })
}

fn members(state: &mut Map<String, Value>) -> Result<Vec<String>, String> {
    id::<SessionId>(state.get("defaultSessionId")).map_err(at("defaultSessionId"))?;
    let sessions = state.entry("sessions").or_insert_with(|| json!({}));
    let Value::Object(sessions) = sessions else { return Err("`sessions`: it is not an object".to_owned()) };
    let mut warnings = Vec::new();
    for (name, session) in sessions {
        let place = format!("sessions.{}", name.escape_debug());
        let Value::Object(session) = session else { return Err(format!("`{place}`: it is not an object")) };
        if let Err(error) = name.parse::<SessionId>() {
            warnings.push(format!("`{place}` is kept, and nothing follows from it: {error}"));
        }
        id::<ThreadId>(session.get("mainThreadId")).map_err(at(&format!("{place}.mainThreadId")))?;
        if !matches!(session.get("automationPaused"), None | Some(Value::Null | Value::Bool(_))) {
            return Err(format!("`{place}.automationPaused`: it is neither true nor false"));
        }
        if let Some(jobs) = session.get_mut("cronJobs") {
            check_jobs::make_even(&format!("{place}.cronJobs"), jobs)?;
        }
        if let Some(queues) = session.get("systemEventQueues") {
            check_former::queues(&format!("{place}.systemEventQueues"), queues, &mut warnings)?;
        }
        if let Some(places) = session.get("lastActiveByThread") {
            check_former::places(&format!("{place}.lastActiveByThread"), places, &mut warnings)?;
        }
    }
    Ok(warnings)
}

/// Says of a reason where it is.
fn at(place: &str) -> impl FnOnce(String) -> String {
    move |reason| format!("`{place}`: {reason}")
}

/// Absent, null and blank mean none; anything else must be an id.
fn id<T: std::str::FromStr<Err: ToString>>(value: Option<&Value>) -> Result<(), String> {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(()),
        Some(Value::String(text)) => text.parse::<T>().map(|_| ()).map_err(|error| error.to_string()),
        Some(_) => Err("it is neither text nor null".to_owned()),
    }
}

/// A whole number that is not negative, also as text or with an empty fraction.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(without_fraction)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is within what a float counts"
)]
fn without_fraction(number: f64) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    ((0.0..=MOST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}
