//! Outcome to chat: renders what people are told, and sends the outbox.

mod attempt;
mod bots;
mod form;
mod kept;
mod live;
mod pace;
mod plan;
mod quiet;
mod render;
mod sending;
mod show;
mod typing;
mod unasked;
mod view;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::SubmissionId;
use argus_session::{ChatRef, Progress};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::bots::{Deliveries, DeliveryConfig};
pub use self::kept::Kept;
use self::live::Live;
pub use self::pace::Limits;
use self::pace::Pace;
pub use self::quiet::has_something_to_tell;
pub use self::render::{answer, answers, rows_for};
pub use self::sending::{Reach, Sending, SendingParts};
use self::typing::Typing;
use crate::clock::unix_ms;
use crate::store::ledger::Ledger;
use crate::telegram::{CHANNEL, Telegram};

/// The sending side of one bot. Clones are handles to the same one.
#[derive(Clone)]
pub struct Delivery(Arc<Parts>);

struct Parts {
    ledger: Ledger,
    telegram: Telegram,
    limits: Limits,
    pace: Mutex<Pace>,
    typing: Typing,
    live: Live,
    kept: Kept,
    record: Mutex<Record>,
}

/// What happened last.
#[derive(Debug, Default)]
struct Record {
    last_sent_ms: Option<u64>,
    last_error: Option<String>,
    token: Token,
}

/// Whether the channel takes our token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Token {
    /// As far as we know.
    #[default]
    Accepted,
    /// No: everything waits.
    Refused,
}

/// How sending stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// When a message was taken last, unix milliseconds; absent before the first since the start.
    pub last_sent_ms: Option<u64>,
    /// When the oldest message that waits was put out, unix milliseconds.
    pub oldest_waiting_ms: Option<u64>,
    /// What went wrong since, in words.
    pub last_error: Option<String>,
    /// Whether our token is taken.
    pub token: Token,
}

impl Delivery {
    /// Delivery of what the ledger's outbox holds for that bot.
    pub fn new(ledger: Ledger, telegram: Telegram, config: DeliveryConfig) -> Self {
        let DeliveryConfig { limits, live, kept } = config;
        Self(Arc::new(Parts {
            ledger,
            telegram,
            limits,
            pace: Mutex::new(Pace::new(limits)),
            typing: Typing::default(),
            live: Live::new(live),
            kept,
            record: Mutex::default(),
        }))
    }

    /// The bot's own id.
    pub fn bot_id(&self) -> &str {
        self.0.telegram.bot_id()
    }

    /// Sends until told to stop; messages under way then have some seconds to end.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::join!(worker::run(&self.0, &shutdown), typing::run(&self.0, &shutdown));
    }

    /// A turn runs that the chat asked for: it sees "typing…" until [`Delivery::turn_over`], which is to be called
    /// once for each call of this.
    pub fn turn_running(&self, chat: &ChatRef) {
        if self.serves(chat) {
            self.0.typing.begin(&chat.chat);
        }
    }

    /// It is over.
    pub fn turn_over(&self, chat: &ChatRef) {
        if self.serves(chat) && self.0.typing.end(&chat.chat) == 0 {
            self.0.live.end_all(&chat.chat);
        }
    }

    /// Such a turn did something, which is shown in its chat as soon as that may be; `submission` is its first.
    pub fn progress(&self, chat: &ChatRef, submission: &SubmissionId, progress: Progress) {
        if self.serves(chat) {
            self.0.live.progress(&chat.chat, submission, progress);
        }
    }

    /// How sending stands.
    pub async fn health(&self) -> Health {
        let waiting = self.0.ledger.oldest_waiting_ms(CHANNEL, self.0.telegram.bot_id()).await;
        let record = self.0.record();
        let (oldest_waiting_ms, unreadable) = match waiting {
            Ok(oldest) => (oldest, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Health {
            last_sent_ms: record.last_sent_ms,
            oldest_waiting_ms,
            last_error: unreadable.or_else(|| record.last_error.clone()),
            token: record.token,
        }
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        chat.channel == CHANNEL && chat.bot == self.0.telegram.bot_id()
    }
}

impl Parts {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_success(&self) {
        *self.record() = Record { last_sent_ms: Some(unix_ms()), last_error: None, token: Token::Accepted };
    }

    fn note_error(&self, error: String) {
        self.record().last_error = Some(error);
    }
}

/// Waits until then; for ever where there is no then.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}
