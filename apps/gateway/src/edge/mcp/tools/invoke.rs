//! `node_invoke`: one command on a machine.

mod words;

use std::time::Duration;

use argus_protocol::argus::node::{LONGEST_TIMEOUT_MS, USUAL_TIMEOUT_MS};
use argus_protocol::node::{Fault, code};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::words::Shown;
use super::super::answer::{LONGEST_RESULT, Refusal, Told};
use super::nodes::sight;
use super::{Call, session_property};
use crate::devices::{Done, Wish};

pub(super) const DESCRIPTION: &str = "\
Runs a command on a node. `node` is `self` (your session's own machine, also when left out), or an id or name from nodes_list.
Commands and their `params`:
- system.run {argv: [program, arguments…] (no shell: for pipes use [\"sh\",\"-c\",\"…\"]), cwd?, env? {NAME: value}, timeoutMs? (then the program is killed), yieldMs? (how long to wait for its end before it goes on in the background, usually 10000; 0: not at all), stdinText?, stdin? \"open\" (to write later), pty? true (a terminal; rows?, cols?), notifyOnExit? (true: always, false: never; left out: if it went to the background)}
- system.which {bin}
- process.list {}, process.get {jobId}, process.kill {jobId}, process.signal {jobId, signal}, process.resize {jobId, rows, cols}
- process.write {jobId, text? or dataBase64?, eof?}: gives a job input
- process.logs {jobId, tailBytes?}: the end of its output; {jobId, stream? \"stdout\"|\"stderr\", offset, limit?, waitMs?}: a page of it
- system.info {}, system.notify {title, body?}, screen.capture {}, clipboard.get {}, clipboard.set {text}
- fs.stat {path}, fs.list {path, after?, limit?}, fs.read {path, offset?, length?, encoding?}, fs.write {path, mode: \"create\"|\"replace\"|\"append\", content, encoding?, offset?}
A node takes only what nodes_list says. A job that goes on in the background tells its end by itself, as a system event: go on \
with other things, or end your turn; do not poll. A program's own failure is no error of the call: look at its exit code. \
On a device of the owner a call may wait for their yes; give it a large timeoutMs then.";

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["command"],
        "properties": {
            "node": { "type": "string", "maxLength": 256, "description": "Which machine: `self` (as if left out), an id, or a name that only one has" },
            "nodeId": { "type": "string", "maxLength": 256, "description": "Another word for `node`" },
            "command": { "type": "string", "maxLength": 128, "description": "The command to run, such as `system.run`. See the description of the tool" },
            "params": { "description": "The parameters of the command: an object" },
            "timeoutMs": { "type": "integer", "minimum": 1, "maximum": LONGEST_TIMEOUT_MS, "description": format!("How long to wait for the result, in milliseconds; then the command is ended on the node. Left out: {USUAL_TIMEOUT_MS}") },
            "idempotencyKey": { "type": "string", "maxLength": 128, "description": "Calls with the same key are one deed: give one where you may have to try again" },
            "sessionId": session_property(),
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arguments {
    node: Option<String>,
    node_id: Option<String>,
    command: String,
    params: Option<Value>,
    timeout_ms: Option<u64>,
    idempotency_key: Option<String>,
}

/// How often a client that wants to hear of it is told that a call goes on.
const STEP: Duration = Duration::from_secs(10);

pub(super) async fn call(call: Call) -> Result<Told, Refusal> {
    let arguments: Arguments = call.read()?;
    // Whoever's token is for one session is it; the operator may be one, or none.
    let session = match (&call.caller.session, call.arguments.contains_key("sessionId")) {
        (None, false) => None,
        _ => Some(call.session().await?),
    };
    let timeout = Duration::from_millis(arguments.timeout_ms.unwrap_or(USUAL_TIMEOUT_MS));
    let wish = Wish {
        node: arguments
            .node
            .or(arguments.node_id)
            .map(|node| node.trim().to_owned())
            .filter(|node| !node.is_empty()),
        command: arguments.command.trim().to_owned(),
        params: params(arguments.params)?,
        timeout,
        idempotency_key: arguments.idempotency_key,
        session,
        sight: sight(&call),
    };
    let command = wish.command.clone();
    let done = wait(&call, wish).await;
    match done.outcome {
        Ok(payload) => Ok(told(&done.node_id, &command, &payload)),
        Err(fault) => Err(refused(&done.node_id, &command, fault)),
    }
}

/// A text that is an object is taken for that object: models write both.
fn params(params: Option<Value>) -> Result<Option<Box<RawValue>>, Refusal> {
    let params = match params {
        Some(Value::String(text)) => Some(
            serde_json::from_str::<Value>(&text)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| Refusal::argument("params", "must be an object, not a text"))?,
        ),
        other => other,
    };
    let Some(params) = params.filter(|params| !params.is_null()) else { return Ok(None) };
    let raw = to_raw_value(&params);
    raw.map(Some).map_err(|error| Refusal::argument("params", &format!("cannot be taken: {error}")))
}

/// Waits for the command, and tells now and then that it goes on.
async fn wait(call: &Call, wish: Wish) -> Done {
    let (begun, timeout, what) = (Instant::now(), wish.timeout, wish.command.clone());
    let mut work = std::pin::pin!(call.edge.devices.invoke(wish, call.cancel.clone()));
    let mut steps = interval_at(begun + STEP, STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let progress = tokio::select! {
            done = &mut work => return done,
            _ = steps.tick() => call.progress.as_ref(),
        };
        let Some(progress) = progress else { continue };
        let so_far = begun.elapsed();
        let words = format!("`{what}` goes on since {} s", so_far.as_secs());
        tokio::select! {
            done = &mut work => return done,
            () = progress.tell(so_far, timeout, words) => {}
        }
    }
}

fn told(node: &str, command: &str, payload: &RawValue) -> Told {
    let bytes = payload.get().len();
    let mut payload: Value = serde_json::from_str(payload.get()).unwrap_or_default();
    let Shown { text, picture } = words::shown(node, command, &mut payload);
    // What a picture leaves behind is small.
    let structured = if bytes > LONGEST_RESULT && picture.is_none() {
        let advice = format!("the result has {bytes} bytes, more than {LONGEST_RESULT}; ask for it in pages");
        json!({ "ok": true, "nodeId": node, "command": command, "payloadOmitted": { "bytes": bytes, "advice": advice } })
    } else {
        json!({ "ok": true, "nodeId": node, "command": command, "payload": payload })
    };
    Told { text, structured, picture }
}

fn refused(node: &str, command: &str, fault: Fault) -> Refusal {
    let advice = match fault.code.as_str() {
        code::NODE_NOT_FOUND | code::NOT_CONNECTED | code::AMBIGUOUS => {
            "nodes_list tells which nodes there are"
        }
        code::NODE_DISCONNECTED | code::NODE_REPLACED => "look with nodes_list whether it is back",
        code::TIMEOUT => {
            "give a larger timeoutMs; what takes long runs in the background with a smaller yieldMs"
        }
        code::DENIED => "only the node's owner can allow it: tell them what it is for",
        code::NOT_APPROVED => "nobody answered in time: tell the owner, and try again when they are there",
        code::BUSY => "wait until something of it ends",
        code::TOO_LARGE => "ask for it in pages",
        _ => "",
    };
    let mut words = fault.message;
    if !advice.is_empty() {
        words = format!("{words}. What to do: {advice}");
    }
    if let Some(job) = &fault.job_id {
        words = format!(
            "{words}. Its job is `{job}`: node_invoke with `process.get` or `process.logs` {{\"jobId\":\"{job}\"}} on `{node}` tells more"
        );
    }
    let refusal = Refusal::new(&fault.code, words).beside("nodeId", node).beside("command", command);
    match (fault.job_id, fault.code.as_str()) {
        (Some(job), _) => refusal.with("jobId", job),
        (None, code::NODE_NOT_FOUND) => refusal.with("node", node),
        (None, _) => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(value: &Value) -> Box<RawValue> {
        to_raw_value(value).unwrap()
    }

    #[test]
    fn a_result_that_is_too_large_is_left_out_for_programs_and_shortened_for_models() {
        let payload = |bytes: usize| {
            raw(
                &json!({ "jobId": "j", "running": false, "exitCode": 0, "stdout": "x".repeat(bytes), "stderr": "" }),
            )
        };
        let small = told("mac", "system.run", &payload(1000));
        assert_eq!(small.structured["payload"]["stdout"].as_str().unwrap().len(), 1000);
        let large = told("mac", "system.run", &payload(LONGEST_RESULT));
        assert_eq!(large.structured["payload"], Value::Null);
        assert!(large.structured["payloadOmitted"]["bytes"].as_u64().unwrap() > 1 << 20);
        assert!(large.text.len() <= 32 * 1024 && large.text.contains("page through them with process.logs"));
    }

    #[test]
    fn parameters_are_an_object_or_the_text_of_one() {
        let read = |value: Value| params(Some(value)).map(|raw| raw.map(|raw| raw.get().to_owned()));
        assert_eq!(read(json!({ "a": 1 })), Ok(Some(r#"{"a":1}"#.to_owned())));
        assert_eq!(read(json!(r#"{"a": 1}"#)), Ok(Some(r#"{"a":1}"#.to_owned())));
        assert_eq!((read(json!(null)), params(None).map(|raw| raw.is_some())), (Ok(None), Ok(false)));
        assert!(read(json!("ls -l")).is_err());
    }

    #[test]
    fn a_fault_keeps_its_code_and_its_job_and_says_what_to_do() {
        let fault = Fault::new(code::TIMEOUT, "it took longer than 5 ms").of_job("j");
        let refusal = refused("mac", "system.run", fault);
        assert_eq!((refusal.code.as_str(), refusal.more.get("jobId")), ("TIMEOUT", Some(&json!("j"))));
        assert!(refusal.message.contains("What to do: give a larger timeoutMs"), "{}", refusal.message);
        assert!(refusal.message.contains(r#"{"jobId":"j"} on `mac`"#), "{}", refusal.message);
        assert_eq!(refusal.beside.get("nodeId"), Some(&json!("mac")));
    }
}
