//! Answers the client's requests, in the words of codex app-server 0.169.

mod threads;
mod turns;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::agent::{Agent, Client};
use super::plan::Reply;
use super::shapes::{self, Turns};
use super::turn::{Owed, Playing};
use super::{VERSION, fresh_id};

const METHODS: [&str; 14] = [
    "initialize",
    "account/read",
    "thread/start",
    "thread/resume",
    "thread/read",
    "thread/list",
    "thread/loaded/list",
    "thread/archive",
    "thread/unarchive",
    "thread/unsubscribe",
    "turn/start",
    "turn/steer",
    "turn/interrupt",
    "model/list",
];

/// An answer, and what happens once it is out.
struct Answer {
    result: Value,
    then: Then,
}

enum Then {
    Nothing,
    Greet,
    TellThread(String),
    Play { playing: Playing, reply: Reply },
    Interrupt(CancellationToken),
}

impl From<Value> for Answer {
    fn from(result: Value) -> Self {
        Self { result, then: Then::Nothing }
    }
}

/// Takes one line of the client. What is no JSON, and ids of strange kinds, are not answered at all.
pub(crate) async fn take(agent: &Arc<Agent>, line: &[u8]) {
    let Ok(frame @ Value::Object(_)) = serde_json::from_slice::<Value>(line) else { return };
    let Some(method) = frame.get("method").and_then(Value::as_str) else {
        agent.answered(frame);
        return;
    };
    let Some(id) = frame.get("id") else { return };
    if !id.is_string() && !id.is_i64() {
        return;
    }
    match answer(agent, method, frame.get("params")) {
        Err(message) => agent.wire.refuse(id, &message).await,
        Ok(Answer { result, then: Then::Play { playing, reply } }) if reply != Reply::First => {
            let owed = Owed { when: reply, id: id.clone(), result };
            tokio::spawn(playing.run(Some(owed)));
        }
        Ok(Answer { result, then }) => {
            agent.wire.reply(id, &result).await;
            afterwards(agent, then).await;
        }
    }
}

fn answer(agent: &Arc<Agent>, method: &str, params: Option<&Value>) -> Result<Answer, String> {
    if !METHODS.contains(&method) {
        let known = METHODS.map(|name| format!("`{name}`")).join(", ");
        return Err(format!("Invalid request: unknown variant `{method}`, expected one of {known}"));
    }
    let params = params.ok_or_else(|| missing("params"))?;
    if method == "initialize" {
        return initialize(agent, params);
    }
    if matches!(agent.state().client, Client::Awaited) {
        return Err("Not initialized".to_owned());
    }
    match method {
        "account/read" => Ok(account().into()),
        "model/list" => Ok(shapes::models().into()),
        "thread/start" => threads::start(agent, params),
        "thread/resume" => threads::resume(agent, params),
        "thread/read" => threads::read(agent, params),
        "thread/list" => Ok(threads::list(agent, params).into()),
        "thread/loaded/list" => {
            let ids: Vec<_> = agent.state().loaded.keys().cloned().collect();
            Ok(json!({ "data": ids, "nextCursor": null }).into())
        }
        "thread/archive" => threads::set_archived(agent, params, "thread/archive"),
        "thread/unarchive" => threads::set_archived(agent, params, "thread/unarchive"),
        "thread/unsubscribe" => Ok(json!({ "status": "unsubscribed" }).into()),
        "turn/start" => turns::start(agent, params),
        "turn/steer" => turns::steer(agent, params),
        _ => turns::interrupt(agent, params),
    }
}

async fn afterwards(agent: &Arc<Agent>, then: Then) {
    match then {
        Then::Nothing => {}
        Then::Greet => {
            let params = json!({ "summary": "this agent is scripted", "details": null });
            agent.notify("configWarning", params).await;
            let params = json!({ "status": "disabled", "serverName": "scripted",
                "installationId": fresh_id(), "environmentId": null });
            agent.notify("remoteControl/status/changed", params).await;
        }
        Then::TellThread(id) => {
            let shown = agent
                .state()
                .loaded
                .get(&id)
                .map(|loaded| shapes::thread(&loaded.thread, loaded.load, Turns::LeftOut, &agent.store));
            agent.notify("thread/started", json!({ "thread": shown })).await;
        }
        Then::Play { playing, .. } => {
            tokio::spawn(playing.run(None));
        }
        Then::Interrupt(interrupt) => interrupt.cancel(),
    }
}

fn initialize(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let info = params.get("clientInfo").ok_or_else(|| missing("clientInfo"))?;
    let name = info.get("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
    let version = info.get("version").and_then(Value::as_str).ok_or_else(|| missing("version"))?;
    let mut state = agent.state();
    if matches!(state.client, Client::Known { .. }) {
        return Err("Already initialized".to_owned());
    }
    let wishes = &params["capabilities"];
    let muted: HashSet<String> = wishes["optOutNotificationMethods"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    state.client = Client::Known { muted, experimental: wishes["experimentalApi"] == true };
    let result = json!({
        "userAgent": format!("{name}/{VERSION} (Scripted 1; x86_64) scripted ({name}; {version})"),
        "codexHome": std::env::var("CODEX_HOME").unwrap_or_default(),
        "platformFamily": "unix", "platformOs": "linux",
    });
    Ok(Answer { result, then: Then::Greet })
}

fn account() -> Value {
    let (account, needed) = match std::env::var("SCRIPTED_ACCOUNT").as_deref() {
        Ok("missing") => (Value::Null, true),
        Ok("api-key") => (json!({ "type": "apiKey" }), true),
        Ok("chatgpt") => (json!({ "type": "chatgpt", "email": "ada@example.org", "planType": "plus" }), true),
        _ => (Value::Null, false),
    };
    json!({ "account": account, "userId": null, "requiresOpenaiAuth": needed, "workspaceRouting": null })
}

fn missing(field: &str) -> String {
    format!("Invalid request: missing field `{field}`")
}

/// The thread a request names; `what` is how the real one calls a malformed id.
fn thread_id(params: &Value, what: &str) -> Result<String, String> {
    let id = params["threadId"].as_str().ok_or_else(|| missing("threadId"))?;
    let stray = id.char_indices().find(|(_, c)| !c.is_ascii_hexdigit() && *c != '-');
    if let Some((at, c)) = stray {
        return Err(format!(
            "invalid {what} id: invalid character: expected an optional prefix of `urn:uuid:` followed by \
             [0-9a-fA-F-], found `{c}` at {}",
            at + 1
        ));
    }
    if id.len() != 36 {
        return Err(format!("invalid {what} id: invalid length: found {}", id.len()));
    }
    Ok(id.to_owned())
}
