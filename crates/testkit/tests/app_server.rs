//! The scripted agent, held against what codex app-server 0.169 was seen to do.

mod stdio;

use std::path::Path;
use std::time::Duration;

use argus_testkit::app_server::{TurnEntry, accepted_turns, binary, deltas_text, echo};
use serde_json::{Value, json};
use stdio::{Agent, hello, input};
use tempfile::TempDir;
use tokio::process::Command;

fn command(home: &TempDir) -> Command {
    let mut command = Command::new(binary());
    command.env("CODEX_HOME", home.path()).env("SCRIPTED_LOG", home.path().join("turns.log"));
    command
}

fn completed(text: &str) -> (String, Option<String>) {
    ("completed".into(), Some(text.into()))
}

fn refused(message: &str) -> Result<Value, Value> {
    Err(json!({ "code": -32600, "message": message }))
}

/// The methods of the notifications and requests in `lines`.
fn methods(lines: &[String]) -> Vec<String> {
    let frames = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    frames.filter_map(|frame| frame["method"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn nothing_is_served_before_hello_and_hello_is_said_once() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::start(&mut command(&home));
    assert_eq!(agent.call("thread/list", json!({})).await, refused("Not initialized"));
    assert_eq!(
        agent.call("initialize", json!({})).await,
        refused("Invalid request: missing field `clientInfo`")
    );
    let welcome = agent.ok("initialize", hello(true)).await;
    assert_eq!(welcome["codexHome"], home.path().to_str().unwrap());
    assert!(welcome["userAgent"].as_str().unwrap().starts_with("test/0.169.0 "));
    assert_eq!(agent.call("initialize", hello(true)).await, refused("Already initialized"));
    let nobody =
        json!({ "account": null, "userId": null, "requiresOpenaiAuth": false, "workspaceRouting": null });
    assert_eq!(agent.call("account/read", json!({})).await, Ok(nobody));
}

#[tokio::test]
async fn what_is_no_request_is_not_answered() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    for line in [
        "garbage",
        "[]",
        "{\"id\":null,\"method\":\"thread/list\",\"params\":{}}",
        "{\"id\":1.5,\"method\":\"x\"}",
    ] {
        agent.raw(line).await;
    }
    agent.raw("{\"id\":\"text\",\"method\":\"thread/list\"}").await;
    let (line, frames) = (agent.line().await.unwrap(), agent.seen.len());
    let mut line = line;
    while !line.contains("\"text\"") {
        line = agent.line().await.unwrap();
    }
    assert_eq!(
        line,
        "{\"error\":{\"code\":-32600,\"message\":\"Invalid request: missing field `params`\"},\"id\":\"text\"}"
    );
    assert!(frames > 0);
    let unknown = agent.call("nope", json!({})).await.unwrap_err();
    assert!(
        unknown["message"].as_str().unwrap().starts_with("Invalid request: unknown variant `nope`, expected")
    );
}

#[tokio::test]
async fn a_turn_is_told_in_the_order_of_the_real_agent() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    agent.told("thread/started").await;
    let before = agent.seen.len();
    assert_eq!(agent.say(&thread, "hello there").await, completed("echo: hello there"));
    let lines = &agent.seen[before..];
    let reply: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(reply["result"]["turn"]["status"], "inProgress");
    assert_eq!(
        methods(lines),
        [
            "thread/status/changed",
            "turn/started",
            "item/started",
            "item/completed",
            "item/started",
            "item/agentMessage/delta",
            "item/agentMessage/delta",
            "item/completed",
            "thread/tokenUsage/updated",
            "account/rateLimits/updated",
            "thread/readState/changed",
            "thread/status/changed",
            "turn/completed",
        ]
    );
    assert!(lines[1].starts_with("{\"method\":\"thread/status/changed\",\"params\":{"));
    assert!(lines[1..].iter().all(|line| line.contains(",\"emittedAtMs\":") && !line.contains("jsonrpc")));
}

