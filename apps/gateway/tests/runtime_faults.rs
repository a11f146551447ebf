//! Runtimes that are missing, broken, killed, or say what nobody can use: everybody is told, and it goes on.

use std::os::unix::fs::symlink;

use argus_testkit::app_server;
use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{eventually, kill_9};
use serde_json::{Value, json};

async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client
}

fn words(reply: &Value) -> String {
    reply["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {reply}")).to_owned()
}

/// Says something in the main thread; the reply to the call.
async fn say(client: &mut Client, text: &str) -> Value {
    client.call("argus/input/enqueue", json!({ "text": text })).await
}

/// That the session serves again: a turn in the main thread comes to its end.
async fn goes_on(client: &mut Client) {
    let started = say(client, "[say: on it goes]").await;
    assert_eq!(started["result"]["ok"], true, "{started}");
    let id = started["result"]["turnId"].clone();
    let end = client.wait("the turn's end", |frame| {
        frame["method"] == "turn/completed" && (id.is_null() || frame["params"]["turn"]["id"] == id)
    });
    assert_eq!(end.await["params"]["turn"]["status"], "completed");
}

fn kill_all(gateway: &Gateway, program: &str) {
    let all = gateway.processes(program);
    assert_eq!(all.len(), 1, "{program}");
    kill_9(all[0]);
}

/// The failed end of a turn, as every client sees it; the reason.
async fn failed_turn(client: &mut Client) -> String {
    let end = client.notification("turn/completed").await;
    let turn = &end["params"]["turn"];
    assert_eq!(turn["status"], "failed", "{end}");
    turn["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_missing_agent_is_named_and_used_once_it_is_there() {
    let gateway = Gateway::new();
    let agent = gateway.home().join("agent");
    let gateway = gateway.with("ARGUS_RUNTIME_CMD", &agent).start().await;
    let mut client = gateway.client("session=default").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(said.contains(&*agent.to_string_lossy()), "{said}");
    let said =
        words(&client.call("initialize", json!({ "clientInfo": { "name": "x", "version": "1" } })).await);
    assert!(said.contains(&*agent.to_string_lossy()), "{said}");
    let said = words(&say(&mut client, "hello").await);
    assert!(said.contains(&*agent.to_string_lossy()), "{said}");
    symlink(app_server::binary(), &agent).unwrap();
    client.initialize().await;
    goes_on(&mut client).await;
    let said: Vec<_> = gateway.turns().into_iter().map(|turn| turn.text).collect();
    assert!(said.len() == 1 && !said[0].contains("hello"), "what was refused is not run later: {said:?}");
}

#[tokio::test]
async fn an_agent_that_ends_at_once_is_told_with_its_own_last_words() {
    let gateway = Gateway::new().with("SCRIPTED_START", "exit").start().await;
    let mut client = gateway.client("session=default").await;
    let waiting = client.request("argus/input/enqueue", json!({ "text": "hello" })).await;
    for reply in [client.call("thread/list", json!({})).await, client.reply(waiting).await] {
        let said = words(&reply);
        assert!(
            said.contains("exit 1") && said.contains("scripted-app-server was told not to start"),
            "{said}"
        );
    }
    // Nobody is left waiting, and nothing is started over and over.
    let again = words(&say(&mut client, "hello?").await);
    assert!(again.contains("told not to start"), "{again}");
}

#[tokio::test]
async fn a_missing_bridge_is_an_error_in_words() {
    let gateway = Gateway::new().with("ARGUS_BRIDGE", "/nowhere/argus-runtime-bridge").start().await;
    let mut client = gateway.client("session=default").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(said.contains("/nowhere/argus-runtime-bridge"), "{said}");
    let said = words(&say(&mut client, "hello").await);
    assert!(said.contains("/nowhere/argus-runtime-bridge"), "{said}");
}

#[tokio::test]
async fn when_the_agent_dies_in_a_turn_everybody_is_told_and_the_next_request_starts_it_again() {
    let gateway = Gateway::new().start().await;
    let (mut asker, mut witness) = (introduced(&gateway).await, introduced(&gateway).await);
    let started = asker.call("thread/start", json!({})).await;
    let thread = started["result"]["thread"]["id"].clone();
    let turn = json!({ "threadId": thread, "input": [{ "type": "text", "text": "[say: remembered]" }] });
    asker.call("turn/start", turn).await;
    for client in [&mut asker, &mut witness] {
        assert_eq!(client.turn().await.1, "completed");
    }
    let fatal = json!([{ "type": "text", "text": "[late] [stderr: it burns] [die: 3]" }]);
    let pending = asker.request("turn/start", json!({ "threadId": thread, "input": fatal })).await;
    let said = words(&asker.reply(pending).await);
    assert!(said.contains("exit 3") && said.contains("it burns"), "{said}");
    for client in [&mut asker, &mut witness] {
        let reason = failed_turn(client).await;
        assert!(reason.contains("exit 3"), "{reason}");
    }
    // Another process has the thread now, because it is resumed before anything is asked of it.
    let turn = json!({ "threadId": thread, "input": [{ "type": "text", "text": "[say: back]" }] });
    let reply = witness.call("turn/start", turn).await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
    assert_eq!(asker.turn().await, ("back".to_owned(), "completed".to_owned()));
    let processes: Vec<_> = gateway.turns().iter().map(|turn| turn.process).collect();
    assert!(processes[0] == processes[1] && processes[1] != processes[2], "{processes:?}");
    assert_eq!(gateway.processes("scripted-app-se").len(), 1);
}

#[tokio::test]
async fn a_killed_agent_fails_its_turn_and_what_waits_behind_it_is_still_done() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    assert_eq!(say(&mut client, "[say: half an answer] [hang]").await["result"]["started"], true);
    let queued = say(&mut client, "[say: behind]").await;
    assert_eq!(queued["result"]["queued"], true, "{queued}");
    client.notification("item/agentMessage/delta").await;
    kill_all(&gateway, "scripted-app-se");
    let reason = failed_turn(&mut client).await;
    assert!(reason.contains("signal 9"), "{reason}");
    assert_eq!(client.turn().await, ("behind".to_owned(), "completed".to_owned()));
    assert_eq!(gateway.turns().len(), 2, "the failed one is not run again");
}

