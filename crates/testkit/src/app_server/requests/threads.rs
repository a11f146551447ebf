//! Requests about threads: start, resume, read, list, archive.

use serde_json::{Value, json};

use super::super::agent::Agent;
use super::super::fresh_id;
use super::super::shapes::{self, Load, Turns};
use super::super::store::{NotTaken, Thread};
use super::super::wire::unix_ms;
use super::{Answer, Then, thread_id};

pub(super) fn start(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let here = || std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default();
    let now = unix_ms() / 1000;
    let sandbox = match params["sandbox"].as_str() {
        Some("danger-full-access") => "dangerFullAccess",
        Some("workspace-write") => "workspaceWrite",
        _ => "readOnly",
    };
    let policy = params["approvalPolicy"].as_str().unwrap_or("on-request");
    let thread = Thread {
        id: fresh_id(),
        cwd: params["cwd"].as_str().map_or_else(here, str::to_owned),
        preview: String::new(),
        created_at: now,
        updated_at: now,
        archived: false,
        approval_policy: json!(policy),
        sandbox: json!({ "type": sandbox }),
        turns: Vec::new(),
    };
    let result = shapes::opened(&thread, Load::Idle, Turns::LeftOut, &agent.store);
    let id = thread.id.clone();
    agent.load(thread).map_err(|_| format!("the thread `{id}` could not be created"))?;
    Ok(Answer { result, then: Then::TellThread(id) })
}

pub(super) fn resume(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let id = thread_id(params, "session")?;
    let turns = if params["excludeTurns"] == true { Turns::LeftOut } else { Turns::Included };
    let known = agent.state().loaded.contains_key(&id);
    if !known {
        let unknown = || format!("no rollout found for thread id {id}");
        let stored = agent.store.read(&id).ok_or_else(unknown)?;
        agent.load(stored).map_err(|reason| match reason {
            NotTaken::Unknown => unknown(),
            NotTaken::Busy => format!("thread {id} already has an active writer"),
        })?;
    }
    let state = agent.state();
    let loaded = &state.loaded[&id];
    Ok(shapes::resumed(&loaded.thread, loaded.load, turns, &agent.store).into())
}

pub(super) fn read(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let id = thread_id(params, "thread")?;
    let turns = if params["includeTurns"] == true { Turns::Included } else { Turns::LeftOut };
    let state = agent.state();
    let shown = |thread: &Thread, load| {
        let shape = shapes::thread(thread, load, turns, &agent.store);
        Ok(json!({ "thread": shape, "readState": shapes::read_state(thread) }).into())
    };
    if let Some(loaded) = state.loaded.get(&id) {
        return shown(&loaded.thread, loaded.load);
    }
    let stored = agent.store.read(&id).ok_or_else(|| format!("thread not loaded: {id}"))?;
    shown(&stored, Load::NotLoaded)
}

pub(super) fn list(agent: &Agent, params: &Value) -> Value {
    let archived = params["archived"] == true;
    let limit = params["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(25);
    let mut threads: Vec<Thread> = agent
        .store
        .ids()
        .iter()
        .filter_map(|id| agent.store.read(id))
        .filter(|t| t.archived == archived)
        .collect();
    threads.sort_by(|a, b| (b.updated_at, &b.id).cmp(&(a.updated_at, &a.id)));
    let state = agent.state();
    let shown = threads.iter().take(limit).map(|thread| {
        let load = state.loaded.get(&thread.id).map_or(Load::NotLoaded, |loaded| loaded.load);
        shapes::thread(thread, load, Turns::LeftOut, &agent.store)
    });
    let data: Vec<Value> = shown.collect();
    let read: serde_json::Map<_, _> =
        threads.iter().take(limit).map(|thread| (thread.id.clone(), shapes::read_state(thread))).collect();
    json!({ "data": data, "readStates": read, "nextCursor": null, "backwardsCursor": null })
}

pub(super) fn set_archived(agent: &Agent, params: &Value, method: &str) -> Result<Answer, String> {
    let id = thread_id(params, "thread")?;
    let mut thread = agent.store.read(&id).ok_or_else(|| format!("no rollout found for thread id {id}"))?;
    thread.archived = method == "thread/archive";
    agent.store.write(&thread).map_err(|error| error.to_string())?;
    if let Some(loaded) = agent.state().loaded.get_mut(&id) {
        loaded.thread.archived = thread.archived;
    }
    Ok(json!({}).into())
}
