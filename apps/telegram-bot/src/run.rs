//! All bots of one process: each receives by itself, and none waits for another.

use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::BotConfig;
use crate::gateway::Gateway;
use crate::receiver::Receiver;
use crate::webhook::{self, Door, Doors};

/// Receives until `stop` is cancelled. An unreachable Telegram or gateway, a refused token, another poller: none of
/// these ends it; it says what is wrong and tries again. An error means that it could not start at all.
pub async fn run(config: BotConfig, stop: CancellationToken) -> anyhow::Result<()> {
    let gateway = Gateway::new(&config).context("no HTTP client for the gateway can be made")?;
    let gateway = Arc::new(gateway);
    let mut receivers = JoinSet::new();
    let mut doors = Vec::new();
    for token in &config.tokens {
        let receiver = Receiver::new(&config, token, gateway.clone());
        let receiver = Arc::new(receiver.context("no HTTP client for Telegram can be made")?);
        tracing::info!(bot.id = receiver.id(), gateway = %config.gateway_url, "receiving from Telegram");
        receivers.spawn({
            let receiver = receiver.clone();
            async move { receiver.keep_telling().await }
        });
        match &config.reception.webhook {
            None => _ = receivers.spawn(async move { receiver.poll().await }),
            Some(webhook) => {
                let door = Arc::new(Door::new(receiver));
                doors.push(door.clone());
                let webhook = webhook.clone();
                receivers.spawn(async move { door.keep_open(&webhook).await });
            }
        }
    }
    if let Some(hook) = config.reception.webhook {
        let listener = webhook::listen(&hook).await?;
        let doors = Doors::new(doors, hook.secret, config.pace);
        receivers.spawn(webhook::serve(listener, doors));
    }
    // Whatever is cut off here comes again: it is not confirmed.
    stop.run_until_cancelled(async {
        while let Some(ended) = receivers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of receiving ended; please report this");
            }
        }
    })
    .await;
    Ok(())
}
