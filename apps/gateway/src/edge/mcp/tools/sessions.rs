//! `sessions_list`: the sessions that the caller may know of.

use serde_json::{Value, json};

use super::super::answer::{Refusal, Told};
use super::Call;

pub(super) const DESCRIPTION: &str = "\
Tells your session's id and whether its agent runs. The operator is told all sessions.";

pub(super) fn schema() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

pub(super) async fn call(call: Call) -> Result<Told, Refusal> {
    let own = call.caller.session.as_ref();
    let listed = call.edge.sessions.list().await;
    let mut sessions = listed.map_err(|error| Refusal::new("FAILED", error.to_string()))?;
    match own {
        Some(own) => sessions.retain(|session| session.session_id == *own),
        None => sessions.extend(call.edge.sessions.others().await),
    }
    let lines = sessions.iter().map(|session| {
        let yours = if own == Some(&session.session_id) { " (your own)" } else { "" };
        format!("- `{}`{yours} \"{}\", {}", session.session_id, session.name, session.status)
    });
    let mut words = lines.collect::<Vec<_>>().join("\n");
    if words.is_empty() {
        "There are no sessions.".clone_into(&mut words);
    }
    Ok(Told::new(words, &json!({ "sessions": sessions })))
}
