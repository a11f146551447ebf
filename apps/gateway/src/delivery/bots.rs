//! The sending sides of all bots, over one ledger.

use std::sync::Arc;

use argus_protocol::SubmissionId;
use argus_session::{ChatRef, Progress};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Health, Kept, Limits};
use crate::config::LiveConfig;
use crate::store::ledger::Ledger;
use crate::telegram::{CHANNEL, Telegram};

/// How messages go.
#[derive(Clone, Debug)]
pub struct DeliveryConfig {
    /// How many.
    pub limits: Limits,
    /// How answers grow.
    pub live: LiveConfig,
    /// The files that wait to be sent.
    pub kept: Kept,
}

/// The sending sides of all bots. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Deliveries(Arc<All>);

struct All {
    ledger: Ledger,
    kept: Kept,
    bots: Vec<Delivery>,
}

impl Deliveries {
    /// Delivery of what the ledger's outbox holds for these bots, in the order in which they are named.
    pub fn new(ledger: Ledger, bots: Vec<Telegram>, config: &DeliveryConfig) -> Self {
        let bots = bots.into_iter().map(|bot| Delivery::new(ledger.clone(), bot, config.clone())).collect();
        Self(Arc::new(All { ledger, kept: config.kept.clone(), bots }))
    }

    /// Puts in order what was left behind. To be called before anything new is put out.
    ///
    /// What waits for a bot that another one has replaced can never be sent: nobody has its token any more. And files that
    /// no row waits for go.
    pub async fn tidy(&self) {
        let bots: Vec<_> = self.0.bots.iter().map(|bot| bot.bot_id().to_owned()).collect();
        let words = format!("{} has taken this bot's place", bots.join(", "));
        match self.0.ledger.fail_other_bots(CHANNEL, &bots, &words).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::warn!(count, "messages of a former bot cannot be delivered; they are given up");
            }
            Err(error) => tracing::error!(%error, "messages of a former bot could not be given up"),
        }
        let waiting = match self.0.ledger.files_waiting(None).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%error, "the files that wait cannot be told");
                return;
            }
        };
        match self.0.kept.keep_only(&waiting).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "files that nobody waits for were removed"),
            Err(error) => tracing::warn!(%error, "files that nobody waits for could not be removed"),
        }
    }

    /// Sends until told to stop.
    pub async fn run(&self, shutdown: CancellationToken) {
        let running = self.0.bots.iter().map(|bot| bot.run(shutdown.clone()));
        futures::future::join_all(running).await;
    }

    /// The sending side of the bot with that id.
    pub fn for_bot(&self, bot: &str) -> Option<&Delivery> {
        self.0.bots.iter().find(|delivery| delivery.bot_id() == bot)
    }

    /// How sending stands, bot by bot.
    pub async fn health(&self) -> Vec<(String, Health)> {
        let mut all = Vec::with_capacity(self.0.bots.len());
        for bot in &self.0.bots {
            all.push((bot.bot_id().to_owned(), bot.health().await));
        }
        all
    }

    /// As [`Delivery::turn_running`], of the chat's own bot.
    pub fn turn_running(&self, chat: &ChatRef) {
        if let Some(delivery) = self.for_bot(&chat.bot) {
            delivery.turn_running(chat);
        }
    }

    /// As [`Delivery::turn_over`].
    pub fn turn_over(&self, chat: &ChatRef) {
        if let Some(delivery) = self.for_bot(&chat.bot) {
            delivery.turn_over(chat);
        }
    }

    /// As [`Delivery::progress`].
    pub fn progress(&self, chat: &ChatRef, submission: &SubmissionId, progress: Progress) {
        if let Some(delivery) = self.for_bot(&chat.bot) {
            delivery.progress(chat, submission, progress);
        }
    }
}
