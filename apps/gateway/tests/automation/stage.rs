//! What every test here has: Ada, whose chat is the home, and everything started for her.

use std::path::PathBuf;

use argus_testkit::app_server::{AcceptedTurn, TurnEntry};
use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::Value;

pub(crate) struct Stage {
    pub(crate) api: BotApi,
    pub(crate) gateway: Gateway,
    pub(crate) ada: User,
    pub(crate) chat: Chat,
    _bot: Bot,
}

impl Stage {
    /// Everything started with these settings. No heartbeat comes of itself unless one is set.
    pub(crate) async fn set(settings: &[(&str, &str)]) -> Self {
        let (api, ada) = (BotApi::start("42:TEST"), User::new(7, "Ada"));
        let mut gateway = Gateway::new()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7,8")
            .with("TELEGRAM_OPERATOR_USER_IDS", "7")
            .with("TELEGRAM_STREAMING", "off")
            .with("ARGUS_HEARTBEAT_SECONDS", "0");
        for (name, value) in settings {
            gateway.set(name, value);
        }
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        bot.start();
        let chat = Chat::private(&ada);
        let stage = Self { api, gateway, ada, chat, _bot: bot };
        stage.say("[say: welcome]");
        stage.reads("welcome").await;
        stage
    }

    /// Ada writes to the bot.
    pub(crate) fn say(&self, text: &str) {
        self.api.push_text(&self.chat, &self.ada, text);
    }

    /// Waits for a message of the bot with these words.
    pub(crate) async fn reads(&self, part: &str) -> Sent {
        self.api.wait_text(part, PATIENCE).await
    }

    /// What the bot said to Ada, in order, without the welcome.
    pub(crate) fn said(&self) -> Vec<String> {
        self.api.sent_to(&self.chat).into_iter().map(|sent| sent.text).skip(1).collect()
    }

    /// The result of a method.
    pub(crate) async fn rpc(&self, method: &str, params: Value) -> Value {
        let reply = self.gateway.rpc(method, params).await;
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// The words with which a method is refused.
    pub(crate) async fn refused(&self, method: &str, params: Value) -> String {
        let reply = self.gateway.rpc(method, params).await;
        reply["error"]["message"].as_str().unwrap_or_else(|| panic!("{method}: {reply}")).to_owned()
    }

    pub(crate) fn workspace(&self, name: &str) -> PathBuf {
        self.gateway.home().join("workspace").join(name)
    }

    /// Writes a file of the workspace.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.workspace(name), text).expect("the test's own workspace");
    }

    /// The turns that the agent began with these words somewhere in their text, once there are that many.
    pub(crate) async fn turns_with(&self, part: &str, count: usize) -> Vec<AcceptedTurn> {
        eventually(part, async || Some(self.begun_with(part)).filter(|turns| turns.len() >= count)).await
    }

    /// The same as of now.
    pub(crate) fn begun_with(&self, part: &str) -> Vec<AcceptedTurn> {
        let turns = self.gateway.turns().into_iter();
        turns.filter(|turn| turn.entry == TurnEntry::Started && turn.text.contains(part)).collect()
    }

    /// One more exchange: whatever was to be told before is told then.
    pub(crate) async fn comes_after(&self) {
        self.say("/whoami");
        self.reads("Name: Ada").await;
    }
}
