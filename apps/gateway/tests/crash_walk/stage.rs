//! What every walk has: a gateway and a bot that are held at one step, one of them killed there, and started again.

use std::path::PathBuf;

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{eventually, kill_9};
use tempfile::TempDir;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Bot,
    Gateway,
    Bridge,
}

/// Ada's chat, warmed up with one message.
pub(crate) struct Stage {
    pub(crate) api: BotApi,
    pub(crate) gateway: Gateway,
    pub(crate) ada: User,
    pub(crate) chat: Chat,
    bot: Bot,
    step: String,
    marks: TempDir,
}

impl Stage {
    /// Everything started, to be held at that step.
    pub(crate) async fn held_at(step: &str, settings: &[(&str, &str)]) -> Self {
        Self::warmed_up(step, settings, "[say: answer zero]", "answer zero").await
    }

    /// The same with another first message, which is answered so.
    pub(crate) async fn warmed_up(
        step: &str,
        settings: &[(&str, &str)],
        first: &str,
        answered: &str,
    ) -> Self {
        let (api, marks) = (BotApi::start("42:TEST"), tempfile::tempdir().expect("a folder for the test"));
        let ada = User::new(7, "Ada");
        let chat = Chat::private(&ada);
        let mut gateway = Gateway::new()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7")
            .with("ARGUS_CRASH_HOLD", step)
            .with("ARGUS_CRASH_DIR", marks.path())
            .with_wiretap();
        for (name, value) in settings {
            gateway.set(name, value);
        }
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        bot.set("ARGUS_CRASH_HOLD", step);
        bot.set("ARGUS_CRASH_DIR", marks.path());
        bot.start();
        let stage = Self { api, gateway, ada, chat, bot, step: step.to_owned(), marks };
        stage.say(first);
        stage.reads(answered).await;
        stage
    }

    /// Ada writes.
    pub(crate) fn say(&self, text: &str) {
        self.api.push_text(&self.chat, &self.ada, text);
    }

    fn mark(&self, end: &str) -> PathBuf {
        let name = self.step.split(':').next().unwrap_or(&self.step);
        self.marks.path().join(format!("{name}.{end}"))
    }

    /// Waits until the step is reached; kills the victim there, lets everybody else go on, and starts it again.
    pub(crate) async fn kill_there(&mut self, victim: Victim) {
        eventually(&self.step, async || self.mark("held").exists().then_some(())).await;
        match victim {
            Victim::Bot => self.bot.kill(),
            Victim::Gateway => self.gateway.kill(),
            Victim::Bridge => self.gateway.processes("argus-runtime-b").into_iter().for_each(kill_9),
        }
        std::fs::write(self.mark("go"), "").expect("the test's own folder");
        match victim {
            Victim::Bot => {
                self.bot.set("ARGUS_CRASH_HOLD", "");
                self.bot.start();
            }
            Victim::Gateway => {
                self.gateway.set("ARGUS_CRASH_HOLD", "");
                self.gateway.restart().await;
            }
            // The gateway makes another.
            Victim::Bridge => {}
        }
    }

    /// Whether a further message is answered once.
    pub(crate) async fn goes_on(&self) -> bool {
        self.say("[say: answer two]");
        self.reads("answer two").await;
        self.shown("answer two").len() == 1
    }

    /// Waits until a message in the chat says so.
    pub(crate) async fn reads(&self, part: &str) {
        eventually(part, async || (!self.shown(part).is_empty()).then_some(())).await;
    }

    /// The messages in the chat that say so now.
    pub(crate) fn shown(&self, part: &str) -> Vec<Sent> {
        self.api.shown_in(&self.chat).into_iter().filter(|one| one.text.contains(part)).collect()
    }
}

/// One line of the table, and how it counts.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) step: String,
    pub(crate) victim: Victim,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    /// What else is wrong, in words.
    pub(crate) wrong: Option<String>,
}

/// Prints the table; what is lost, and what is doubled where `may_repeat` does not allow it, ends the test.
pub(crate) fn judge(what: &str, tallies: Vec<Tally>, may_repeat: impl Fn(&str, Victim) -> bool) {
    println!("{what}\n{:<24} {:<8} {:>4} {:>7}", "held at", "killed", "lost", "doubled");
    let (mut lost, mut doubled, mut wrong) = (0, 0, Vec::new());
    for tally in tallies {
        let victim = format!("{:?}", tally.victim);
        println!("{:<24} {victim:<8} {:>4} {:>7}", tally.step, tally.lost, tally.doubled);
        (lost, doubled) = (lost + tally.lost, doubled + tally.doubled);
        let most = usize::from(may_repeat(&tally.step, tally.victim));
        if tally.lost > 0 || tally.doubled > most || tally.wrong.is_some() {
            wrong.push(format!("{tally:?}"));
        }
    }
    println!("lost {lost}, doubled {doubled} (the one whose confirmation was cut off may come twice)");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
