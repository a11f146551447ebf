//! Connections whose caller has not named a token yet: so many at most, and whoever waits longest makes room.
//!
//! Somebody without the token could otherwise hold every file descriptor of the gateway. To send the oldest away, and
//! not the newcomer, lets everybody in who has a token: they name it with the first bytes they send.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::access::{Account, NoSeat, Seat};

/// Everybody who waits. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub(super) struct Lobby {
    room: usize,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// By their number, so that the oldest comes first.
    callers: BTreeMap<u64, CancellationToken>,
}

/// One connection. It leaves the lobby when it is let in or dropped.
#[derive(Debug)]
pub(super) struct Visitor {
    lobby: Lobby,
    number: u64,
    sent_away: CancellationToken,
    over: CancellationToken,
    /// Its place among those with the same token, as long as the connection lives.
    seat: Mutex<Option<Arc<Seat>>>,
    /// Answers that take their time.
    at_work: AtomicUsize,
}

/// An answer that takes its time, until it is dropped.
#[derive(Debug)]
pub(super) struct AtWork(Arc<Visitor>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lobby {
    /// With room for that many.
    pub(super) fn new(room: usize) -> Self {
        Self { room, waiting: Arc::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody comes; where there is no room, the one that waits longest has to go.
    pub(super) fn enter(&self) -> Visitor {
        let mut waiting = self.waiting();
        if waiting.callers.len() >= self.room
            && let Some((_, oldest)) = waiting.callers.pop_first()
        {
            oldest.cancel();
        }
        let (number, sent_away) = (waiting.next, CancellationToken::new());
        waiting.next += 1;
        waiting.callers.insert(number, sent_away.clone());
        drop(waiting);
        Visitor {
            lobby: self.clone(),
            number,
            sent_away,
            over: CancellationToken::new(),
            seat: Mutex::default(),
            at_work: AtomicUsize::new(0),
        }
    }
}

impl Visitor {
    /// It named the token, and takes no room any more.
    pub(super) fn let_in(&self) {
        self.lobby.waiting().callers.remove(&self.number);
    }

    /// It named that token: it takes a seat there, unless it has it already, and leaves the lobby.
    pub(super) fn let_in_with(&self, account: &Arc<Account>) -> Result<Arc<Seat>, NoSeat> {
        let mut own = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = own.as_ref().filter(|seat| Arc::ptr_eq(seat.account(), account)) {
            return Ok(seat.clone());
        }
        let seat = Arc::new(account.take_seat()?);
        // Unless the connection becomes a client's, which is told why it ends.
        let over = self.over.clone();
        seat.on_end(Box::new(move |_| over.cancel()));
        let before = own.replace(seat.clone());
        drop(own);
        drop(before);
        self.let_in();
        Ok(seat)
    }

    /// An answer to it takes its time: until then its silence means nothing.
    pub(super) fn at_work(self: &Arc<Self>) -> AtWork {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self.clone())
    }

    /// Whether an answer to it takes its time.
    pub(super) fn waits_for_us(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) > 0
    }

    /// Cancelled when its token is worth nothing any more: what it asked is still answered, and no more is taken.
    pub(super) fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Cancelled when it has to go.
    pub(super) fn sent_away(&self) -> &CancellationToken {
        &self.sent_away
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.let_in();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_longest_without_a_token_makes_room_and_who_was_let_in_stays() {
        let lobby = Lobby::new(2);
        let known = lobby.enter();
        known.let_in();
        let (first, second) = (lobby.enter(), lobby.enter());
        let gone = |visitors: &[&Visitor]| {
            visitors.iter().map(|visitor| visitor.sent_away().is_cancelled()).collect::<Vec<_>>()
        };
        let third = lobby.enter();
        assert_eq!(gone(&[&known, &first, &second, &third]), [false, true, false, false]);
        drop(second);
        let fourth = lobby.enter();
        assert_eq!(gone(&[&known, &third, &fourth]), [false, false, false]);
    }
}
