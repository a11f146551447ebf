//! What commands tell, as a model reads it: output as it was written, and what can be done next.

use serde_json::{Value, json};

use super::super::super::answer::{LONGEST_TEXT, cut};
use super::super::super::moment::moment;

/// The largest picture that is shown as one, in bytes.
const LARGEST_PICTURE: usize = 1 << 20;
/// Room for what stands around outputs, in bytes.
const AROUND: usize = 2048;

/// A result for a model.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) picture: Option<(String, String)>,
}

/// What a command told. A picture is taken out of it: it is told once.
pub(super) fn shown(node: &str, command: &str, payload: &mut Value) -> Shown {
    if let Some((data, kind)) = picture(payload) {
        return if data.len() / 4 * 3 > LARGEST_PICTURE {
            let text = format!(
                "The picture of `{node}` is larger than {LARGEST_PICTURE} bytes, so it is not shown. On `{node}` it can be kept in a file and made smaller with system.run."
            );
            Shown { text, picture: None }
        } else {
            let text = format!("The picture of `{command}` on `{node}`: {payload}");
            Shown { text, picture: Some((data, kind)) }
        };
    }
    let text = match command {
        "system.run" => job(node, payload),
        "process.logs" if payload["stream"].is_string() => page(payload),
        "process.logs" => format!("{}\n{}", standing(payload), outputs(payload)),
        "process.list" => list(payload),
        "fs.read" => file(payload),
        "fs.list" => folder(payload),
        "system.which" => which(payload),
        "clipboard.get" if payload["text"].is_string() => text(payload, "text").to_owned(),
        _ => serde_json::to_string_pretty(payload).unwrap_or_default(),
    };
    Shown { text, picture: None }
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

/// Its base64 and its kind, where it is one: taken out of what was told.
fn picture(payload: &mut Value) -> Option<(String, String)> {
    let kind = ["mime", "mimeType"].into_iter().find_map(|name| payload[name].as_str());
    let kind = kind.filter(|kind| kind.starts_with("image/"))?.to_owned();
    let names = ["base64", "dataBase64"];
    let name = names.into_iter().find(|name| payload[*name].is_string())?;
    let Value::String(data) = payload.as_object_mut()?.remove(name)? else { return None };
    Some((data, kind))
}

/// How a job ended, what it wrote, and where there is more; or that it runs, and what to do with it.
fn job(node: &str, payload: &Value) -> String {
    let id = text(payload, "jobId");
    if payload["running"] == json!(true) {
        let of_it = json!({ "jobId": id });
        return format!(
            "It still runs on `{node}` as job `{id}`, in the background. Its end will be told to you by itself, as a system \
             event, unless notifyOnExit was false: go on with something else, or end your turn. Meanwhile: \
             node_invoke `process.logs` {of_it} shows its output, `process.write` gives it input, `process.kill` ends it.\n{}",
            outputs(payload)
        );
    }
    format!("{}\n{}", standing(payload), outputs(payload))
}

/// How a job stands, in a line.
fn standing(payload: &Value) -> String {
    let id = text(payload, "jobId");
    let ended = if payload["running"] == json!(true) {
        "it runs".to_owned()
    } else if payload["orphaned"] == json!(true) {
        "it ended, but nobody saw how".to_owned()
    } else if payload["timedOut"] == json!(true) {
        "it took longer than its timeoutMs and was killed".to_owned()
    } else if let Some(code) = payload["exitCode"].as_i64() {
        format!("exit code {code}")
    } else if let Some(signal) = payload["signal"].as_str() {
        format!("ended by {signal}")
    } else {
        "it ended".to_owned()
    };
    format!("{ended} (job `{id}`)")
}

/// What a job wrote: whole, or its end, each with a word on what is missing.
fn outputs(payload: &Value) -> String {
    let both = ["stdout", "stderr"].map(|name| {
        let tail = format!("{name}Tail");
        let written = payload[name].as_str().or_else(|| payload[&tail].as_str()).unwrap_or_default();
        (name, written, payload[format!("{name}Bytes")].as_u64())
    });
    let complaints = both[1].1.len().min((LONGEST_TEXT - AROUND) / 4);
    let rooms = [LONGEST_TEXT - AROUND - complaints, complaints];
    let id = text(payload, "jobId");
    let parts: Vec<_> = both
        .into_iter()
        .zip(rooms)
        .filter(|((_, written, bytes), _)| !written.is_empty() || bytes.is_some_and(|bytes| bytes > 0))
        .map(|((name, written, bytes), room)| {
            let whole = bytes.unwrap_or(written.len() as u64);
            let before = whole.saturating_sub(written.len() as u64);
            let more = |offset: u64| {
                let params = json!({ "jobId": id, "stream": name, "offset": offset });
                format!("; page through them with process.logs {params}")
            };
            let head = if before > 0 {
                format!("[{name}: the last {} of {whole} bytes{}]", written.len(), more(0))
            } else {
                format!("[{name}]")
            };
            format!("{head}\n{}", cut(written, room, |gap| more(before + gap)))
        })
        .collect();
    if parts.is_empty() { "(no output)".to_owned() } else { parts.join("\n") }
}

/// A page of a job's output.
fn page(payload: &Value) -> String {
    let (from, to) =
        (payload["offset"].as_u64().unwrap_or_default(), payload["nextOffset"].as_u64().unwrap_or_default());
    let size = payload["size"].as_u64().unwrap_or_default();
    let more = |offset: u64| {
        let params = json!({ "jobId": payload["jobId"], "stream": payload["stream"], "offset": offset, "limit": LONGEST_TEXT / 2 });
        format!("process.logs {params}")
    };
    let after = match (payload["eof"] == json!(true), to < size) {
        (true, _) => "this is the end".to_owned(),
        (false, true) => format!("go on with {}", more(to)),
        (false, false) => format!("it may write more: {}", more(to)),
    };
    let head = format!("[{}: bytes {from} to {to} of {size}; {after}]", text(payload, "stream"));
    let body = payload["text"].as_str().unwrap_or_else(|| text(payload, "dataBase64"));
    let note = if payload["text"].is_string() { "" } else { "\n(it is no text, so it is shown in Base64)" };
    format!("{head}{note}\n{}", cut(body, LONGEST_TEXT - AROUND, |gap| format!("; {}", more(from + gap))))
}

fn list(payload: &Value) -> String {
    let jobs = payload["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    if jobs.is_empty() {
        return "There are no jobs.".to_owned();
    }
    let lines = jobs.iter().map(|job| {
        let argv: Vec<_> = job["argv"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let line: String = argv.join(" ").chars().take(200).collect();
        let begun =
            job["startedAtMs"].as_u64().map(|at| format!(", begun {}", moment(at))).unwrap_or_default();
        format!("- {}{begun}: {line}", standing(job))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn file(payload: &Value) -> String {
    let (offset, bytes) =
        (payload["offset"].as_u64().unwrap_or_default(), payload["bytes"].as_u64().unwrap_or_default());
    let next = payload["next"].as_u64().map(|next| format!("; go on with offset {next}")).unwrap_or_default();
    let encoding = if text(payload, "encoding") == "base64" { ", in Base64" } else { "" };
    let head = format!(
        "[`{}`: {bytes} bytes from {offset} of {}{encoding}{next}]",
        text(payload, "path"),
        payload["size"].as_u64().unwrap_or_default()
    );
    let hint = |gap| format!("; read them with offset {} and a smaller length", offset + gap);
    format!("{head}\n{}", cut(text(payload, "content"), LONGEST_TEXT - AROUND, hint))
}

fn folder(payload: &Value) -> String {
    let entries = payload["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines = entries.iter().map(|entry| {
        let size = match text(entry, "kind") {
            "file" => format!(", {} bytes", entry["size"].as_u64().unwrap_or_default()),
            kind => format!(", {kind}"),
        };
        format!("- {}{size}", text(entry, "name"))
    });
    let next = payload["next"].as_str();
    let next = next.map(|next| format!("; go on with after {}", json!(next))).unwrap_or_default();
    let head = format!(
        "[`{}`: {} of {} entries{next}]",
        text(payload, "path"),
        entries.len(),
        payload["total"].as_u64().unwrap_or(entries.len() as u64)
    );
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

fn which(payload: &Value) -> String {
    match payload["path"].as_str() {
        Some(path) => format!("`{}` is {path}", text(payload, "bin")),
        None => format!("there is no program `{}` in the node's PATH", text(payload, "bin")),
    }
}

#[cfg(test)]
mod tests;
