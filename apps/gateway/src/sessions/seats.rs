//! How many runtimes live at once: a bounded number of seats, and the line of sessions that wait for one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::SessionId;
use argus_session::Occupancy;
use tokio::sync::Notify;

/// Who does not ask again for this long (milliseconds) does not wait any more. Sessions ask again far more often.
const PATIENCE_MS: u64 = 60_000;

/// How a session is told about its seat.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// There is a seat for it now.
    pub(super) seat_free: Notify,
    /// Another one waits for its seat.
    pub(super) seat_wanted: Notify,
}

/// What became of asking for a seat.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has one.
    Seated,
    /// It waits; the bell rings when there is one.
    InLine {
        /// 1 is next.
        place: usize,
        /// How many seats there are.
        seats: usize,
    },
}

/// All seats. Without a limit nobody waits.
#[derive(Debug)]
pub(super) struct Seats {
    limit: Option<usize>,
    all: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    taken: HashMap<SessionId, Seat>,
    line: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Seat {
    bell: Arc<Bell>,
    occupancy: Occupancy,
    /// It was asked to leave and has not answered yet.
    asked: bool,
}

#[derive(Debug)]
struct Waiting {
    session: SessionId,
    bell: Arc<Bell>,
    /// When it asked last, in monotonic milliseconds.
    asked_at: u64,
}

impl Seats {
    /// So many seats; `None` is no limit.
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self { limit, all: Mutex::default() }
    }

    /// Asks for a seat, or for the place in the line where all are taken. The longest idle of the others is asked to
    /// leave.
    pub(super) fn request(&self, session: &SessionId, bell: &Arc<Bell>, now: u64) -> Verdict {
        let Some(limit) = self.limit else { return Verdict::Seated };
        let mut room = self.room();
        if room.taken.contains_key(session) {
            return Verdict::Seated;
        }
        room.line.retain(|waiting| waiting.session == *session || waiting.asked_at + PATIENCE_MS > now);
        let before = room.line.iter().position(|waiting| waiting.session == *session);
        let before = before.unwrap_or_else(|| {
            let bell = bell.clone();
            room.line.push_back(Waiting { session: session.clone(), bell, asked_at: now });
            room.line.len() - 1
        });
        let free = limit.saturating_sub(room.taken.len());
        if before < free {
            room.line.remove(before);
            room.seat(session, bell);
            return Verdict::Seated;
        }
        room.line[before].asked_at = now;
        room.ring(limit);
        Verdict::InLine { place: before - free + 1, seats: limit }
    }

    /// Gives a seat to a session whose runtime lives already, even beyond the limit.
    pub(super) fn take(&self, session: &SessionId, bell: &Arc<Bell>) {
        if self.limit.is_some() {
            self.room().seat(session, bell);
        }
    }

    /// Notes how a session stands; one that needs no runtime gives its seat back.
    pub(super) fn note(&self, session: &SessionId, occupancy: Occupancy) {
        let Some(limit) = self.limit else { return };
        let mut room = self.room();
        match occupancy {
            Occupancy::None => _ = room.taken.remove(session),
            Occupancy::Working | Occupancy::Idle { .. } | Occupancy::Leaving => {
                let Some(seat) = room.taken.get_mut(session) else { return };
                seat.occupancy = occupancy;
                seat.asked = false;
            }
        }
        room.ring(limit);
    }

