//! How messages come: by webhook, and to several bots of one process.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::PATIENCE;

fn gateway(api: &BotApi, tokens: &str) -> Gateway {
    Gateway::new()
        .with("TELEGRAM_BOT_TOKEN", tokens)
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7")
}

#[tokio::test]
async fn telegram_brings_messages_to_a_webhook_and_they_are_answered() {
    let api = BotApi::start("42:TEST");
    let gateway = gateway(&api, "42:TEST").start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut bot = Bot::new(&api, &gateway);
    bot.set("TELEGRAM_WEBHOOK_URL", "https://bot.example/argus");
    bot.set("TELEGRAM_WEBHOOK_BIND", &free);
    bot.start();
    let ada = User::new(7, "Ada");
    let chat = Chat::private(&ada);
    for n in 1..=2 {
        api.wait_calls("setWebhook", n, PATIENCE).await;
        api.push_text(&chat, &ada, &format!("[say: brought {n}]"));
        // The proxy before the bot takes the folder away that its public address has.
        api.bring_to(&free, "/argus").await;
        api.wait_text(&format!("brought {n}"), PATIENCE).await;
        bot.kill();
        bot.start();
    }
    assert!(api.calls_of("getUpdates").is_empty());
    assert_eq!((gateway.turns().len(), api.pending_updates()), (2, 0));
}

#[tokio::test]
async fn two_bots_of_one_process_answer_each_for_itself() {
    let first = BotApi::start("42:TEST");
    let second = first.another("77:OTHER", "other_bot");
    let gateway = gateway(&first, "42:TEST,77:OTHER").start().await;
    let mut bot = Bot::new(&first, &gateway);
    bot.set("TELEGRAM_BOT_TOKEN", "42:TEST,77:OTHER");
    bot.start();
    let ada = User::new(7, "Ada");
    let chat = Chat::private(&ada);
    for (api, word) in [(&second, "second"), (&first, "first")] {
        api.push_text(&chat, &ada, &format!("[say: by the {word}]"));
        api.wait_text(&format!("by the {word}"), PATIENCE).await;
    }
    assert_eq!((first.sent().len(), second.sent().len()), (1, 1));
    let threads: Vec<_> = gateway.turns().into_iter().map(|turn| turn.thread).collect();
    assert_ne!(threads[0], threads[1], "a person's chats with two bots are two chats");
}
