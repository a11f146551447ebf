//! What is sent to chats: to the one in hand, to one that is named, and to nobody else's.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::PATIENCE;
use serde_json::json;

use super::caller::{Caller, text_of, token_for};

#[tokio::test]
async fn a_message_goes_to_the_chat_in_whose_thread_it_is_sent() {
    let api = BotApi::start("42:TEST");
    let gateway = Gateway::new()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7,8")
        .with("ARGUS_HEARTBEAT_SECONDS", "0")
        .start()
        .await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    let (ada, bob) = (User::new(7, "Ada"), User::new(8, "Bob"));
    for (user, word) in [(&ada, "for Ada"), (&bob, "for Bob")] {
        api.push_text(&Chat::private(user), user, &format!("[say: {word}]"));
        api.wait_text(word, PATIENCE).await;
    }
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let threads: Vec<_> = gateway.turns().into_iter().map(|turn| turn.thread).collect();
    assert_eq!(threads.len(), 2);
    std::fs::write(gateway.home().join("workspace/a.txt"), "hello").unwrap();

    let tell = async |meta: serde_json::Value, arguments: serde_json::Value| {
        let params = json!({ "name": "message_send", "arguments": arguments, "_meta": meta });
        caller.ask("tools/call", params).await["result"].clone()
    };
    let at = async |text: &str| api.wait_text(text, PATIENCE).await.chat_id;
    let sent =
        tell(json!({ "threadId": threads[0] }), json!({ "text": "in hand", "files": [{ "path": "a.txt" }] }))
            .await;
    assert_eq!(text_of(&sent), "It is on its way, as 2 messages.", "{sent}");
    assert_eq!(sent["structuredContent"], json!({ "ok": true, "messages": 2 }));
    assert_eq!(at("in hand").await, 7);
    tell(json!({ "x-codex-turn-metadata": { "thread_id": threads[0] } }), json!({ "text": "by metadata" }))
        .await;
    assert_eq!(at("by metadata").await, 7);
    tell(json!({}), json!({ "text": "to the last" })).await;
    assert_eq!(at("to the last").await, 8);
    tell(json!({ "threadId": threads[0] }), json!({ "text": "by name", "to": "telegram:8" })).await;
    assert_eq!(at("by name").await, 8);
    for (arguments, code) in [
        (json!({ "text": "x", "to": "telegram:9" }), "FORBIDDEN"),
        (json!({}), "INVALID_ARGUMENT"),
        (json!({ "files": [{ "path": "/etc/passwd" }] }), "INVALID_ARGUMENT"),
        (json!({ "files": [{ "path": "gone.txt" }] }), "INVALID_ARGUMENT"),
    ] {
        let result = tell(json!({}), arguments.clone()).await;
        assert_eq!(result["structuredContent"]["error"]["code"], code, "{arguments}: {result}");
    }
    let once = json!({ "text": "once", "idempotencyKey": "k" });
    tell(json!({}), once.clone()).await;
    let again = tell(json!({}), once).await;
    assert_eq!(again["structuredContent"]["messages"], 0);
    assert!(text_of(&again).starts_with("Nothing is sent again"), "{again}");
}
