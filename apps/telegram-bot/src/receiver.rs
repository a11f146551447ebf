//! One bot's loop: ask Telegram, hand over what came, and only then confirm it by asking further on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::argus::chat::Pressed;
use teloxide::Bot;

use crate::backoff::Backoff;
use crate::config::{BotConfig, BotToken, Groups, Pace};
use crate::gateway::{CallError, Gateway};
use crate::poll::Fault;
use crate::report::Teller;
use crate::update::{self, Me, Reading, Update};
use crate::{announce, poll, report};

/// One bot.
pub(crate) struct Receiver {
    bot: Bot,
    id: u64,
    groups: Groups,
    gateway: Arc<Gateway>,
    pub(crate) teller: Teller,
    pub(crate) pace: Pace,
}

impl Receiver {
    pub(crate) fn new(config: &BotConfig, token: &BotToken, gateway: Arc<Gateway>) -> reqwest::Result<Self> {
        let bot = poll::connect(config, token)?;
        let (groups, pace) = (config.reception.groups, config.pace);
        Ok(Self { bot, id: token.id(), groups, gateway, teller: Teller::new(), pace })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn bot(&self) -> &Bot {
        &self.bot
    }

    /// Tells the gateway how receiving stands, as long as this lives.
    pub(crate) async fn keep_telling(&self) {
        report::keep_telling(&self.gateway, self.id, self.teller.listen(), self.pace).await;
    }

    /// Asks Telegram for updates, for ever.
    pub(crate) async fn poll(&self) {
        let me = self.meet().await;
        tokio::join!(self.announce(), self.pass_on(&me));
    }

    /// Finds out who we are.
    pub(crate) async fn meet(&self) -> Me {
        let username = self.insist(|| poll::name(&self.bot)).await;
        tracing::info!(bot.id = self.id, bot.name = %username, "Telegram knows the bot");
        Me { id: self.id, username, groups: self.groups }
    }

    /// Tells Telegram the commands.
    pub(crate) async fn announce(&self) {
        announce::commands(&self.bot).await;
    }

    async fn pass_on(&self, me: &Me) {
        // The first question names no offset: what waited while we were away is answered too.
        let mut offset = None;
        loop {
            let hold = || self.teller.hold(self.pace.poll);
            let updates = self.insist(|| poll::updates(&self.bot, offset, hold(), self.pace.overdue)).await;
            self.teller.answered();
            for update in &updates {
                self.hand_over(update, me).await;
            }
            // Not the highest ever seen: after a quiet week Telegram may begin anew with lower ids, and a higher offset
            // would confirm none of them.
            let newest = updates.iter().map(|update| update.id).max();
            offset = newest.map(|id| id.saturating_add(1)).or(offset);
        }
    }

    /// Asks Telegram until it answers.
    pub(crate) async fn insist<T, F: Future<Output = Result<T, Fault>>>(&self, ask: impl Fn() -> F) -> T {
        let mut backoff = Backoff::new(&self.pace);
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(fault) => {
                    self.teller.failed(&fault);
                    tokio::time::sleep(fault.wait(&self.pace).unwrap_or_else(|| backoff.next())).await;
                }
            }
        }
    }

    /// Returns when the update may be confirmed: the gateway has it, or it is nothing for the gateway.
    pub(crate) async fn hand_over(&self, update: &Update, me: &Me) {
        let reading = update::read(update, me);
        match &reading {
            Reading::Nothing(why) => {
                tracing::debug!(update.id, why, "an update is left alone");
                return;
            }
            Reading::Standing(what) => {
                tracing::info!(bot.id = self.id, what, "the bot's standing in a chat changed");
                return;
            }
            Reading::Vain(query) => return poll::answer_press(&self.bot, query, &Pressed::default()).await,
            Reading::Message(_) | Reading::Press(..) | Reading::Moved(_) => {}
        }
        argus_crash_point::here("bot.update_received").await;
        self.deliver(update.id, &reading).await;
        argus_crash_point::here("bot.handed_over").await;
    }

    /// One call of the gateway.
    async fn tell(&self, update: i64, reading: &Reading) -> Result<(), CallError> {
        match reading {
            Reading::Message(message) => {
                let received = self.gateway.receive(message).await?;
                tracing::debug!(update.id = update, disposition = ?received.disposition, "handed over");
                Ok(())
            }
            Reading::Press(press, query) => {
                let pressed = self.gateway.press(press).await?;
                tracing::debug!(update.id = update, "a press was handed over");
                poll::answer_press(&self.bot, query, &pressed).await;
                Ok(())
            }
            Reading::Moved(moved) => self.gateway.moved(moved).await,
            Reading::Vain(_) | Reading::Standing(_) | Reading::Nothing(_) => Ok(()),
        }
    }

    /// Tries until the gateway has it or says that it never will.
    async fn deliver(&self, update: i64, reading: &Reading) {
        let mut backoff = Backoff::new(&self.pace);
        let mut last = None;
        loop {
            let Err(error) = self.tell(update, reading).await else { return };
            let wait: Duration = match &error {
                CallError::Refused(_) => {
                    tracing::error!(update.id = update, %error, "a message is lost");
                    if let Reading::Press(_, query) = reading {
                        poll::answer_press(&self.bot, query, &Pressed::default()).await;
                    }
                    return;
                }
                CallError::Misconfigured(_) => self.pace.retry_slow,
                CallError::Unavailable(_) => backoff.next(),
            };
            // One line for each new reason; Telegram keeps the messages meanwhile.
            if last.as_ref() != Some(&error) {
                tracing::warn!(update.id = update, %error, "a message waits for the gateway");
                last = Some(error);
            }
            tokio::time::sleep(wait).await;
        }
    }
}
