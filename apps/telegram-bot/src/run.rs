//! The loop: ask Telegram, hand over what came, and only then confirm it by asking further on.

use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use teloxide::Bot;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::{BotConfig, Pace};
use crate::gateway::{CallError, Gateway};
use crate::message::{self, Me, Reading, Update};
use crate::poll::Fault;
use crate::report::Teller;
use crate::{announce, poll, report};

/// Receives until `stop` is cancelled. An unreachable Telegram or gateway, a refused token, another poller: none of
/// these ends it; it says what is wrong and tries again. An error means that it could not start at all.
pub async fn run(config: BotConfig, stop: CancellationToken) -> anyhow::Result<()> {
    let bot = poll::connect(&config).context("no HTTP client for Telegram can be made")?;
    let gateway = Gateway::new(&config).context("no HTTP client for the gateway can be made")?;
    let teller = Teller::new();
    let (id, pace) = (config.token.id(), config.pace);
    let telling = report::keep_telling(&gateway, id, teller.listen(), pace);
    let receiver = Receiver { bot, gateway: &gateway, teller, pace };
    tracing::info!(bot.id = id, gateway = %config.gateway_url, "receiving from Telegram");
    // Whatever is cut off here comes again: it is not confirmed.
    stop.run_until_cancelled(async { tokio::join!(receiver.receive(id), telling) }).await;
    Ok(())
}

struct Receiver<'a> {
    bot: Bot,
    gateway: &'a Gateway,
    teller: Teller,
    pace: Pace,
}

impl Receiver<'_> {
    async fn receive(self, id: u64) {
        let me = self.insist(|| poll::who_am_i(&self.bot, id)).await;
        tracing::info!(bot.id = id, bot.name = %me.username, "Telegram knows the bot");
        tokio::join!(announce::commands(&self.bot), self.pass_on(&me));
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
    async fn insist<T, F: Future<Output = Result<T, Fault>>>(&self, ask: impl Fn() -> F) -> T {
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
    async fn hand_over(&self, update: &Update, me: &Me) {
        let reading = message::read(update, me);
        if let Reading::Nothing(why) = reading {
            tracing::debug!(update.id, why, "an update is left alone");
            return;
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
            Reading::Moved(moved) => self.gateway.moved(moved).await,
            Reading::Nothing(_) => Ok(()),
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
