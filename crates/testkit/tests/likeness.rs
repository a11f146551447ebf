//! The scripted agent beside the real one: the same conversation, the same frames. Needs `ARGUS_TEST_CODEX`.

mod stdio;

use std::collections::BTreeMap;

use argus_testkit::app_server::binary;
use argus_testkit::model::ModelServer;
use serde_json::{Value, json};
use stdio::Agent;
use tempfile::TempDir;
use tokio::process::Command;

/// What only the real agent tells, and nobody here relies on.
const ONLY_REAL: [&str; 3] = ["warning", "deprecationNotice", "thread/goal/cleared"];

/// What the real agent tells beside a turn's course, at no fixed place.
const ASIDE: [&str; 3] =
    ["thread/tokenUsage/updated", "account/rateLimits/updated", "thread/readState/changed"];

/// Gives the answers to requests by their method. The same conversation with either: a plain turn, approvals of each kind, an interrupt, readings, refusals.
async fn conversation(agent: &mut Agent, cwd: &str, approve: &str) -> BTreeMap<&'static str, Value> {
    let policy = json!({ "cwd": cwd, "approvalPolicy": "untrusted", "sandbox": "danger-full-access" });
    let started = agent.ok("thread/start", policy).await;
    let thread = started["thread"]["id"].as_str().unwrap().to_owned();
    agent.told("thread/started").await;
    let mut answers = BTreeMap::from([("thread/start", started)]);
    answers.insert("account/read", agent.ok("account/read", json!({})).await);
    assert_eq!(agent.say(&thread, "[say: good morning]").await.1.as_deref(), Some("good morning"));
    for decision in ["accept", "decline", "cancel"] {
        agent.turn(&thread, approve).await;
        let (_, id) = agent.told("item/commandExecution/requestApproval").await;
        agent.send(&json!({ "id": id, "result": { "decision": decision } })).await;
        agent.ended().await;
    }
    let turn = agent.turn(&thread, approve).await;
    agent.told("item/commandExecution/requestApproval").await;
    agent.ok("turn/interrupt", json!({ "threadId": thread, "turnId": turn })).await;
    agent.told("serverRequest/resolved").await;
    agent.turn(&thread, "[fail: the model is away]").await;
    agent.ended().await;
    let named = json!({ "threadId": thread });
    for (method, params) in [
        ("thread/read", json!({ "threadId": thread, "includeTurns": true })),
        ("thread/list", json!({ "limit": 5 })),
        ("thread/loaded/list", json!({})),
        ("thread/resume", named.clone()),
    ] {
        answers.insert(method, agent.ok(method, params).await);
    }
    for (method, params) in [
        ("thread/resume", json!({ "threadId": "00000000-0000-7000-8000-000000000000" })),
        ("thread/resume", json!({ "threadId": "zzz" })),
        ("thread/read", json!({ "threadId": "00000000-0000-7000-8000-000000000000" })),
        ("turn/start", json!({ "threadId": "00000000-0000-7000-8000-000000000000", "input": [] })),
        ("turn/start", json!({ "threadId": "zzz", "input": [] })),
        ("turn/start", named),
        ("turn/interrupt", json!({ "threadId": thread, "turnId": turn })),
        ("turn/steer", json!({ "threadId": thread, "expectedTurnId": turn, "input": [] })),
        ("initialize", json!({})),
        ("initialize", stdio::hello(true)),
    ] {
        assert!(agent.call(method, params).await.is_err(), "{method}");
    }
    answers
}

/// Every frame as a word: `method`, `method item-type`, `reply`, or an error's message.
fn order(lines: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for line in lines {
        let frame: Value = serde_json::from_str(line).unwrap();
        let word = match (frame["method"].as_str(), frame.get("error")) {
            (Some(method), _) if ONLY_REAL.contains(&method) || ASIDE.contains(&method) => continue,
            (Some(method), _) => {
                let kind = frame["params"]["item"]["type"].as_str().unwrap_or_default();
                let status = frame["params"]["turn"]["status"].as_str().unwrap_or_default();
                format!("{method} {kind}{status}").trim_end().to_owned()
            }
            (None, Some(error)) => error["message"].to_string(),
            (None, None) => "reply".to_owned(),
        };
        // How many deltas a text comes in is the model's affair.
        if words.last() != Some(&word) || !word.ends_with("delta") {
            words.push(word);
        }
    }
    // The real one tells these two at the same moment, in either order.
    for at in 1..words.len() {
        if words[at] == "thread/status/changed" && words[at - 1] == "item/completed commandExecution" {
            words.swap(at - 1, at);
        }
    }
    words
}

