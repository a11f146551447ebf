//! Ends tokens whose time is over, with whoever is connected with them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Access, Ending};
use crate::clock::unix_ms;

/// The wall clock may be set meanwhile; so often it is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl Access {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let changed = self.0.changed.notified();
            let next = self.expire(unix_ms());
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed => {}
                () = tokio::time::sleep(next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) => {}
            }
        }
    }

    /// Ends what is over; how long it is until the next one.
    pub(super) fn expire(&self, now_ms: u64) -> Option<Duration> {
        let mut register = self.write();
        let over = |expires: Option<u64>| expires.is_some_and(|at| at <= now_ms);
        let ended: Vec<_> = register.tokens.extract_if(|_, account| over(account.expires_ms)).collect();
        let next = register.tokens.values().filter_map(|account| account.expires_ms).min();
        drop(register);
        for (id, account) in ended {
            tracing::info!(token.id = %id, "a token expired");
            account.end(Ending::Expired);
        }
        next.map(|at| Duration::from_millis(at.saturating_sub(now_ms)))
    }
}
