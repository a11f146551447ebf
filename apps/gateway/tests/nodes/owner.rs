//! A real device that asks its owner in Telegram before it does anything.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::device::{Device, invoke};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::{Value, json};

/// Ada, who is the operator, her bot, and her device.
struct Scene {
    api: BotApi,
    gateway: Gateway,
    _bot: Bot,
    ada: User,
    chat: Chat,
    device: Device,
}

impl Scene {
    async fn set() -> Self {
        let (api, ada) = (BotApi::start("42:TEST"), User::new(7, "Ada"));
        let chat = Chat::private(&ada);
        let gateway = Gateway::new()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7");
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        bot.start();
        api.push_text(&chat, &ada, "[say: welcome]");
        api.wait_text("welcome", PATIENCE).await;
        let mut device = Device::enrolled(&gateway, "mac").await;
        device.say(&["--mode", "ask"]);
        device.start(&gateway).await;
        Self { api, gateway, _bot: bot, ada, chat, device }
    }

    /// Has a file made on the device; what comes of it when the owner presses the button that shows these words.
    async fn make(&self, name: &str, button: &str) -> Value {
        let file = self.device.folder().join(name);
        let params = json!({ "argv": ["touch", file] });
        let call = invoke(&self.gateway, "mac", "system.run", params);
        let press = async {
            let question = self.question(name).await;
            assert!(!file.exists(), "nothing is done before the owner says yes");
            let buttons = question.buttons().concat();
            let (_, data) = buttons.iter().find(|(text, _)| text.contains(button)).unwrap();
            self.api.push_press(&self.chat, &self.ada, question.message_id, data);
        };
        let (told, ()) = tokio::join!(call, press);
        told["result"].clone()
    }

    async fn question(&self, part: &str) -> Sent {
        eventually("the owner is asked", async || {
            let shown = self.api.shown_in(&self.chat);
            shown.into_iter().find(|one| one.text.contains(part) && !one.buttons().is_empty())
        })
        .await
    }
}

#[tokio::test]
async fn what_the_owner_allows_in_telegram_is_done_and_what_they_deny_is_not() {
    let scene = Scene::set().await;
    let told = scene.make("allowed", "Allow").await;
    assert_eq!((&told["ok"], &told["payload"]["exitCode"]), (&json!(true), &json!(0)), "{told}");
    assert!(scene.device.folder().join("allowed").exists());
    let told = scene.make("denied", "Deny").await;
    assert_eq!((&told["ok"], &told["error"]["code"]), (&json!(false), &json!("NOT_APPROVED")), "{told}");
    assert!(!scene.device.folder().join("denied").exists());
    let audit = std::fs::read_to_string(scene.device.folder().join("state/audit.log")).unwrap_or_default();
    assert!(audit.contains("telegram:Ada"), "who said yes is noted: {audit}");
}
