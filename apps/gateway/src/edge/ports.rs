//! What the edge needs from above, stated here and implemented there.

use argus_protocol::argus::channel::{ReceiverState, Report as ReceiverReport};
use async_trait::async_trait;
use serde::Serialize;

/// How everything stands.
#[async_trait]
pub trait Standing: Send + Sync {
    /// A channel's receiving side tells how it stands.
    fn receiver_reports(&self, report: ReceiverReport);

    /// Whether everything serves, as it was a moment ago: to look costs a write, and anybody may ask.
    async fn ready(&self) -> bool;

    /// How everything stands now.
    async fn report(&self) -> Report;
}

/// What `/readyz` tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether everything serves.
    pub ok: bool,
    /// What does not, in words with what to do.
    pub reasons: Vec<String>,
    /// Every receiving side that reported.
    pub receivers: Vec<Receiver>,
    /// The sending side, where there is one.
    pub sender: Option<Sender>,
    /// The sending side of each bot, where there are several; `sender` is all of them together then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<Sender>,
}

/// A channel's receiving side. Ages are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// `telegram`.
    pub channel: String,
    /// Which bot of it.
    pub bot: String,
    /// As it reported last.
    pub state: ReceiverState,
    /// Since it last asked for messages.
    pub last_poll_age_ms: Option<u64>,
}

/// The sending side. Ages are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// The bot, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// Since it last sent.
    pub last_send_age_ms: Option<u64>,
    /// Of the answer that waits longest.
    pub oldest_waiting_age_ms: Option<u64>,
    /// The newest trouble, in words.
    pub last_error: Option<String>,
}
