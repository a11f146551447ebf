//! Who may talk to us, decided over the wire; and what chats ask of the agent itself.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::PATIENCE;
use serde_json::json;

const TOKEN: &str = "42:TEST";

fn with_telegram(gateway: Gateway, api: &BotApi, allowed: &str) -> Gateway {
    gateway
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", allowed)
}

#[tokio::test]
async fn a_stranger_is_let_in_and_sent_away_over_the_wire() {
    let api = BotApi::start(TOKEN);
    let gateway = with_telegram(Gateway::new(), &api, "7").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    let user = User::new(1, "Ada");
    let chat = Chat::private(&user);
    api.push_text(&chat, &user, "[say: hello]");
    api.wait_text("We have not met yet", PATIENCE).await;
    let people = gateway.rpc("argus/pairing/list", json!({})).await["result"].clone();
    assert_eq!(
        (&people["waiting"][0]["id"], &people["waiting"][0]["name"]),
        (&json!("1"), &json!("Ada")),
        "{people}"
    );
    assert_eq!(people["known"][0]["id"], "7", "the setting names them: {people}");
    gateway.rpc("argus/pairing/approve", json!({ "id": "1" })).await;
    api.wait_text("You are let in.", PATIENCE).await;
    api.push_text(&chat, &user, "[say: at work]");
    api.wait_text("at work", PATIENCE).await;
    let again = gateway.rpc("argus/pairing/revoke", json!({ "id": "7" })).await;
    assert!(again["error"]["message"].as_str().unwrap().contains("TELEGRAM_ALLOWED_USER_IDS"), "{again}");
    let revoked = gateway.rpc("argus/pairing/revoke", json!({ "id": "1" })).await;
    assert_eq!(revoked["result"], json!({ "ok": true }));
    let known = gateway.rpc("argus/pairing/list", json!({})).await["result"]["known"].clone();
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    let audit = std::fs::read_to_string(gateway.home().join("gateway/audit.log")).expect("there is an audit");
    for act in ["person approved", "person revoked"] {
        assert!(audit.contains(act), "{audit}");
    }
}

#[tokio::test]
async fn a_chat_is_shown_the_models_of_the_real_codex() {
    let (api, model, user) = (BotApi::start(TOKEN), ModelServer::start(), User::new(7, "Ada"));
    let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return };
    let gateway = with_telegram(gateway, &api, "7").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    api.push_text(&Chat::private(&user), &user, "/model");
    let told = api.wait_text("Effort: default", PATIENCE).await;
    assert!(told.text.starts_with("Model here: "), "{}", told.text);
}
