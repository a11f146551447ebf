//! `argus/message/send`: text and files of a session's workspace for a chat.

use std::fs;
use std::os::unix::fs::symlink;

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Fault, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::{Value, json};

const TOKEN: &str = "42:TEST";

/// A gateway whose workspace holds some files, with Ada (7) as the one it spoke with last, and Bob (8) beside her.
async fn started(api: &BotApi) -> (Gateway, Bot) {
    let gateway = Gateway::new()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7,8");
    let gateway = gateway.start().await;
    let workspace = gateway.home().join("workspace");
    fs::create_dir_all(workspace.join("out")).unwrap();
    for (name, text) in
        [("out/a.png", "png"), ("b.png", "more"), ("c.md", "# c"), ("d.md", "# d"), ("e.ogg", "ogg")]
    {
        fs::write(workspace.join(name), text).unwrap();
    }
    let mut bot = Bot::new(api, &gateway);
    bot.start();
    api.know(&Chat::private(&User::new(8, "Bob")));
    let ada = User::new(7, "Ada");
    api.push_text(&Chat::private(&ada), &ada, "[say: hello]");
    api.wait_text("hello", PATIENCE).await;
    (gateway, bot)
}

async fn send(gateway: &Gateway, params: Value) -> Value {
    gateway.rpc("argus/message/send", params).await
}

/// What came after the first `known` messages: chat, text, kind and name of the file.
async fn came(api: &BotApi, known: usize, count: usize) -> Vec<(i64, String, String)> {
    let all = api.wait_sent(known + count, PATIENCE).await;
    let file = |sent: &argus_testkit::bot_api::Sent| {
        sent.file.as_ref().map(|file| format!("{} {}", file.kind, file.name)).unwrap_or_default()
    };
    all[known..].iter().map(|sent| (sent.chat_id, sent.text.clone(), file(sent))).collect()
}

fn row(chat: i64, text: &str, file: &str) -> (i64, String, String) {
    (chat, text.to_owned(), file.to_owned())
}

#[tokio::test]
async fn text_goes_first_and_files_that_go_together_are_one_message() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api).await;
    let files = json!([
        { "path": "out/a.png", "caption": "**the** first" },
        { "path": "c.md" },
        { "path": "./b.png" },
        { "path": gateway.home().join("workspace/d.md") },
        { "path": "e.ogg", "caption": "long ".repeat(400) },
    ]);
    let params = json!({ "text": "_look_", "files": files, "idempotencyKey": "k1" });
    let reply = send(&gateway, params.clone()).await;
    assert_eq!(reply["result"], json!({ "ok": true, "messages": 5 }), "{reply}");
    let long = "long ".repeat(400).trim().to_owned();
    let expected = [
        row(7, "look", ""),
        row(7, "the first", "photo a.png"),
        row(7, "", "photo b.png"),
        row(7, "", "document c.md"),
        row(7, "", "document d.md"),
        row(7, "", "voice e.ogg"),
        row(7, &long, ""),
    ];
    assert_eq!(came(&api, 1, 7).await, expected);
    let sent = api.sent();
    assert!(sent[2].album.is_some() && sent[2].album == sent[3].album && sent[4].album == sent[5].album);
    assert_ne!(sent[2].album, sent[4].album);
    assert_eq!(sent[2].file.as_ref().unwrap().bytes, "png");
    let again = send(&gateway, params).await;
    assert_eq!(again["result"], json!({ "ok": true, "messages": 0 }), "{again}");
    let kept = gateway.home().join("gateway/outbox");
    eventually("nothing is kept", async || (fs::read_dir(&kept).unwrap().count() == 0).then_some(())).await;
    assert_eq!(api.sent().len(), 8);
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_named_with_the_reason_and_nothing_is_sent() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api).await;
    let workspace = gateway.home().join("workspace");
    symlink("../gateway", workspace.join("way")).unwrap();
    fs::write(workspace.join("empty.txt"), "").unwrap();
    fs::File::create(workspace.join("huge.bin")).unwrap().set_len((50 << 20) + 1).unwrap();
    fs::File::create(workspace.join("large.png")).unwrap().set_len((10 << 20) + 1).unwrap();
    for (path, kind, why) in [
        ("nowhere.txt", None, "there is no such file in the workspace"),
        ("way/token", None, "a link or a file stands where a folder or a file is expected"),
        ("../gateway/token", None, "it leads out of the workspace"),
        ("/etc/hostname", None, "it is outside of the workspace"),
        ("out", None, "it is no file"),
        ("empty.txt", None, "it is empty"),
        ("huge.bin", None, "it has 51 MB, and a file may have 50 at most"),
        ("large.png", Some("photo"), "it has 11 MB, and a photo may have 10 at most; send it as a document"),
    ] {
        let files = json!([{ "path": "c.md" }, { "path": path, "kind": kind }]);
        let reply = send(&gateway, json!({ "text": "x", "files": files })).await;
        let message = reply["error"]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(&format!("'files[1]' `{path}`: {why}")), "{path}: {reply}");
        assert_eq!(reply["error"]["code"], -32602);
    }
    for (params, why) in [
        (json!({}), "there is nothing to send; give 'text', 'files' or both"),
        (json!({ "files": vec![json!({ "path": "c.md" }); 11] }), "'files' has 11 files, more than 10"),
        (
            json!({ "text": "x", "to": { "channel": "irc", "chatKey": "7" } }),
            "'to.channel' `irc` is not known",
        ),
        (json!({ "text": "x", "to": { "channel": "tg", "chatKey": "x" } }), "'to.chatKey': "),
        (json!({ "text": "x", "idempotencyKey": "k".repeat(257) }), "'idempotencyKey' has 257 bytes"),
    ] {
        let reply = send(&gateway, params).await;
        assert!(reply["error"]["message"].as_str().unwrap_or_default().starts_with(why), "{why}: {reply}");
    }
    assert_eq!(fs::read_dir(gateway.home().join("gateway/outbox")).unwrap().count(), 0);
    assert_eq!(api.sent().len(), 1);
}

