//! Several bots in one process: each receives by itself.

use argus_telegram_bot::BotToken;
use argus_testkit::bot_api::Fault;
use serde_json::json;

use crate::stage::{LIMIT, Stage};

#[tokio::test]
async fn one_refused_bot_does_not_stop_the_other() {
    let mut stage = Stage::set().await;
    let second = stage.api.another("77:OTHER", "other_bot");
    stage.config.tokens.push(BotToken::parse("77:OTHER").unwrap());
    stage.api.fail_while("getMe", Fault::Unauthorized);
    let _running = stage.run();
    second.push_text(&stage.chat, &stage.ann, "to the second");
    let log = stage.gateway.wait("the second bot's message", |log| !log.taken.is_empty()).await;
    assert_eq!((&log.taken[0]["bot"], &log.taken[0]["text"]), (&json!("77"), &json!("to the second")));
    stage.reported("unauthorized").await;
    stage.api.heal("getMe");
    stage.write("to the first");
    let log = stage.gateway.wait("the first bot's message", |log| log.taken.len() >= 2).await;
    assert_eq!(log.taken[1]["bot"], json!("4242424242"));
    stage.api.wait_calls("setMyCommands", 2, LIMIT).await;
}