#[tokio::test]
async fn experimental_and_muted_notifications_are_left_out() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::start(&mut command(&home));
    let mut wishes = hello(false);
    wishes["capabilities"]["optOutNotificationMethods"] = json!(["item/agentMessage/delta"]);
    agent.ok("initialize", wishes).await;
    let thread = agent.thread("/tmp").await;
    agent.say(&thread, "hello").await;
    let told = methods(&agent.seen);
    assert!(
        !told
            .iter()
            .any(|method| method == "item/agentMessage/delta" || method == "thread/readState/changed")
    );
}

#[tokio::test]
async fn answers_follow_the_control_words() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    assert_eq!(agent.say(&thread, "[say: exactly [this]] please").await, completed("exactly [this]"));
    assert_eq!(agent.say(&thread, "[say:]").await, ("completed".into(), None));
    assert_eq!(agent.say(&thread, "[deltas: 12 size 30] [slow: 1]").await, completed(&deltas_text(12, 30)));
    assert_eq!(deltas_text(12, 30).len(), 360);
    let turn = agent.turn(&thread, "[ids]").await;
    assert_eq!(agent.ended().await, completed(&format!("thread={thread} turn={turn}")));
    let prompt =
        "# Project Context\n\n[AGENTS.md]\nbe good\n[/AGENTS.md]\n\nhow are you?\n\nInstructions:\n- answer";
    assert_eq!(agent.say(&thread, prompt).await, completed("echo: how are you?"));
    assert_eq!(echo(prompt), "echo: how are you?");
    agent
        .turn(&thread, "[big: 100000] [big completed: 100000] [garbage] [retry: again] [stderr: spoken]")
        .await;
    assert_eq!(agent.ended().await.0, "completed");
    assert_eq!(agent.seen.iter().filter(|line| line.len() > 100_000).count(), 2);
    assert_eq!(agent.seen.iter().filter(|line| line.contains("\"willRetry\":true")).count(), 1);
    assert_eq!(agent.seen.iter().filter(|line| serde_json::from_str::<Value>(line).is_err()).count(), 1);
    assert_eq!(agent.exit().await, (Some(0), "spoken\n".into()));
}

#[tokio::test]
async fn a_turn_started_during_a_turn_steers_it() {
    let home = TempDir::new().unwrap();
    let gate = home.path().join("gate");
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    let first = format!("one [hold: {}]", gate.display());
    let turn = agent.turn(&thread, &first).await;
    agent.told("item/agentMessage/delta").await;
    assert_eq!(agent.turn(&thread, "two").await, turn);
    let mut steer = input(&thread, "three");
    steer["expectedTurnId"] = json!("other");
    assert_eq!(
        agent.call("turn/steer", steer.clone()).await,
        refused(&format!("expected active turn id `other` but found `{turn}`"))
    );
    steer["expectedTurnId"] = json!(turn);
    assert_eq!(agent.call("turn/steer", steer.clone()).await, Ok(json!({ "turnId": turn })));
    std::fs::write(&gate, "").unwrap();
    assert_eq!(agent.ended().await, completed("echo: three"));
    assert_eq!(agent.call("turn/steer", steer).await, refused("no active turn to steer"));
    assert_eq!(methods(&agent.seen).iter().filter(|method| *method == "turn/completed").count(), 1);
    let accepted: Vec<_> = accepted_turns(&home.path().join("turns.log"))
        .into_iter()
        .map(|t| (t.entry, t.turn, t.text))
        .collect();
    assert_eq!(
        accepted,
        [
            (TurnEntry::Started, turn.clone(), first),
            (TurnEntry::Steered, turn.clone(), "two".into()),
            (TurnEntry::Steered, turn, "three".into())
        ]
    );
}

#[tokio::test]
async fn two_threads_run_their_turns_side_by_side() {
    let home = TempDir::new().unwrap();
    let gate = home.path().join("gate");
    let mut agent = Agent::ready(&mut command(&home)).await;
    let (held, free) = (agent.thread("/tmp").await, agent.thread("/tmp").await);
    agent.turn(&held, &format!("held [hold: {}]", gate.display())).await;
    assert_eq!(agent.say(&free, "free").await, completed("echo: free"));
    std::fs::write(&gate, "").unwrap();
    assert_eq!(agent.ended().await.0, "completed");
}

