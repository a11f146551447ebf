//! What is known of one call: how far it is, and whether anybody waits for it.

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

/// A call that is known.
pub(super) struct Known {
    pub(super) stage: Stage,
    pub(super) job: Option<String>,
    /// The gateway asked for it on this connection, so somebody waits for its result.
    pub(super) awaited: bool,
    /// The gateway's process that asked for it is gone, so nobody will ever be told its result.
    pub(super) abandoned: bool,
    /// Its result was said on this connection, or is about to be.
    pub(super) said: bool,
    /// Whether its result, kept or not, may still be acknowledged.
    pub(super) ack: Ack,
}

/// Whether an acknowledgement says something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// It does.
    Due,
    /// There is no result yet, or it was acknowledged or given up.
    NotDue,
}

/// How far it is.
pub(super) enum Stage {
    Running { cancel: CancellationToken, reason: Option<String>, params: usize, waits_until: Option<Instant> },
    Settled { text: Utf8Bytes, since: Instant },
    Done,
}

impl Stage {
    /// Gives a result that is kept away; how many bytes it had.
    pub(super) fn forget(&mut self) -> Option<usize> {
        let Self::Settled { text, .. } = self else { return None };
        let bytes = text.len();
        *self = Self::Done;
        Some(bytes)
    }
}