    /// Whoever owns this bell has no seat and waits for none any more; the next owner of the session may.
    pub(super) fn leave(&self, session: &SessionId, bell: &Arc<Bell>) {
        let Some(limit) = self.limit else { return };
        let mut room = self.room();
        if room.taken.get(session).is_some_and(|seat| Arc::ptr_eq(&seat.bell, bell)) {
            room.taken.remove(session);
        }
        room.line.retain(|waiting| !Arc::ptr_eq(&waiting.bell, bell));
        room.ring(limit);
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn seat(&mut self, session: &SessionId, bell: &Arc<Bell>) {
        let seat = Seat { bell: bell.clone(), occupancy: Occupancy::Working, asked: false };
        self.taken.entry(session.clone()).or_insert(seat);
    }

    /// Calls those for whom there is a seat, and asks as many idle ones to leave as the others need.
    fn ring(&mut self, limit: usize) {
        let free = limit.saturating_sub(self.taken.len());
        for waiting in self.line.iter().take(free) {
            waiting.bell.seat_free.notify_one();
        }
        let leaving =
            self.taken.values().filter(|seat| seat.asked || seat.occupancy == Occupancy::Leaving).count();
        let wanted = self.line.len().saturating_sub(free + leaving);
        let mut idle: Vec<_> = self.taken.values_mut().filter_map(Seat::idle_since).collect();
        idle.sort_by_key(|(since, _)| *since);
        for (_, seat) in idle.into_iter().take(wanted) {
            seat.asked = true;
            seat.bell.seat_wanted.notify_one();
        }
    }
}

impl Seat {
    /// Since when it is idle, and may be asked to leave.
    fn idle_since(&mut self) -> Option<(u64, &mut Self)> {
        match self.occupancy {
            Occupancy::Idle { since } if !self.asked => Some((since, self)),
            Occupancy::Idle { .. } | Occupancy::None | Occupancy::Working | Occupancy::Leaving => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    struct Guest {
        id: SessionId,
        bell: Arc<Bell>,
    }

    impl Guest {
        fn new(id: &str) -> Self {
            Self { id: id.parse().unwrap(), bell: Arc::default() }
        }

        fn request(&self, seats: &Seats, now: u64) -> Verdict {
            seats.request(&self.id, &self.bell, now)
        }

        fn is_called(&self) -> bool {
            self.bell.seat_free.notified().now_or_never().is_some()
        }

        fn is_asked_to_leave(&self) -> bool {
            self.bell.seat_wanted.notified().now_or_never().is_some()
        }
    }

    fn in_line(place: usize) -> Verdict {
        Verdict::InLine { place, seats: 2 }
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let seats = Seats::new(None);
        for n in 0..100 {
            assert_eq!(Guest::new(&format!("s{n}")).request(&seats, 0), Verdict::Seated);
        }
    }

    #[test]
    fn the_longest_idle_one_makes_room_and_the_first_in_line_is_called() {
        let seats = Seats::new(Some(2));
        let [a, b, c, d] = ["a", "b", "c", "d"].map(Guest::new);
        assert_eq!([a.request(&seats, 0), b.request(&seats, 0)], [Verdict::Seated, Verdict::Seated]);
        assert_eq!(a.request(&seats, 0), Verdict::Seated, "it has one");
        seats.note(&a.id, Occupancy::Idle { since: 20 });
        seats.note(&b.id, Occupancy::Idle { since: 10 });
        assert_eq!(c.request(&seats, 30), in_line(1));
        assert_eq!([a.is_asked_to_leave(), b.is_asked_to_leave()], [false, true]);
        assert_eq!(d.request(&seats, 30), in_line(2));
        assert_eq!([a.is_asked_to_leave(), b.is_asked_to_leave()], [true, false]);
        seats.note(&b.id, Occupancy::Leaving);
        assert_eq!([c.is_called(), d.is_called()], [false, false]);
        seats.note(&b.id, Occupancy::None);
        assert_eq!([c.is_called(), d.is_called()], [true, false]);
        assert_eq!(d.request(&seats, 40), in_line(1), "the free one is for who came first");
        assert_eq!(c.request(&seats, 40), Verdict::Seated);
    }

    #[test]
    fn who_found_work_again_stays_and_the_next_idle_one_is_asked() {
        let seats = Seats::new(Some(2));
        let [a, b, c] = ["a", "b", "c"].map(Guest::new);
        assert_eq!([a.request(&seats, 0), b.request(&seats, 0)], [Verdict::Seated, Verdict::Seated]);
        seats.note(&a.id, Occupancy::Idle { since: 1 });
        assert_eq!(c.request(&seats, 2), in_line(1));
        assert!(a.is_asked_to_leave());
        seats.note(&a.id, Occupancy::Working);
        seats.note(&b.id, Occupancy::Idle { since: 3 });
        assert!(b.is_asked_to_leave());
    }

    #[test]
    fn who_does_not_need_the_seat_any_more_passes_it_on() {
        let seats = Seats::new(Some(1));
        let [a, b, c] = ["a", "b", "c"].map(Guest::new);
        let place = |place| Verdict::InLine { place, seats: 1 };
        let asked = [&a, &b, &c].map(|guest| guest.request(&seats, 0));
        assert_eq!(asked, [Verdict::Seated, place(1), place(2)]);
        seats.leave(&a.id, &a.bell);
        assert_eq!([b.is_called(), c.is_called()], [true, false]);
        seats.leave(&b.id, &b.bell);
        assert!(c.is_called());
    }

    #[test]
    fn who_does_not_ask_again_loses_the_place() {
        let seats = Seats::new(Some(1));
        let [a, b, c] = ["a", "b", "c"].map(Guest::new);
        let place = |place| Verdict::InLine { place, seats: 1 };
        assert_eq!([a.request(&seats, 0), b.request(&seats, 0)], [Verdict::Seated, place(1)]);
        assert_eq!(c.request(&seats, PATIENCE_MS - 1), place(2));
        assert_eq!(c.request(&seats, PATIENCE_MS), place(1));
    }

    #[test]
    fn runtimes_that_live_already_are_seated_beyond_the_limit() {
        let seats = Seats::new(Some(1));
        let [a, b, c] = ["a", "b", "c"].map(Guest::new);
        seats.take(&a.id, &a.bell);
        seats.take(&b.id, &b.bell);
        assert_eq!(c.request(&seats, 0), Verdict::InLine { place: 1, seats: 1 });
        seats.leave(&a.id, &a.bell);
        assert!(!c.is_called());
        seats.leave(&b.id, &b.bell);
        assert!(c.is_called());
    }
}
