//! The system as people run it: `docker compose --profile tg up`, with the shipped images and the real codex in its
//! container.

mod another_agent;
mod system;

use std::os::unix::fs::chown;

use argus_testkit::app_server::deltas_text;
use argus_testkit::client::Client;
use argus_testkit::programs::PATIENCE;
use serde_json::json;
use system::Composed;

#[tokio::test]
async fn a_message_is_answered_by_codex_in_its_container_which_runs_a_real_command() {
    let Some(composed) = Composed::here().map(Composed::with_model) else { return };
    composed.up();
    let (user, chat) = composed.paired().await;
    composed.api.push_text(&chat, &user, "[say: **four**, I think]");
    let answer = composed.api.wait_text("four, I think", PATIENCE).await;
    assert_eq!(answer.raw_text, "<b>four</b>, I think");

    composed.api.push_text(&chat, &user, "[run: test -f /.dockerenv && echo in-$(id -u)-$PWD]");
    composed.api.wait_text("in-0-/root/.argus/workspace", PATIENCE).await;
    assert_eq!(composed.sessions().len(), 1);
    assert!(composed.argus("status").starts_with("everything serves"));
}

#[tokio::test]
async fn nobody_in_it_has_more_rights_than_needed() {
    let Some(composed) = Composed::here() else { return };
    composed.up();
    let expected = ["10001 10001 10001 10001", "0000000000000000", "1"].map(str::to_owned);
    assert_eq!(
        ["gateway", "telegram-bot"].map(|service| composed.rights(service)),
        [expected.clone(), expected]
    );

    let bot = composed.docker.inspect(&composed.container("telegram-bot")).expect("it runs");
    let mounts: Vec<_> = bot["Mounts"].as_array().into_iter().flatten().collect();
    let mounts: Vec<_> = mounts.iter().map(|mount| (&mount["Destination"], &mount["RW"])).collect();
    assert_eq!(mounts, [(&json!("/run/argus"), &json!(false))]);
    let gateway = composed.docker.inspect(&composed.container("gateway")).expect("it runs");
    assert_eq!(gateway["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostIp"], "127.0.0.1");
}

#[tokio::test]
async fn a_home_that_belongs_to_somebody_is_used_as_that_person() {
    let Some(composed) = Composed::here().map(Composed::with_model) else { return };
    if let Err(error) = chown(composed.home(), Some(1234), Some(1234)) {
        eprintln!("skipped: only root can give a folder to somebody ({error})");
        return;
    }
    composed.up();
    let users = ["gateway", "telegram-bot"].map(|service| composed.rights(service)[0].clone());
    assert_eq!(users, ["1234 1234 1234 1234"; 2]);
    let (user, chat) = composed.paired().await;
    composed.api.push_text(&chat, &user, "[say: yours]");
    composed.api.wait_text("yours", PATIENCE).await;
}

#[tokio::test]
async fn a_gateway_killed_in_the_middle_of_a_turn_delivers_the_whole_answer_once() {
    let Some(composed) = Composed::here().map(Composed::with_model) else { return };
    composed.up();
    let (user, chat) = composed.paired().await;
    composed.api.push_text(&chat, &user, "[deltas: 40 size 20][hold: middle]");
    composed.model.wait_at("middle", PATIENCE).await;
    composed.docker.run(&["kill", "--signal", "KILL", &composed.container("gateway")]);
    composed.model.release("middle");
    composed.up();
    let whole = deltas_text(40, 20);
    composed.api.wait_text(whole.trim(), PATIENCE).await;
    composed.api.push_text(&chat, &user, "[say: and on]");
    composed.api.wait_text("and on", PATIENCE).await;
    assert_eq!(composed.said_in(&chat), [whole.trim(), "and on"]);
}

#[tokio::test]
async fn down_and_up_again_lose_nothing() {
    let Some(composed) = Composed::here().map(Composed::with_model) else { return };
    composed.up();
    let (user, chat) = composed.paired().await;
    composed.api.push_text(&chat, &user, "[say: before][hold: middle]");
    composed.model.wait_at("middle", PATIENCE).await;
    let sessions = composed.sessions();
    composed.down();
    assert_eq!(composed.sessions(), sessions, "what runs goes on");
    composed.model.release("middle");
    composed.api.push_text(&chat, &user, "[say: meanwhile]");
    composed.up();
    composed.api.wait_text("meanwhile", PATIENCE).await;
    assert_eq!(composed.said_in(&chat), ["before", "meanwhile"]);
    assert_eq!(composed.sessions(), sessions);
}

#[tokio::test]
async fn a_token_made_in_its_container_opens_one_session_and_the_bot_follows_the_operators_new_one() {
    let Some(composed) = Composed::here().map(Composed::with_model) else { return };
    composed.up();
    let (user, chat) = composed.paired().await;
    let token = composed.argus("token create --scope client --session default --ttl 1h");
    let mut client = Client::connect(&composed.url(), "", &token).await;
    client.initialize().await;
    client.call("argus/input/enqueue", json!({ "text": "[say: for a client]" })).await;
    assert_eq!(client.turn().await, ("for a client".to_owned(), "completed".to_owned()));
    composed.argus("token rotate operator");
    composed.api.push_text(&chat, &user, "[say: and for a chat]");
    composed.api.wait_text("and for a chat", PATIENCE).await;
    composed.argus("token rotate key");
    let words = "the token was revoked: the key was rotated".to_owned();
    assert_eq!(client.closed().await, Some((1008, words)));
}

#[tokio::test]
async fn a_chat_without_credentials_is_told_once_which_command_brings_them() {
    let Some(composed) = Composed::here() else { return };
    composed.up();
    let (user, chat) = composed.paired().await;
    composed.api.push_text(&chat, &user, "hello");
    composed.api.wait_text("docker compose run --rm login", PATIENCE).await;
    let said = composed.said_in(&chat);
    assert_eq!(said.len(), 1, "{said:?}");
    let login = ["run", "--rm", "-T", "-e", "OPENAI_API_KEY=sk-test", "login"];
    composed.compose(&login);
    assert!(composed.home().join(".codex/auth.json").is_file());
}
