//! MCP sessions: each belongs to the token that made it, and ends with it, when nobody uses it, or when there are too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::transport::streamable_http_server::SessionManager as _;
use rmcp::transport::streamable_http_server::session::SessionId;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::{Account, Holder};

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Sessions of one token.
    pub(super) of_token: usize,
    /// Sessions in all.
    pub(super) in_all: usize,
    /// Calls at once in one session.
    pub(super) calls: usize,
    /// For so long nobody may use a session.
    pub(super) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { of_token: 64, in_all: 1024, calls: 32, idle: Duration::from_mins(30) }
    }
}

/// All of them. Clones are handles to the same ones.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Parts>);

#[derive(Default)]
struct Parts {
    limits: Limits,
    known: Mutex<HashMap<SessionId, Arc<Session>>>,
    /// Calls without a session, as newer versions of the protocol make them; for each token.
    alone: Mutex<HashMap<String, Arc<Session>>>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    holder: Holder,
    calls: Arc<Semaphore>,
    usage: Mutex<Usage>,
    over: CancellationToken,
}

#[derive(Debug)]
struct Usage {
    /// Requests that are not answered to their end yet, streams and calls.
    open: usize,
    last: Instant,
}

/// Somebody uses a session, until it is dropped.
#[derive(Debug)]
pub(super) struct InUse(Arc<Session>);

/// A call's place among those of its session, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    _use: InUse,
    _place: OwnedSemaphorePermit,
}

/// There are as many sessions as there may be, and all are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full(pub(super) usize);

impl Session {
    fn new(holder: Holder, calls: usize) -> Arc<Self> {
        let usage = Mutex::new(Usage { open: 0, last: Instant::now() });
        let calls = Arc::new(Semaphore::new(calls));
        Arc::new(Self { holder, calls, usage, over: CancellationToken::new() })
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long nobody has used it; `None` while somebody does.
    fn idle(&self) -> Option<Duration> {
        let usage = self.usage();
        (usage.open == 0).then(|| usage.last.elapsed())
    }

    /// It counts as used until what this gives is dropped.
    pub(super) fn in_use(self: &Arc<Self>) -> InUse {
        self.usage().open += 1;
        InUse(self.clone())
    }

    /// A place for one call; `None` where all are taken.
    pub(super) fn place(self: &Arc<Self>) -> Option<UnderWay> {
        let place = self.calls.clone().try_acquire_owned().ok()?;
        Some(UnderWay { _use: self.in_use(), _place: place })
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.over.cancel();
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut usage = self.0.usage();
        usage.open = usage.open.saturating_sub(1);
        usage.last = Instant::now();
    }
}

impl Sessions {
    #[cfg(test)]
    fn within(limits: Limits) -> Self {
        Self(Arc::new(Parts { limits, ..Parts::default() }))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls there may be at once in one session.
    pub(super) fn most_calls(&self) -> usize {
        self.0.limits.calls
    }

    /// The session of that id, for the token that made it.
    pub(super) fn find(&self, id: &str, by: &Holder) -> Option<Arc<Session>> {
        self.known().get(id).filter(|session| session.holder == *by).cloned()
    }

    /// What counts the calls that a token makes without a session.
    pub(super) fn alone(&self, by: &Account) -> Arc<Session> {
        let mut alone = self.0.alone.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever makes no calls now needs no count.
        if alone.len() >= self.0.limits.in_all {
            alone.retain(|_, session| session.idle().is_none());
        }
        let count = || Session::new(by.holder().clone(), self.0.limits.calls);
        alone.entry(by.holder().to_string()).or_insert_with(count).clone()
    }

    /// Notes a session that was made with this token; who has been idle longest makes room for it.
    pub(super) fn add(&self, id: &SessionId, by: &Account) -> Result<Arc<Session>, Full> {
        let limits = self.0.limits;
        let mut known = self.known();
        let of_token = known.values().filter(|session| session.holder == *by.holder()).count();
        let leaves = if of_token >= limits.of_token {
            let one = oldest_idle(&known, |session| session.holder == *by.holder());
            Some(one.ok_or(Full(limits.of_token))?)
        } else if known.len() >= limits.in_all {
            Some(oldest_idle(&known, |_| true).ok_or(Full(limits.in_all))?)
        } else {
            None
        };
        if let Some(session) = leaves.and_then(|one| known.remove(&one)) {
            session.end();
        }
        let session = Session::new(by.holder().clone(), limits.calls);
        known.insert(id.clone(), session.clone());
        Ok(session)
    }

    /// Waits for the end of a session, whatever ends it, and closes it.
    pub(super) async fn keep(
        self,
        id: SessionId,
        session: Arc<Session>,
        token: CancellationToken,
        manager: Arc<LocalSessionManager>,
    ) {
        let limit = self.0.limits.idle;
        loop {
            let left = session.idle().map_or(limit, |idle| limit.saturating_sub(idle));
            tokio::select! {
                () = session.over.cancelled() => break,
                () = token.cancelled() => break,
                () = tokio::time::sleep(left) => {}
            }
            if session.idle().is_some_and(|idle| idle >= limit) {
                break;
            }
        }
        self.known().remove(&id);
        session.end();
        if let Err(error) = manager.close_session(&id).await {
            tracing::debug!(%error, "an MCP session was over before it was closed");
        }
    }
}

/// The one that nobody has used for longest.
fn oldest_idle(
    known: &HashMap<SessionId, Arc<Session>>,
    which: impl Fn(&Session) -> bool,
) -> Option<SessionId> {
    let idle = known.iter().filter(|(_, session)| which(session));
    let idle = idle.filter_map(|(id, session)| session.idle().map(|idle| (idle, id)));
    idle.max_by_key(|(idle, _)| *idle).map(|(_, id)| id.clone())
}

#[cfg(test)]
mod tests;