#[tokio::test]
async fn an_interrupt_ends_a_hanging_turn_but_not_a_hard_hanging_one() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    let turn = agent.turn(&thread, "[hang]").await;
    agent.told("item/agentMessage/delta").await;
    let interrupt = |turn: &str| json!({ "threadId": thread, "turnId": turn });
    let wrong = format!("expected active turn id wrong but found {turn}");
    assert_eq!(agent.call("turn/interrupt", interrupt("wrong")).await, refused(&wrong));
    assert_eq!(agent.call("turn/interrupt", interrupt(&turn)).await, Ok(json!({})));
    assert_eq!(agent.ended().await, ("interrupted".into(), None));
    assert_eq!(agent.call("turn/interrupt", interrupt(&turn)).await, refused("no active turn to interrupt"));
    let turn = agent.turn(&thread, "[hang hard]").await;
    agent.told("item/agentMessage/delta").await;
    assert_eq!(agent.call("turn/interrupt", interrupt(&turn)).await, Ok(json!({})));
    let read = agent.ok("thread/read", json!({ "threadId": thread })).await;
    assert_eq!(read["thread"]["status"]["type"], "active");
    assert_eq!(agent.exit().await.0, Some(0));
}

#[tokio::test]
async fn a_failed_turn_says_why() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    agent.turn(&thread, "[fail: the model is away]").await;
    let (error, _) = agent.told("error").await;
    assert_eq!(
        (&error["willRetry"], &error["error"]["message"]),
        (&json!(false), &json!("the model is away"))
    );
    let (end, _) = agent.told("turn/completed").await;
    assert_eq!(
        (&end["turn"]["status"], &end["turn"]["error"]["message"], &end["turn"]["items"]),
        (&json!("failed"), &json!("the model is away"), &json!([]))
    );
}

#[tokio::test]
async fn an_approval_is_asked_and_its_answer_decides() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    let answers = [
        (json!({ "result": { "decision": "accept" } }), "completed", "completed"),
        (json!({ "result": { "decision": "decline" } }), "declined", "completed"),
        (json!({ "result": { "decision": "cancel" } }), "declined", "interrupted"),
        (json!({ "error": { "code": 1, "message": "no" } }), "failed", "completed"),
    ];
    for (n, (mut answer, item, turn)) in answers.into_iter().enumerate() {
        agent.turn(&thread, "[approve: touch x]").await;
        let (params, id) = agent.told("item/commandExecution/requestApproval").await;
        assert_eq!((&id, &params["command"]), (&json!(n), &json!("/bin/bash -lc 'touch x'")));
        answer["id"] = id.clone();
        agent.send(&answer).await;
        let (resolved, _) = agent.told("serverRequest/resolved").await;
        assert_eq!(resolved, json!({ "threadId": thread, "requestId": id }));
        let (done, _) = agent.told("item/completed").await;
        assert_eq!(done["item"]["status"], item);
        assert_eq!(agent.ended().await.0, turn);
    }
}

#[tokio::test]
async fn the_answer_to_a_start_may_come_after_the_turn_s_notifications() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    for (word, last_before) in [("[early]", "turn/started"), ("[late]", "turn/completed")] {
        agent.turn(&thread, word).await;
        let told = methods(&agent.seen);
        assert_eq!(told.last().unwrap(), last_before);
        if word == "[early]" {
            agent.ended().await;
        }
    }
}

#[tokio::test]
async fn any_request_can_be_put_to_the_client() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    let turn = agent.turn(&thread, "[ask: currentTime/read]").await;
    let (params, id) = agent.told("currentTime/read").await;
    assert_eq!(params, json!({ "threadId": thread, "turnId": turn }));
    agent.send(&json!({ "id": id, "result": { "currentTimeAt": 5 } })).await;
    assert_eq!(agent.ended().await, completed("answered: {\"currentTimeAt\":5}"));
}

