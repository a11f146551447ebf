//! Whether the event queues and the last chats that the reference left are what they were. Of them a bad entry is no
//! reason not to start: it stays where it is, and is told.

use argus_protocol::{ChatKey, ThreadId};
use serde_json::{Map, Value};

use super::check::whole_number;
use super::former::FormerEvent;

/// Looks through the queues of a session.
pub(super) fn queues(place: &str, queues: &Value, warnings: &mut Vec<String>) -> Result<(), String> {
    let Some(queues) = object(place, queues)? else { return Ok(()) };
    for (thread, events) in queues {
        let place = format!("{place}.{}", thread.escape_debug());
        let events = match events {
            Value::Null => continue,
            Value::Array(events) => events,
            _ => return Err(format!("`{place}`: it is not a list")),
        };
        if let (Err(error), false) = (thread.parse::<ThreadId>(), events.is_empty()) {
            warnings.push(format!("`{place}` is kept, and none of its events is told: {error}"));
            continue;
        }
        for (number, event) in events.iter().enumerate() {
            if let Err(reason) = FormerEvent::read(event) {
                warnings.push(format!("`{place}[{number}]` is kept, and is not told as an event: {reason}"));
            }
        }
    }
    Ok(())
}

/// Looks through the chats in which a session's threads were spoken to last.
pub(super) fn places(place: &str, places: &Value, warnings: &mut Vec<String>) -> Result<(), String> {
    let Some(places) = object(place, places)? else { return Ok(()) };
    for (thread, entry) in places {
        if let Err(reason) = last_place(entry) {
            let thread = thread.escape_debug();
            warnings.push(format!("`{place}.{thread}` is kept, and nothing is sent there: {reason}"));
        }
    }
    Ok(())
}

/// Channel and chat of such an entry.
pub(super) fn last_place(entry: &Value) -> Result<(&str, ChatKey), String> {
    let channel = text(entry, "channel")?;
    let chat = text(entry, "chatKey")?.parse().map_err(|error| format!("`chatKey`: {error}"))?;
    match entry.get("atMs").and_then(whole_number) {
        Some(1..) => Ok((channel, chat)),
        Some(0) | None => Err("`atMs` is not a time in milliseconds".to_owned()),
    }
}

/// A member that is text, and not blank.
pub(super) fn text<'v>(entry: &'v Value, member: &str) -> Result<&'v str, String> {
    let text = entry.get(member).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| format!("`{member}` is missing or not text"))
}

fn object<'v>(place: &str, value: &'v Value) -> Result<Option<&'v Map<String, Value>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members)),
        _ => Err(format!("`{place}`: it is not an object")),
    }
}
