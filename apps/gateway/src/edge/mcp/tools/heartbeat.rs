//! `heartbeat`: how a session's heartbeats stand, and one now.

use argus_protocol::argus::heartbeat::Status;
use serde_json::{Value, json};

use super::super::super::rpc::heartbeat::{request, status};
use super::super::answer::{Refusal, Told};
use super::super::moment::moment;
use super::{Call, session_property};

pub(super) const DESCRIPTION: &str = "\
The heartbeat is a turn that begins by itself now and then in the session's main thread: you look into HEARTBEAT.md and at what \
happened, and do what is to be done. `status` tells when the next one is due and how the last one ended; `now` asks for one as \
soon as the main thread is free. To change what a heartbeat does, change HEARTBEAT.md in the workspace.";

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["action"],
        "properties": {
            "action": { "type": "string", "enum": ["now", "status"], "description": "What to do: `status` looks, `now` asks for one" },
            "sessionId": session_property(),
        }
    })
}

pub(super) async fn call(call: Call) -> Result<Told, Refusal> {
    let session = call.session().await?;
    if call.arguments.get("action").and_then(Value::as_str) == Some("now") {
        request(&call.edge, &session).await?;
        let words = "A heartbeat begins as soon as the main thread is free.";
        return Ok(Told::new(words, &json!({ "ok": true, "sessionId": session })));
    }
    let status = status(&call.edge, &session).await?;
    let mut structured = serde_json::to_value(&status).unwrap_or_default();
    structured["ok"] = json!(true);
    Ok(Told::new(in_words(&status), &structured))
}

fn in_words(status: &Status) -> String {
    let mut words = match (status.every_ms, status.next_due_at_ms) {
        (None, _) => vec!["No heartbeat comes by itself.".to_owned()],
        (Some(every), None) => vec![format!("A heartbeat comes every {} s.", every / 1000)],
        (Some(every), Some(next)) => {
            vec![format!("A heartbeat comes every {} s; the next is due {}.", every / 1000, moment(next))]
        }
    };
    if !status.has_tasks {
        words.push("HEARTBEAT.md asks for nothing, so there is nothing to look after.".to_owned());
    }
    if status.open {
        words.push("One runs or waits now.".to_owned());
    } else if let Some(last) = status.last_at_ms {
        let outcome =
            status.outcome.as_deref().map(|outcome| format!(" and ended as {outcome}")).unwrap_or_default();
        words.push(format!("The last one began {}{outcome}.", moment(last)));
    }
    if let Some(retry) = status.retry_at_ms {
        words.push(format!(
            "{} failed in a row: none comes by itself before {}.",
            status.failures,
            moment(retry)
        ));
    }
    words.push(format!(
        "Turns that nobody asked for today: {} ({} tokens).",
        status.turns_today, status.tokens_today
    ));
    words.join(" ")
}
