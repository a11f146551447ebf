//! What goes on by itself for as long as the gateway serves.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::automation::Automation;
use crate::chat::Chats;
use crate::delivery::Deliveries;
use crate::devices::Devices;
use crate::sessions::Sessions;
use crate::store::ledger::Ledger;

/// Whoever has something to do by itself.
pub(super) struct Rounds {
    /// Ends tokens that expire.
    pub(super) access: Access,
    /// Passes on what was gathered.
    pub(super) chats: Chats,
    /// Sends, where there are bots.
    pub(super) delivery: Option<Deliveries>,
    /// Begins what is due.
    pub(super) automation: Automation,
    /// Tells who came and who is gone.
    pub(super) devices: Devices,
    /// Finds the runtimes that live.
    pub(super) sessions: Sessions,
    /// How long finished rows are kept; `None` = for ever.
    pub(super) retention: Option<Duration>,
}

impl Rounds {
    /// Begins all of it; it ends with `stop`.
    pub(super) fn begin(self, ledger: &Ledger, tasks: &TaskTracker, stop: &CancellationToken) {
        let Self { access, chats, delivery, automation, devices, sessions, retention } = self;
        tasks.spawn(access.run(stop.clone()));
        tasks.spawn({
            let stop = stop.clone();
            async move { chats.gather_albums(stop).await }
        });
        if let Some(delivery) = delivery {
            let stop = stop.clone();
            tasks.spawn(async move { delivery.run(stop).await });
        }
        if let Some(retention) = retention {
            tasks.spawn(prune(ledger.clone(), retention, stop.clone()));
        }
        tasks.spawn({
            let stop = stop.clone();
            async move { automation.run(stop).await }
        });
        tasks.spawn({
            let stop = stop.clone();
            async move { devices.watch(stop).await }
        });
        tasks.spawn(adopt(sessions, stop.clone()));
    }
}

/// Goes on with the runtimes that outlived the last gateway, as soon as they can be told.
async fn adopt(sessions: Sessions, stop: CancellationToken) {
    let mut pause = Duration::from_secs(1);
    loop {
        match sessions.adopt_running().await {
            Ok(true) => return,
            Ok(false) => tracing::debug!("not every runtime can be told yet"),
            Err(error) => tracing::warn!(%error, "runtimes that live cannot be told yet"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// Forgets finished rows once a day.
async fn prune(ledger: Ledger, retention: Duration, stop: CancellationToken) {
    let days = u32::try_from(retention.as_secs() / 86_400).unwrap_or(u32::MAX);
    let mut daily = tokio::time::interval(Duration::from_hours(24));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = daily.tick() => {}
        }
        match ledger.prune(crate::clock::unix_ms(), days).await {
            Ok(pruned) => tracing::debug!(?pruned, "finished rows were forgotten"),
            Err(error) => tracing::warn!(%error, "finished rows could not be forgotten"),
        }
    }
}
