//! The examples of `REMOTE_CLIENT_GUIDE.md` are said to a running gateway, which answers as the guide tells.

use std::collections::HashMap;

use argus_testkit::bot_api::BotApi;
use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../../../REMOTE_CLIENT_GUIDE.md");

/// What the word after `json` says of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Only to be read.
    Shown,
    /// The client sends it on `/ws`.
    Sent,
    /// The client gets it there.
    Received,
    /// The client sends it to `POST /rpc`.
    Posted,
    /// The client gets it there.
    Answered,
}

#[test]
fn every_example_is_json() {
    let examples = examples();
    assert!(examples.iter().filter(|(role, _)| *role == Role::Sent).count() >= 10, "{examples:?}");
    assert!(examples.iter().all(|(_, value)| value.is_object()));
}

#[tokio::test]
async fn the_conversation_of_the_guide_goes_as_it_tells() {
    // Whoever hands over messages of a bot does so to the gateway that answers as that bot.
    let api = BotApi::start("123456:TEST");
    let telegram = Gateway::new().with("TELEGRAM_BOT_TOKEN", api.token()).with("TELEGRAM_API_URL", api.url());
    let gateway = telegram.start().await;
    let mut client = Client::open(gateway.url(), "session=default", &gateway.token()).await.unwrap();
    let mut names = HashMap::new();
    let mut answer = Value::Null;
    for (role, example) in examples() {
        match role {
            Role::Shown => {}
            Role::Sent => client.send_text(&renamed(&example, &names).to_string()).await,
            Role::Received => {
                let frame = client.wait(&example.to_string(), |frame| fits(&example, frame)).await;
                learn(&example, &frame, &mut names);
            }
            Role::Posted => {
                let params = renamed(&example["params"], &names);
                answer = gateway.rpc(example["method"].as_str().unwrap_or_default(), params).await;
            }
            Role::Answered => assert!(fits(&example, &answer), "{example}\n{answer}"),
        }
    }
}

#[tokio::test]
async fn the_gateway_closes_with_the_codes_and_words_of_the_guide() {
    let gateway = Gateway::new().start().await;
    for (query, token, code, words) in [
        ("session=default", "wrong", 1008, "Unauthorized"),
        ("session=nowhere", &*gateway.token(), 1008, "Unknown session"),
    ] {
        let mut client = Client::open(gateway.url(), query, token).await.unwrap();
        assert_eq!(client.closed().await, Some((code, words.to_owned())));
        assert!(GUIDE.contains(&format!("| {code} | `{words}` |")), "{words}");
    }
}

#[tokio::test]
async fn what_is_no_frame_is_answered_with_the_codes_of_the_guide() {
    let gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    client.send_text("{").await;
    client.send_text("[1]").await;
    client.send_binary(vec![1]).await;
    for code in [-32700, -32600, -32600] {
        let answer = client.wait("an error", |frame| frame.get("error").is_some()).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(code)), "{answer}");
        assert!(GUIDE.contains(&format!("| {code} |")), "{code}");
    }
}

/// The fenced blocks marked `json`, in order.
fn examples() -> Vec<(Role, Value)> {
    let mut examples = Vec::new();
    let mut parts = GUIDE.split("\n```");
    parts.next();
    while let (Some(block), Some(_text_between)) = (parts.next(), parts.next()) {
        let (mark, text) = block.split_once('\n').expect("a block has a body");
        let Some(mark) = mark.strip_prefix("json") else { continue };
        let role = match mark.trim() {
            "" => Role::Shown,
            "sent" => Role::Sent,
            "received" => Role::Received,
            "posted" => Role::Posted,
            "answered" => Role::Answered,
            other => panic!("`{other}` is no mark of an example"),
        };
        let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        examples.push((role, value));
    }
    examples
}

/// Whether the gateway said what the guide shows: everything shown is there, words that programs look for are the same,
/// other texts and numbers may differ.
fn fits(shown: &Value, said: &Value) -> bool {
    match (shown, said) {
        (Value::Object(shown), Value::Object(said)) => shown.iter().all(|(name, value)| {
            let exact = match name.as_str() {
                "method" | "type" | "status" | "mode" | "disposition" => true,
                "id" | "code" => value.is_number(),
                _ => false,
            };
            said.get(name).is_some_and(|said| if exact { value == said } else { fits(value, said) })
        }),
        (Value::Bool(shown), Value::Bool(said)) => shown == said,
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) | (Value::Null, _) => {
            true
        }
        (Value::Array(shown), Value::Array(said)) => {
            shown.iter().all(|one| said.iter().any(|other| fits(one, other)))
        }
        _ => false,
    }
}

/// Notes what the texts of an example are called in this conversation.
fn learn(shown: &Value, said: &Value, names: &mut HashMap<String, String>) {
    match (shown, said) {
        (Value::Object(shown), Value::Object(said)) => {
            shown.iter().for_each(|(name, value)| learn(value, &said[name], names));
        }
        (Value::String(shown), Value::String(said)) => {
            names.insert(shown.clone(), said.clone());
        }
        _ => {}
    }
}

/// The example with what its texts are called in this conversation.
fn renamed(example: &Value, names: &HashMap<String, String>) -> Value {
    match example {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), renamed(value, names))).collect()
        }
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::String(text) => json!(names.get(text).unwrap_or(text)),
        other => other.clone(),
    }
}