#[tokio::test]
async fn an_interrupt_resolves_a_pending_approval_after_the_turn() {
    let home = TempDir::new().unwrap();
    let mut agent = Agent::ready(&mut command(&home)).await;
    let thread = agent.thread("/tmp").await;
    let turn = agent.turn(&thread, "[approve]").await;
    agent.told("item/commandExecution/requestApproval").await;
    agent.ok("turn/interrupt", json!({ "threadId": thread, "turnId": turn })).await;
    let before = agent.seen.len();
    agent.told("serverRequest/resolved").await;
    let told = methods(&agent.seen[before..]);
    assert_eq!(told, ["thread/status/changed", "turn/completed", "serverRequest/resolved"]);
    agent.send(&json!({ "id": 0, "result": { "decision": "accept" } })).await;
    assert_eq!(agent.say(&thread, "[say: on]").await, completed("on"));
}

#[tokio::test]
async fn a_thread_with_a_turn_goes_on_in_another_process_and_one_without_does_not() {
    let home = TempDir::new().unwrap();
    let mut first = Agent::ready(&mut command(&home)).await;
    let (used, unused) = (first.thread("/tmp").await, first.thread("/tmp").await);
    first.say(&used, "first words").await;
    let mut second = Agent::ready(&mut command(&home)).await;
    let resume = |id: &str| json!({ "threadId": id, "excludeTurns": true });
    assert_eq!(
        second.call("thread/resume", resume(&used)).await,
        refused(&format!("thread {used} already has an active writer"))
    );
    assert_eq!(second.ok("thread/read", resume(&used)).await["thread"]["status"]["type"], "notLoaded");
    first.turn(&used, "[die: 3]").await;
    while first.line().await.is_some() {}
    assert_eq!(first.exit().await.0, Some(3));
    assert_eq!(
        second.call("turn/start", input(&used, "x")).await,
        refused(&format!("thread not found: {used}"))
    );
    let no_rollout = refused(&format!("no rollout found for thread id {unused}"));
    assert_eq!(second.call("thread/resume", resume(&unused)).await, no_rollout);
    let malformed = "invalid session id: invalid character: expected an optional prefix of `urn:uuid:` followed by \
                     [0-9a-fA-F-], found `z` at 1";
    assert_eq!(second.call("thread/resume", resume("zzz")).await, refused(malformed));
    let resumed = second.ok("thread/resume", json!({ "threadId": used })).await;
    let turns = resumed["thread"]["turns"].as_array().unwrap();
    let statuses: Vec<_> = turns.iter().map(|turn| turn["status"].as_str().unwrap()).collect();
    assert_eq!(
        (statuses, &resumed["thread"]["preview"]),
        (vec!["completed", "interrupted"], &json!("first words"))
    );
    assert_eq!(second.say(&used, "more").await, completed("echo: more"));
    let list = second.ok("thread/list", json!({ "limit": 5 })).await;
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|thread| &thread["id"]).collect();
    assert_eq!(ids, [&json!(used)]);
}

#[tokio::test]
async fn a_start_may_fail_hang_or_be_slow() {
    let home = TempDir::new().unwrap();
    let failed = Agent::start(command(&home).env("SCRIPTED_START", "exit")).exit().await;
    assert_eq!(failed, (Some(1), "scripted-app-server was told not to start\n".into()));
    let mut hanging = Agent::start(command(&home).env("SCRIPTED_START", "hang"));
    hanging.ask("initialize", hello(true)).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), hanging.line()).await.is_err());
    assert_eq!(hanging.exit().await.0, Some(0));
    Agent::ready(command(&home).env("SCRIPTED_START", "slow:10")).await;
}

#[tokio::test]
async fn threads_are_kept_where_the_test_says() {
    let (home, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut agent = Agent::ready(command(&home).env("SCRIPTED_STATE", state.path())).await;
    let thread = agent.thread("/tmp").await;
    agent.say(&thread, "hello").await;
    assert!(state.path().join(format!("{thread}.json")).exists());
    assert!(!Path::new(&home.path().join("scripted-threads")).exists());
}
