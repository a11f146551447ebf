//! Tells the gateway how the receiving side stands, without ever holding it up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argus_protocol::argus::channel::{ReceiverState, Report};
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::config::Pace;
use crate::gateway::Gateway;
use crate::poll::Fault;

/// How receiving stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Receiving {
    /// Telegram has not answered yet, nor refused.
    #[default]
    Unknown,
    /// Messages come in.
    Well,
    /// None come in.
    Failing(Fault),
}

/// How receiving stands, and when it was well last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    now: Receiving,
    last_poll_ms: Option<u64>,
}

/// The side that knows how it stands.
#[derive(Debug)]
pub(crate) struct Teller(watch::Sender<Standing>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Standing::default()))
    }

    pub(crate) fn listen(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }

    /// A poll was answered.
    pub(crate) fn answered(&self) {
        if self.0.borrow().now != Receiving::Well {
            tracing::info!("Telegram answers; messages come in");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last_poll_ms = Some(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        self.0.send_replace(Standing { now: Receiving::Well, last_poll_ms });
    }

    /// How long Telegram may hold the next poll: not at all when only its answer can show that things are well (again).
    /// Two pollers, though, would take turns at looking well.
    pub(crate) fn hold(&self, usual: Duration) -> Duration {
        match &self.0.borrow().now {
            Receiving::Unknown => Duration::ZERO,
            Receiving::Failing(fault) if fault.state() != ReceiverState::Conflict => Duration::ZERO,
            Receiving::Failing(_) | Receiving::Well => usual,
        }
    }

    /// A call failed; logged when it is another fault than before.
    pub(crate) fn failed(&self, fault: &Fault) {
        let now = Receiving::Failing(fault.clone());
        if self.0.borrow().now == now {
            tracing::debug!(%fault, "still no messages");
            return;
        }
        match fault.state() {
            ReceiverState::Conflict | ReceiverState::Unauthorized => {
                tracing::error!(%fault, "no messages come in");
            }
            ReceiverState::Ok | ReceiverState::Unreachable => tracing::warn!(%fault, "no messages come in"),
        }
        self.0.send_modify(|standing| standing.now = now);
    }
}

/// Reports every change at once and the same standing again from time to time, because a restarted gateway has forgotten
/// it. Ends when the teller is gone.
pub(crate) async fn keep_telling(
    gateway: &Gateway,
    bot: u64,
    mut standing: watch::Receiver<Standing>,
    pace: Pace,
) {
    let mut backoff = Backoff::new(&pace);
    let mut told = Receiving::Unknown;
    let mut last = None;
    loop {
        let limit = if told == Receiving::Unknown { Duration::MAX } else { pace.report };
        let changed = standing.wait_for(|standing| standing.now != told);
        if let Ok(Err(_gone)) = tokio::time::timeout(limit, changed).await {
            return;
        }
        let now = standing.borrow_and_update().clone();
        if let Err(error) = gateway.report(&report(bot, &now)).await {
            // Before any message waits, so that a wrong token is not found out by the first person who writes.
            if last.as_ref() != Some(&error) {
                tracing::warn!(%error, "the gateway does not hear us; messages will wait at Telegram");
                last = Some(error);
            }
            tokio::time::sleep(backoff.next()).await;
            continue;
        }
        if last.take().is_some() {
            tracing::info!("the gateway hears us again");
        }
        backoff.reset();
        told = now.now;
    }
}

fn report(bot: u64, standing: &Standing) -> Report {
    let (state, detail) = match &standing.now {
        Receiving::Unknown | Receiving::Well => (ReceiverState::Ok, None),
        Receiving::Failing(fault) => (fault.state(), Some(fault.to_string())),
    };
    let (channel, last_poll_ms) = ("telegram".to_owned(), standing.last_poll_ms);
    Report { channel, bot: bot.to_string(), state, last_poll_ms, detail }
}
