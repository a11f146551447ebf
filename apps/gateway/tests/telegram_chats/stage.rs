//! What every test here has: Ada, who is the operator, Bob, and everything started for them.

use std::path::PathBuf;

use argus_testkit::app_server::AcceptedTurn;
use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use argus_testkit::prompt::own_text;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Stage {
    pub(crate) api: BotApi,
    pub(crate) gateway: Gateway,
    pub(crate) ada: User,
    pub(crate) bob: User,
    /// Ada's chat with the bot.
    pub(crate) chat: Chat,
    bot: Bot,
    marks: TempDir,
}

impl Stage {
    /// Everything started, with these settings for gateway and bot alike; answers come whole.
    pub(crate) async fn set(settings: &[(&str, &str)]) -> Self {
        let api = BotApi::start("42:TEST");
        let mut gateway = Gateway::new()
            .with_wiretap()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7,8")
            .with("TELEGRAM_OPERATOR_USER_IDS", "7")
            .with("TELEGRAM_STREAMING", "off");
        for (name, value) in settings {
            gateway.set(name, value);
        }
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        for (name, value) in settings {
            bot.set(name, value);
        }
        bot.start();
        let (ada, bob) = (User::new(7, "Ada"), User::new(8, "Bob"));
        let chat = Chat::private(&ada);
        let marks = tempfile::tempdir().expect("a folder for the test");
        Self { api, gateway, ada, bob, chat, bot, marks }
    }

    /// Ends the bot's process as a power cut would.
    pub(crate) fn kill_bot(&mut self) {
        self.bot.kill();
    }

    /// Starts it again.
    pub(crate) fn start_bot(&mut self) {
        self.bot.start();
    }

    /// What `/readyz` tells.
    pub(crate) async fn ready(&self) -> Value {
        let url = format!("{}/readyz", self.gateway.url());
        let asked = reqwest::Client::new().get(url).bearer_auth(self.gateway.token()).send();
        asked.await.expect("the gateway answers").json().await.expect("an answer in JSON")
    }

    /// Ada writes to the bot alone; the number of her message.
    pub(crate) fn say(&self, text: &str) -> i64 {
        self.api.push_text(&self.chat, &self.ada, text);
        self.api.last_message(&self.chat)
    }

    /// Waits for a message of the bot with these words.
    pub(crate) async fn reads(&self, part: &str) -> Sent {
        self.api.wait_text(part, PATIENCE).await
    }

    /// What the bot has said in a chat, in order.
    pub(crate) fn said(&self, chat: &Chat) -> Vec<String> {
        self.api.sent_to(chat).into_iter().map(|sent| sent.text).collect()
    }

    /// Waits until a chat shows these words in some message, edited or not.
    pub(crate) async fn shows(&self, chat: &Chat, part: &str) -> Sent {
        eventually(part, async || self.api.shown_in(chat).into_iter().find(|sent| sent.text.contains(part)))
            .await
    }

    /// Somebody presses the button with that text; what they are told.
    pub(crate) async fn press(&self, chat: &Chat, who: &User, below: &Sent, button: &str) -> String {
        let buttons = below.buttons().concat();
        let (_, data) = buttons
            .iter()
            .find(|(text, _)| text.contains(button))
            .unwrap_or_else(|| panic!("no button {button:?} in {buttons:?}"));
        let (_, press) = self.api.push_press(chat, who, below.message_id, data);
        let told = eventually("the press is answered", async || {
            self.api.answered().into_iter().find(|answered| answered.callback_query_id == press)
        });
        told.await.text.unwrap_or_default()
    }

    /// Every input that the agent took, once there are that many.
    pub(crate) async fn turns(&self, count: usize) -> Vec<AcceptedTurn> {
        eventually("the agent took it", async || {
            Some(self.gateway.turns()).filter(|turns| turns.len() >= count)
        })
        .await
    }

    /// The same in the words that people said, with what was put around them for clearness.
    pub(crate) async fn told(&self, count: usize) -> Vec<String> {
        let turns = self.turns(count).await;
        turns.iter().map(|turn| own_text(&turn.text).to_owned()).collect()
    }

    /// What the agent was asked by a method, in order.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        let heard = self.gateway.heard().into_iter();
        heard.filter(|line| line["method"] == method).map(|mut line| line["params"].take()).collect()
    }

    /// A file for `[hold: …]`, which is not there before [`Stage::release`].
    pub(crate) fn mark(&self, name: &str) -> PathBuf {
        self.marks.path().join(name)
    }

    /// The control word that holds a turn until [`Stage::release`].
    pub(crate) fn held(&self, name: &str) -> String {
        format!("[hold: {}]", self.mark(name).display())
    }

    /// Lets a held turn go on.
    pub(crate) fn release(&self, name: &str) {
        std::fs::write(self.mark(name), "").expect("the test's own folder");
    }

    /// One more exchange with Ada: whatever was said before is done with then, for updates keep their order.
    pub(crate) async fn comes_after(&self) {
        self.say("/whoami");
        self.reads("Name: Ada").await;
    }
}
