//! How everything stands: what `/readyz` tells the operator.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argus_protocol::argus::channel::{ReceiverState, Report as ReceiverReport};
use async_trait::async_trait;

use crate::clock::unix_ms;
use crate::delivery::{Deliveries, Health as Sending, Token};
use crate::edge::ports::{Receiver, Report, Sender, Standing};
use crate::sessions::Sessions;
use crate::store::ledger::Ledger;

/// A receiver that said nothing for this long is not fine any more, in milliseconds.
const RECEIVER_SILENCE_MS: u64 = 120_000;
/// An answer that waits longer than this to be sent is trouble, in milliseconds.
const OUTBOX_WAIT_MS: u64 = 300_000;
/// With less space than this for the home, in bytes, the operator should act.
const LITTLE_SPACE: u64 = 32 << 20;
/// How long those who have no token are told the same.
const FRESH: Duration = Duration::from_secs(1);
/// Receivers that are remembered.
const MOST_RECEIVERS: usize = 64;

/// Readiness, gathered from everything that can fail.
pub struct Health {
    home: PathBuf,
    ledger: Ledger,
    delivery: Option<Deliveries>,
    sessions: Sessions,
    /// What each receiver said last, and when (unix milliseconds).
    receivers: Mutex<BTreeMap<String, (ReceiverReport, u64)>>,
    /// What those who have no token were told last.
    told: Told,
}

/// An answer that stays the same for a moment. It is held while it is found out: many who ask at once cost one look.
#[derive(Default)]
struct Told(tokio::sync::Mutex<Option<(Instant, bool)>>);

impl Told {
    /// The last answer where it is fresh, else that of `look`.
    async fn or(&self, look: impl Future<Output = bool>) -> bool {
        let mut told = self.0.lock().await;
        if let Some((at, ok)) = *told
            && at.elapsed() < FRESH
        {
            return ok;
        }
        let ok = look.await;
        *told = Some((Instant::now(), ok));
        ok
    }
}

impl Health {
    /// Health of these parts, and of the disk that holds the home.
    pub fn new(home: PathBuf, ledger: Ledger, delivery: Option<Deliveries>, sessions: Sessions) -> Self {
        Self { home, ledger, delivery, sessions, receivers: Mutex::default(), told: Told::default() }
    }

    /// Before the first write fails: on a full disk small ones may go through for a long while yet.
    fn disk(&self) -> Option<String> {
        let disk = rustix::fs::statvfs(&self.home).ok()?;
        let left = disk.f_bavail.saturating_mul(disk.f_frsize);
        let home = self.home.display();
        (left < LITTLE_SPACE)
            .then(|| format!("the disk that holds `{home}` has {} MiB left: free some space", left >> 20))
    }

    fn receivers(&self, now: u64, reasons: &mut Vec<String>) -> Vec<Receiver> {
        let receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        let told = receivers.values().map(|(report, heard)| {
            reasons.extend(trouble(report, now.saturating_sub(*heard)));
            Receiver {
                channel: report.channel.clone(),
                bot: report.bot.clone(),
                state: report.state,
                last_poll_age_ms: report.last_poll_ms.map(|at| now.saturating_sub(at)),
            }
        });
        told.collect()
    }

    /// Each bot's sending side.
    async fn senders(&self, now: u64, reasons: &mut Vec<String>) -> Vec<Sender> {
        let Some(delivery) = &self.delivery else { return Vec::new() };
        let all = delivery.health().await;
        let several = all.len() > 1;
        let sender = |(bot, state): (String, Sending)| {
            let name = if several { format!("bot {bot}") } else { "the bot".to_owned() };
            if state.token == Token::Refused {
                reasons.push(format!(
                    "telegram: {name}'s token is refused; set TELEGRAM_BOT_TOKEN to a valid one"
                ));
            }
            let oldest_waiting_age_ms = state.oldest_waiting_ms.map(|at| now.saturating_sub(at));
            if let Some(age) = oldest_waiting_age_ms.filter(|age| *age > OUTBOX_WAIT_MS) {
                let why = state.last_error.as_deref().unwrap_or("no error seen");
                let of = if several { format!(" by {name}") } else { String::new() };
                reasons.push(format!("an answer waits to be sent{of} for {} s: {why}", age / 1000));
            }
            let last_send_age_ms = state.last_sent_ms.map(|at| now.saturating_sub(at));
            let bot = several.then_some(bot);
            Sender { bot, last_send_age_ms, oldest_waiting_age_ms, last_error: state.last_error }
        };
        all.into_iter().map(sender).collect()
    }
}

/// All of them as one: what was sent last, what waits longest, and the trouble of the first that has any.
fn together(senders: &[Sender]) -> Option<Sender> {
    let first_trouble = senders.iter().find_map(|sender| sender.last_error.clone());
    (!senders.is_empty()).then(|| Sender {
        bot: None,
        last_send_age_ms: senders.iter().filter_map(|sender| sender.last_send_age_ms).min(),
        oldest_waiting_age_ms: senders.iter().filter_map(|sender| sender.oldest_waiting_age_ms).max(),
        last_error: first_trouble,
    })
}

#[async_trait]
impl Standing for Health {
    fn receiver_reports(&self, report: ReceiverReport) {
        let key = format!("{}:{}", report.channel, report.bot);
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        if receivers.len() < MOST_RECEIVERS || receivers.contains_key(&key) {
            receivers.insert(key, (report, unix_ms()));
        }
    }

    async fn ready(&self) -> bool {
        self.told.or(async { self.report().await.ok }).await
    }

    async fn report(&self) -> Report {
        let now = unix_ms();
        let mut reasons = Vec::new();
        if let Err(error) = self.ledger.probe().await {
            reasons.push(format!("the ledger does not take writes: {error}"));
        }
        reasons.extend(self.disk());
        reasons.extend(self.sessions.trouble());
        let receivers = self.receivers(now, &mut reasons);
        let mut senders = self.senders(now, &mut reasons).await;
        let sender = together(&senders);
        if senders.len() < 2 {
            senders.clear();
        }
        Report { ok: reasons.is_empty(), reasons, receivers, sender, senders }
    }
}

/// What is wrong with a receiver that was last heard `silence` milliseconds ago.
fn trouble(report: &ReceiverReport, silence: u64) -> Option<String> {
    let name = format!("{} bot {}", report.channel, report.bot);
    let detail = report.detail.as_deref().unwrap_or("no detail");
    if silence > RECEIVER_SILENCE_MS {
        return Some(format!("{name}: its receiver has been silent for {} s", silence / 1000));
    }
    match report.state {
        ReceiverState::Ok => None,
        ReceiverState::Conflict => Some(format!("{name}: another program polls with its token: {detail}")),
        ReceiverState::Unauthorized => Some(format!("{name}: its token is refused: {detail}")),
        ReceiverState::Unreachable => Some(format!("{name}: cannot be reached: {detail}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_no_token_causes_one_look_a_second_and_not_one_each() {
        let told = Told::default();
        assert!(told.or(async { true }).await);
        *told.0.lock().await = Some((Instant::now() + Duration::from_mins(1), true));
        assert!(told.or(async { panic!("it was told a moment ago") }).await);
        *told.0.lock().await = Instant::now().checked_sub(FRESH).map(|at| (at, true));
        assert!(!told.or(async { false }).await);
    }
}