#[tokio::test]
async fn a_token_for_a_session_sends_to_the_chats_of_that_session_only() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api).await;
    let client = gateway.client("session=default").await;
    let scope = format!("client:{}", client.session);
    let made = gateway.rpc("argus/token/create", json!({ "scope": scope })).await;
    let token = made["result"]["token"].as_str().unwrap().to_owned();
    let as_client = async |params: Value| -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/message/send", "params": params });
        let request = reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(&token);
        request.json(&body).send().await.unwrap().json().await.unwrap()
    };
    let to = |chat: &str| json!({ "channel": "telegram", "chatKey": chat });
    let refused = as_client(json!({ "text": "psst", "to": to("8") })).await;
    assert_eq!(refused["error"]["code"], -32003, "{refused}");
    let other = as_client(json!({ "text": "psst", "sessionId": "ffffffffffff" })).await;
    assert!(other["error"]["message"].as_str().unwrap().contains("this token is for session"), "{other}");
    assert_eq!(as_client(json!({ "text": "hers", "to": to("7") })).await["result"]["messages"], 1);
    assert_eq!(as_client(json!({ "text": "hers too" })).await["result"]["messages"], 1);
    assert_eq!(send(&gateway, json!({ "text": "his", "to": to("8") })).await["result"]["messages"], 1);
    let mut all = came(&api, 1, 3).await;
    all.sort();
    assert_eq!(all, [row(7, "hers", ""), row(7, "hers too", ""), row(8, "his", "")]);
}

#[tokio::test]
async fn what_was_put_out_before_a_kill_is_sent_after_it() {
    let api = BotApi::start(TOKEN);
    let (mut gateway, _bot) = started(&api).await;
    api.fail_while("sendDocument", argus_testkit::bot_api::Fault::DropBeforeAccept);
    let reply = send(&gateway, json!({ "files": [{ "path": "c.md" }] })).await;
    assert_eq!(reply["result"]["messages"], 1, "{reply}");
    api.wait_calls("sendDocument", 1, PATIENCE).await;
    gateway.kill();
    fs::write(gateway.home().join("gateway/outbox/orphan"), "x").unwrap();
    fs::write(gateway.home().join("workspace/c.md"), "changed").unwrap();
    api.heal("sendDocument");
    gateway.restart().await;
    assert_eq!(came(&api, 1, 1).await, [row(7, "", "document c.md")]);
    assert_eq!(api.sent()[1].file.as_ref().unwrap().bytes, "# c");
    let kept = gateway.home().join("gateway/outbox");
    eventually("nothing is kept", async || (fs::read_dir(&kept).unwrap().count() == 0).then_some(())).await;
}

#[tokio::test]
async fn where_nobody_is_to_be_reached_that_is_said() {
    let gateway = Gateway::new().start().await;
    let reply = send(&gateway, json!({ "text": "x" })).await;
    let words = "no Telegram bot is configured; set TELEGRAM_BOT_TOKEN";
    assert_eq!(reply["error"]["message"], words, "{reply}");
}

#[tokio::test]
async fn for_a_chat_that_so_many_messages_wait_for_no_more_is_taken() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api).await;
    api.fail_next("sendMessage", Fault::TooManyRequests { retry_after: 600 });
    for _ in 0..200 {
        assert_eq!(send(&gateway, json!({ "text": "more" })).await["result"]["messages"], 1);
    }
    let refused = send(&gateway, json!({ "text": "one more" })).await;
    let words = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("200 messages wait for this chat already"), "{refused}");
    let to = json!({ "channel": "telegram", "chatKey": "8" });
    assert_eq!(
        send(&gateway, json!({ "text": "hi", "to": to })).await["result"]["messages"],
        1,
        "others have room"
    );
}