/// The type of the value at every path of every frame, by method and item type.
fn shapes(lines: &[String]) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for line in lines {
        let frame: Value = serde_json::from_str(line).unwrap();
        let Some(method) = frame["method"].as_str().filter(|method| !ONLY_REAL.contains(method)) else {
            continue;
        };
        let kind = frame["params"]["item"]["type"].as_str().unwrap_or_default();
        walk(&format!("{method} {kind}"), &frame, &mut found);
    }
    found
}

fn walk(path: &str, value: &Value, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(list) => {
            for item in list {
                walk(&format!("{path}[]"), item, found);
            }
            "list"
        }
        Value::Object(members) => {
            for (name, value) in members {
                let name = if name.len() == 36 { "<id>" } else { name };
                walk(&format!("{path}.{name}"), value, found);
            }
            "object"
        }
    };
    let known = found.entry(path.to_owned()).or_insert(kind);
    if *known == "null" {
        *known = kind;
    }
}

#[tokio::test]
async fn the_scripted_agent_tells_the_same_in_the_same_order_and_shape() {
    let Some(program) = std::env::var_os("ARGUS_TEST_CODEX") else {
        eprintln!("skipped: codex (ARGUS_TEST_CODEX names no program)");
        return;
    };
    let (home, work, model) = (TempDir::new().unwrap(), TempDir::new().unwrap(), ModelServer::start());
    std::fs::write(home.path().join("config.toml"), model.codex_config_without_retries()).unwrap();
    let cwd = work.path().to_str().unwrap();
    let mut real = Agent::ready(Command::new(program).arg("app-server").env("CODEX_HOME", home.path())).await;
    let real_answers = conversation(&mut real, cwd, "[run: touch x] [say: good evening]").await;
    let mut scripted = Agent::ready(Command::new(binary()).env("CODEX_HOME", home.path())).await;
    let answers = conversation(&mut scripted, cwd, "[approve: touch x] [say: good evening]").await;

    let (told, truth) = (order(&scripted.seen), order(&real.seen));
    assert_eq!(told, truth);

    let (mut told, mut truth) = (shapes(&scripted.seen), shapes(&real.seen));
    for (method, answer) in &real_answers {
        walk(method, answer, &mut truth);
        walk(method, &answers[method], &mut told);
    }
    let differing: Vec<String> = truth
        .iter()
        .filter_map(|(path, kind)| {
            let ours = told.get(path).copied().unwrap_or("absent");
            let same = ours == *kind || [ours, *kind].contains(&"null") && ours != "absent";
            (!same).then(|| format!("{path}: really {kind}, here {ours}"))
        })
        .chain(told.keys().filter(|path| !truth.contains_key(*path)).map(|path| format!("{path}: only here")))
        .collect();
    assert_eq!(differing, [] as [String; 0]);
}

#[tokio::test]
async fn the_methods_called_experimental_are_those_of_the_real_agent() {
    let Some(program) = argus_testkit::programs::real_codex() else { return };
    let folder = TempDir::new().unwrap();
    let mut printed = Vec::new();
    for (name, flags) in [("all", &["--experimental"][..]), ("stable", &[])] {
        let out = folder.path().join(name);
        let made = Command::new(&program)
            .args(["app-server", "generate-json-schema", "--out"])
            .arg(&out)
            .args(flags)
            .env("CODEX_HOME", folder.path())
            .output();
        assert!(made.await.unwrap().status.success());
        let text = std::fs::read(out.join("ClientRequest.json")).unwrap();
        printed.push(serde_json::from_slice::<Value>(&text).unwrap());
    }
    let methods = |schema: &Value| -> std::collections::BTreeSet<String> {
        let kinds = schema["oneOf"].as_array().unwrap().iter();
        kinds.filter_map(|kind| Some(kind["properties"]["method"]["enum"][0].as_str()?.to_owned())).collect()
    };
    let (all, stable) = (methods(&printed[0]), methods(&printed[1]));
    assert!(stable.contains("turn/start") && stable.is_subset(&all));
    let experimental: Vec<_> = all.difference(&stable).collect();
    assert_eq!(experimental, argus_protocol::agent::EXPERIMENTAL.iter().collect::<Vec<_>>());
}
