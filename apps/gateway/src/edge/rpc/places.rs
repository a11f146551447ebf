//! How many calls may wait for one session at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::{RpcError, SessionId};

/// Calls that may wait for one session. A single client of `/ws` has half of it at most.
const ROOM: usize = 64;

/// Who waits for which session. Clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<HashMap<SessionId, usize>>>);

/// One call that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    places: Places,
    session: SessionId,
}

impl Places {
    fn taken(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among those who wait for that session.
    pub(super) fn take(&self, session: &SessionId) -> Result<Taken, RpcError> {
        let mut taken = self.taken();
        let waiting = taken.entry(session.clone()).or_default();
        if *waiting >= ROOM {
            let words = format!("{ROOM} calls wait for session `{session}` already; wait for a reply");
            return Err(RpcError::overloaded(words));
        }
        *waiting += 1;
        Ok(Taken { places: self.clone(), session: session.clone() })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(waiting) = taken.get_mut(&self.session) {
            *waiting -= 1;
            if *waiting == 0 {
                taken.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_calls_wait_for_one_session_and_others_have_room_of_their_own() {
        let places = Places::default();
        let (one, other) = ("one".parse().unwrap(), "other".parse().unwrap());
        let mut waiting: Vec<_> = (0..ROOM).map(|_| places.take(&one).unwrap()).collect();
        assert_eq!(
            places.take(&one).unwrap_err(),
            RpcError::overloaded("64 calls wait for session `one` already; wait for a reply")
        );
        drop(places.take(&other).unwrap());
        waiting.pop();
        drop(places.take(&one).unwrap());
        drop(waiting);
        assert!(places.taken().is_empty());
    }
}
