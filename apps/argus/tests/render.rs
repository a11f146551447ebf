//! `argus render`, as a person types it; what it prints is what the service takes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use argus_testkit::bot_api::{BotApi, Chat, EntityKind, User};
use argus_testkit::programs::clean_environment;
use serde_json::{Value, json};

/// Everything that an answer may hold.
const ALL: &str = "# Heading\n\nSome **bold _and italic_** and ~~struck~~ and `code` and ||hidden||, [a link](https://example.org/?a&b).\n\n\
1. one\n2. two\n   - nested\n   - [x] done\n\n> A quotation & more\n\n```rust\nfn main() { println!(\"<>\"); }\n```\n\n\
| name | size |\n|---|--:|\n| a | 1 |\n| 好 | 22 |\n\n<b>not ours</b> 5 < 6 && *\n";

fn render(words: &[&str], text: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.args(["render", "telegram"]).args(words).env_clear().envs(clean_environment());
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    let text = text.to_owned();
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = running.wait_with_output().unwrap();
    // One that reads a file instead hangs up.
    let _ = writing.join();
    output
}

fn calls(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn taken(calls: &[Value]) -> Vec<argus_testkit::bot_api::Sent> {
    let api = BotApi::start("42:TEST");
    api.know(&Chat::private(&User::new(7, "Ada")));
    for call in calls {
        let url = format!("{}/bot42:TEST/{}", api.url(), call["method"].as_str().unwrap());
        let mut params = call.clone();
        params["chat_id"] = json!(7);
        let answer = reqwest::Client::new().post(url).json(&params).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{call}");
    }
    api.sent()
}

#[tokio::test]
async fn everything_an_answer_may_hold_is_taken_as_it_is_meant() {
    let calls = calls(&render(&["-"], ALL));
    let sent = taken(&calls).await;
    let [one] = sent.as_slice() else { panic!("{sent:?}") };
    let has = |kind: &EntityKind| one.entities.iter().any(|entity| entity.kind == *kind);
    for kind in [
        EntityKind::Bold,
        EntityKind::Italic,
        EntityKind::Strikethrough,
        EntityKind::Code,
        EntityKind::Spoiler,
        EntityKind::Blockquote,
        EntityKind::Pre { language: Some("rust".into()) },
        EntityKind::Pre { language: None },
        EntityKind::TextLink("https://example.org/?a&b".into()),
    ] {
        assert!(has(&kind), "{kind:?} in {:?}", one.entities);
    }
    for words in
        ["Heading", "1. one", "☑ done", "fn main() { println!(\"<>\"); }", "<b>not ours</b> 5 < 6 && *"]
    {
        assert!(one.text.contains(words), "{words} in {}", one.text);
    }
}

#[tokio::test]
async fn a_long_text_is_split_with_its_fences_open_again_or_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.md");
    let text = format!("Before.\n\n```sh\n{}```\n", "echo one more line\n".repeat(1000));
    std::fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    let sent = taken(&calls(&render(&[path, "--long-answer", "0"], ""))).await;
    assert!(sent.len() > 4, "{}", sent.len());
    for part in &sent[1..] {
        assert!(part.entities.iter().any(|e| e.kind == EntityKind::Pre { language: Some("sh".into()) }));
    }
    let lines: usize = sent.iter().map(|part| part.text.matches("echo one more line").count()).sum();
    assert_eq!(lines, 1000);
    let calls = calls(&render(&[path], ""));
    assert_eq!((calls.len(), calls[0]["method"].as_str()), (2, Some("sendMessage")));
    assert!(calls[0]["text"].as_str().unwrap().ends_with("📎 The whole answer is attached."));
    let whole = json!({ "method": "sendDocument", "document": "answer.md", "content": text });
    assert_eq!(calls[1], whole);
}

#[test]
fn what_cannot_be_read_is_said() {
    let output = render(&["/nowhere/at/all.md"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read /nowhere/at/all.md"));
}
