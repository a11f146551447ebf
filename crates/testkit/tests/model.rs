//! The model server: by bare HTTP, and with the real codex where `ARGUS_TEST_CODEX` names its native program.

mod stdio;

use std::time::Duration;

use argus_testkit::model::{Failure, ModelServer, Script, echo};
use argus_testkit::prompt::long_markdown;
use serde_json::{Value, json};
use stdio::Agent;
use tempfile::TempDir;
use tokio::process::Command;

const SOON: Duration = Duration::from_secs(20);

fn user(text: &str) -> Value {
    json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] })
}

async fn post(model: &ModelServer, input: &[Value]) -> reqwest::Response {
    let body = json!({ "model": "gpt-5.2", "stream": true, "input": input });
    reqwest::Client::new().post(format!("{}/responses", model.url())).json(&body).send().await.unwrap()
}

/// The data of every event of a stream.
fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// The types of a stream's events.
fn kinds(stream: &str) -> Vec<String> {
    events(stream).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// The text that the deltas of a stream make.
fn text(stream: &str) -> String {
    events(stream).iter().filter_map(|event| event["delta"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn the_last_person_s_words_are_echoed() {
    let model = ModelServer::start();
    let input =
        [user("first"), user("# Project Context\n\n[X]\n[/X]\n\nlast"), user("<environment_context>\n…")];
    let answer = post(&model, &input).await.text().await.unwrap();
    assert_eq!(text(&answer), "You said: last");
    assert_eq!(
        kinds(&answer),
        [
            "response.created",
            "response.output_item.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_item.done",
            "response.completed"
        ]
    );
    let done = &events(&answer)[4]["item"];
    assert_eq!(
        *done,
        json!({ "type": "message", "id": "msg_1_0", "role": "assistant",
            "content": [{ "type": "output_text", "text": "You said: last" }] })
    );
    assert_eq!(model.wait_requests(1, SOON).await[0]["input"], json!(input));
}

#[tokio::test]
async fn a_command_is_asked_for_and_its_output_quoted() {
    let model = ModelServer::start();
    let mut input = vec![user("[run: echo hi]")];
    let asked = post(&model, &input).await.text().await.unwrap();
    let call = events(&asked)[1]["item"].clone();
    assert_eq!(
        (&call["name"], &call["arguments"]),
        (&json!("exec_command"), &json!("{\"cmd\":\"echo hi\"}"))
    );
    let output = "Chunk ID: 1\nProcess exited with code 0\nOutput:\nhi\n";
    input.push(json!({ "type": "function_call_output", "call_id": call["call_id"], "output": output }));
    assert_eq!(text(&post(&model, &input).await.text().await.unwrap()), "The command printed:\nhi\n");
}

#[tokio::test]
async fn a_rule_freezes_an_answer_until_its_gate_is_released() {
    let model = ModelServer::start();
    model.on("story", Script::new().text("old rule"));
    model.on("story", Script::new().think("hm").text("one ").gate("middle").text("two"));
    let mut answer = post(&model, &[user("a story please")]).await;
    model.wait_at("middle", SOON).await;
    let mut before = String::new();
    while !before.contains("one ") {
        before.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(before.contains("response.reasoning_summary_text.delta") && !before.contains("two"));
    model.release("middle");
    assert!(answer.text().await.unwrap().contains("\"delta\":\"two\""));
    model.hold("middle");
    let held = post(&model, &[user("a story please")]).await;
    model.wait_at("middle", SOON).await;
    drop(held);
}

#[tokio::test]
async fn failures_are_met_as_ordered() {
    let model = ModelServer::start();
    model.fail_next(Failure::Status(401));
    model.fail_next(Failure::event("broken"));
    model.fail_next(Failure::Cut);
    model.fail_next(Failure::Hang(Duration::from_millis(20)));
    assert_eq!(post(&model, &[user("x")]).await.status(), 401);
    let failed = post(&model, &[user("x")]).await.text().await.unwrap();
    assert_eq!(kinds(&failed), ["response.created", "response.failed"]);
    for _ in 0..2 {
        assert!(post(&model, &[user("x")]).await.text().await.is_err());
    }
    model.fail_while(Failure::Status(500));
    for _ in 0..2 {
        assert_eq!(post(&model, &[user("x")]).await.status(), 500);
    }
    model.heal();
    assert_eq!(text(&post(&model, &[user("x")]).await.text().await.unwrap()), "You said: x");
    assert_eq!(post(&model, &[user("[fail: 503]")]).await.status(), 503);
}

#[tokio::test]
async fn no_models_are_listed() {
    let model = ModelServer::start();
    let list: Value = reqwest::get(format!("{}/models", model.url())).await.unwrap().json().await.unwrap();
    assert_eq!(list["data"], json!([]));
}

/// The real agent on its own home with this model, or none where there is no codex.
async fn codex(home: &TempDir, config: &str) -> Option<Agent> {
    let Some(program) = std::env::var_os("ARGUS_TEST_CODEX") else {
        eprintln!("skipped: codex (ARGUS_TEST_CODEX names no program)");
        return None;
    };
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("app-server").env("CODEX_HOME", home.path());
    Some(Agent::ready(&mut command).await)
}

fn completed(text: &str) -> (String, Option<String>) {
    ("completed".into(), Some(text.into()))
}

#[tokio::test]
async fn the_real_agent_answers_and_runs_commands_with_this_model() {
    let (home, work, model) = (TempDir::new().unwrap(), TempDir::new().unwrap(), ModelServer::start());
    let Some(mut agent) = codex(&home, &model.codex_config()).await else { return };
    let thread = agent.thread(work.path().to_str().unwrap()).await;
    assert_eq!(agent.say(&thread, "hello there").await, completed(&echo("hello there")));
    let run = "[run: echo made > made.txt; cat made.txt]";
    assert_eq!(agent.say(&thread, run).await, completed("The command printed:\nmade\n"));
    assert_eq!(std::fs::read_to_string(work.path().join("made.txt")).unwrap(), "made\n");
    assert_eq!(agent.say(&thread, "[say: **exactly** this]").await, completed("**exactly** this"));
    assert_eq!(agent.say(&thread, "[long: 12000]").await, completed(&long_markdown(12_000)));
    let two =
        Script::new().think("**Looking**").run("echo one").text("then").run("echo two").text("got ").output();
    model.on("twice", two);
    assert_eq!(agent.say(&thread, "twice").await, completed("got two\n"));
}

#[tokio::test]
async fn the_real_agent_s_turn_stands_still_at_a_gate() {
    let (home, work, model) = (TempDir::new().unwrap(), TempDir::new().unwrap(), ModelServer::start());
    let Some(mut agent) = codex(&home, &model.codex_config()).await else { return };
    let thread = agent.thread(work.path().to_str().unwrap()).await;
    agent.turn(&thread, "[say: before and after] [hold: g]").await;
    model.wait_at("g", SOON).await;
    let (delta, _) = agent.told("item/agentMessage/delta").await;
    assert_eq!(delta["delta"], "before a");
    model.release("g");
    assert_eq!(agent.ended().await, completed("before and after"));
}

#[tokio::test]
async fn the_real_agent_s_turn_fails_when_the_model_does() {
    let (home, work, model) = (TempDir::new().unwrap(), TempDir::new().unwrap(), ModelServer::start());
    let Some(mut agent) = codex(&home, &model.codex_config_without_retries()).await else { return };
    for text in ["[fail: 500]", "[fail: 401]", "[fail: broken]", "[cut]"] {
        let thread = agent.thread(work.path().to_str().unwrap()).await;
        assert_eq!(agent.say(&thread, text).await, ("failed".into(), None), "{text}");
    }
}