#[tokio::test]
async fn a_bridge_killed_while_idle_is_replaced_at_the_next_need() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    goes_on(&mut client).await;
    kill_all(&gateway, "argus-runtime-b");
    eventually("the loss is noticed", async || {
        gateway.log().contains("the link to the runtime ended").then_some(())
    })
    .await;
    let list = client.call("thread/list", json!({})).await;
    assert!(list["result"]["data"].is_array(), "{list}");
    goes_on(&mut client).await;
    assert_eq!(gateway.processes("argus-runtime-b").len(), 1);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1, "the old agent is gone");
}

#[tokio::test]
async fn a_bridge_killed_in_a_turn_fails_the_turn_and_nothing_is_run_twice() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: never heard] [hang]").await;
    let behind = say(&mut client, "[say: behind]").await;
    assert_eq!(behind["result"]["queued"], true, "{behind}");
    client.notification("item/agentMessage/delta").await;
    kill_all(&gateway, "argus-runtime-b");
    let reason = failed_turn(&mut client).await;
    assert!(reason.contains("runtime"), "{reason}");
    assert_eq!(client.turn().await, ("behind".to_owned(), "completed".to_owned()));
    assert_eq!(gateway.turns().len(), 2);
    assert_eq!(gateway.processes("scripted-app-se").len(), 1, "the old agent is gone");
}

#[tokio::test]
async fn what_the_agent_writes_that_is_no_frame_disturbs_nobody() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[garbage] [stderr: noise] [garbage] [say: clear]").await;
    assert_eq!(client.turn().await, ("clear".to_owned(), "completed".to_owned()));
    let seen = client.drain(std::time::Duration::ZERO).await;
    assert!(seen.iter().all(Value::is_object), "{seen:?}");
}

#[tokio::test]
async fn a_line_over_the_limit_is_dropped_with_word_of_it() {
    let gateway = Gateway::new().with("ARGUS_JSONL_LINE_LIMIT_BYTES", "20000").start().await;
    let mut client = introduced(&gateway).await;
    // A notification: the session is told, the turn goes on.
    say(&mut client, "[big: 30000] [say: still here]").await;
    let notice = client.notification("argus/dropped").await;
    assert_eq!(notice["params"]["method"], "warning", "{notice}");
    assert!(notice["params"]["message"].as_str().unwrap().contains("20000"), "{notice}");
    assert_eq!(client.turn().await, ("still here".to_owned(), "completed".to_owned()));
    // The end of a turn: the turn ends all the same, and the next one begins.
    say(&mut client, "[big completed: 30000] [say: unheard end]").await;
    let notice = client.notification("argus/dropped").await;
    assert_eq!(notice["params"]["method"], "turn/completed", "{notice}");
    goes_on(&mut client).await;
    // A reply: its requester gets an error that names the limit.
    let main = client.call("argus/thread/main/ensure", json!({})).await["result"]["threadId"].clone();
    for _ in 0..3 {
        say(&mut client, "[deltas: 10 1000]").await;
        client.turn().await;
    }
    let said = words(&client.call("thread/read", json!({ "threadId": main, "includeTurns": true })).await);
    assert!(said.contains("over the limit of 20000"), "{said}");
    goes_on(&mut client).await;
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_ends_nothing() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[big: 100000000] [say: still here]").await;
    let notice = client.notification("argus/dropped").await;
    assert!(notice["params"]["message"].as_str().unwrap().contains("over the limit of 67108864"), "{notice}");
    assert_eq!(client.turn().await, ("still here".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn a_line_of_twenty_megabytes_arrives_whole() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[big: 20000000] [say: and more]").await;
    let whole = client.notification("warning").await;
    assert_eq!(whole["params"]["message"].as_str().map(str::len), Some(20_000_000));
    assert_eq!(client.turn().await, ("and more".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn a_smaller_limit_after_a_restart_does_not_cut_off_a_running_bridge() {
    let mut gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway).await;
    let go = gateway.home().join("go");
    say(&mut client, &format!("[hold: {}] [big: 50000] [say: whole]", go.display())).await;
    client.leave().await;
    gateway.stop().await;
    gateway.set("ARGUS_JSONL_LINE_LIMIT_BYTES", "4096");
    gateway.restart().await;
    let mut client = gateway.client("session=default").await;
    std::fs::write(go, "").unwrap();
    assert_eq!(client.turn().await, ("whole".to_owned(), "completed".to_owned()));
}
