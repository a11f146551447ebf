//! Which jobs there are, who waits for them, and which ends are yet to be told. All in memory, all from the folders.

use std::collections::HashMap;
use std::time::Instant;

use argus_protocol::node::Fault;
use tokio::sync::watch;

use super::config::Limits;
use super::meta::Meta;

/// Calls whose results may be on their way at once; the ends of further ones are told as if nobody had waited.
const IN_HAND: usize = 1024;

/// How far a job is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// It is being started.
    Starting,
    /// It runs, as that process, since then (Unix milliseconds); none where its keeper was not heard yet.
    Running(Option<(i32, u64)>),
    /// It has ended.
    Ended,
    /// It never began.
    Failed(Fault),
}

/// What makes two calls one deed: the session that asks, and its key.
pub(crate) type Key = (Option<String>, String);

#[derive(Debug)]
struct Entry {
    /// The session that asked for it; none: the gateway's operator.
    session: Option<String>,
    key: Option<Key>,
    created_at_ms: u64,
    /// Calls that wait for it.
    waiting: usize,
    /// Until when its end counts as being told by a call's result.
    in_hand: Option<Instant>,
    state: State,
}

#[derive(Debug)]
enum State {
    Live(watch::Sender<Phase>),
    Ended { at_ms: u64, bytes: u64, told: bool },
}

impl Entry {
    fn is_untold(&self) -> bool {
        let untold = matches!(self.state, State::Ended { told: false, .. });
        untold && self.waiting == 0 && self.in_hand.is_none()
    }

    fn told(&self) -> bool {
        matches!(self.state, State::Ended { told: true, .. })
    }
}

/// What a call finds when it asks for a job.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Nobody has begun it: it is to be begun.
    New(watch::Receiver<Phase>),
    /// It is that one.
    Known(String, watch::Receiver<Phase>),
    /// Too many run.
    Busy,
}

/// All jobs.
#[derive(Debug, Default)]
pub(crate) struct Index {
    jobs: HashMap<String, Entry>,
    keys: HashMap<Key, String>,
    /// Which job a call's result tells of.
    calls: HashMap<String, String>,
}

impl Index {
    /// Takes in a job as it is on disk; how much it wrote.
    pub(crate) fn take_in(&mut self, meta: &Meta, bytes: u64) {
        let key = meta.idempotency_key.clone().map(|key| (meta.session_id.clone(), key));
        let at_ms = meta.ended_at_ms.unwrap_or(meta.created_at_ms);
        let state = if meta.running {
            State::Live(watch::Sender::new(Phase::Running(None)))
        } else {
            State::Ended { at_ms, bytes, told: !meta.is_untold() }
        };
        self.put(&meta.job_id, meta.session_id.clone(), key, meta.created_at_ms, state);
    }

    fn put(&mut self, id: &str, session: Option<String>, key: Option<Key>, created_at_ms: u64, state: State) {
        if let Some(key) = &key {
            self.keys.insert(key.clone(), id.to_owned());
        }
        let entry = Entry { session, key, created_at_ms, waiting: 0, in_hand: None, state };
        self.jobs.insert(id.to_owned(), entry);
    }

    /// Claims a job of that id for a session, unless its key has one already. The call waits for it from here on.
    pub(crate) fn claim(
        &mut self,
        id: &str,
        session: Option<String>,
        key: Option<String>,
        now_ms: u64,
        limits: &Limits,
    ) -> Claim {
        let key = key.map(|key| (session.clone(), key));
        let known = key.as_ref().and_then(|key| self.keys.get(key)).cloned();
        if let Some((known, phase)) = known.and_then(|known| self.join(&known).map(|phase| (known, phase))) {
            return Claim::Known(known, phase);
        }
        if self.live().count() >= limits.running {
            return Claim::Busy;
        }
        self.put(id, session, key, now_ms, State::Live(watch::Sender::new(Phase::Starting)));
        self.join(id).map_or(Claim::Busy, Claim::New)
    }

    /// One more call waits for that job.
    fn join(&mut self, id: &str) -> Option<watch::Receiver<Phase>> {
        self.jobs.get_mut(id)?.waiting += 1;
        self.phase(id)
    }

    /// Those that run or are being started.
    pub(crate) fn live(&self) -> impl Iterator<Item = &str> {
        let live = self.jobs.iter().filter(|(_, entry)| matches!(entry.state, State::Live(_)));
        live.map(|(id, _)| id.as_str())
    }

    /// How far a job is, and its further way.
    pub(crate) fn phase(&self, id: &str) -> Option<watch::Receiver<Phase>> {
        self.jobs.get(id).map(|entry| match &entry.state {
            State::Live(phase) => phase.subscribe(),
            State::Ended { .. } => watch::channel(Phase::Ended).1,
        })
    }

    /// The job runs.
    pub(crate) fn runs(&self, id: &str, pid: i32, started_at_ms: u64) {
        if let Some(State::Live(phase)) = self.jobs.get(id).map(|entry| &entry.state) {
            phase.send_replace(Phase::Running(Some((pid, started_at_ms))));
        }
    }

    /// The job has ended.
    pub(crate) fn ended(&mut self, id: &str, at_ms: u64, bytes: u64, told: bool) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        let before = std::mem::replace(&mut entry.state, State::Ended { at_ms, bytes, told });
        if let State::Live(phase) = before {
            phase.send_replace(Phase::Ended);
        }
    }

    /// The job never began; its key is free again.
    pub(crate) fn failed(&mut self, id: &str, fault: Fault) {
        if let Some(State::Live(phase)) = self.forget(id).map(|entry| entry.state) {
            phase.send_replace(Phase::Failed(fault));
        }
    }

    fn forget(&mut self, id: &str) -> Option<Entry> {
        let entry = self.jobs.remove(id)?;
        if let Some(key) = &entry.key
            && self.keys.get(key).is_some_and(|of| of == id)
        {
            self.keys.remove(key);
        }
        Some(entry)
    }

    /// A call no longer waits, if another one does; else it stays the last.
    pub(crate) fn leave_to_others(&mut self, id: &str) -> Left {
        match self.jobs.get_mut(id) {
            Some(entry) if entry.waiting > 1 => {
                entry.waiting -= 1;
                Left::ToOthers
            }
            _ => Left::IsLast,
        }
    }

    /// Whether a job is any of a session's business: its own, or one of which no session is known. All are the
    /// operator's.
    pub(crate) fn is_seen_by(&self, id: &str, session: Option<&str>) -> bool {
        let own = |entry: &Entry| {
            session.is_none() || entry.session.is_none() || entry.session.as_deref() == session
        };
        self.jobs.get(id).is_some_and(own)
    }

    /// All jobs that a session sees.
    pub(crate) fn ids(&self, session: Option<&str>) -> Vec<String> {
        self.jobs.keys().filter(|id| self.is_seen_by(id, session)).cloned().collect()
    }

    /// A call no longer waits; how many still do.
    pub(crate) fn leave(&mut self, id: &str) -> usize {
        let Some(entry) = self.jobs.get_mut(id) else { return 0 };
        entry.waiting = entry.waiting.saturating_sub(1);
        entry.waiting
    }

    /// That call's result tells the job's end, if it is delivered by then.
    pub(crate) fn give(&mut self, call: &str, id: &str, until: Instant) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if !entry.told() && self.calls.len() < IN_HAND {
            entry.in_hand = Some(until);
            self.calls.insert(call.to_owned(), id.to_owned());
        }
    }

    /// The call's result is out of our hands: delivered or given up. The job whose end it told.
    pub(crate) fn take_back(&mut self, call: &str) -> Option<String> {
        let id = self.calls.remove(call)?;
        if let Some(entry) = self.jobs.get_mut(&id) {
            entry.in_hand = None;
        }
        Some(id)
    }

    /// Gives up results that were not delivered in time; whether there were any.
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        let mut expired = Expired::None;
        let jobs = &mut self.jobs;
        self.calls.retain(|_, id| {
            let Some(entry) = jobs.get_mut(id) else { return false };
            if entry.in_hand.is_some_and(|until| until > now) {
                return true;
            }
            entry.in_hand = None;
            expired = Expired::Some;
            false
        });
        expired
    }

    /// The job's end has been told.
    pub(crate) fn told(&mut self, id: &str) {
        let Some(entry) = self.jobs.get_mut(id) else { return };
        if let State::Ended { told, .. } = &mut entry.state {
            *told = true;
            entry.in_hand = None;
        }
    }

    /// The ends that are yet to be told, oldest first.
    pub(crate) fn untold(&self, most: usize) -> Vec<String> {
        let mut found: Vec<_> = self.ends().filter(|(entry, ..)| entry.is_untold()).collect();
        found.sort_by_key(|(entry, id, at_ms, _)| (*at_ms, entry.created_at_ms, *id));
        found.into_iter().take(most).map(|(_, id, ..)| id.to_owned()).collect()
    }

    fn ends(&self) -> impl Iterator<Item = (&Entry, &str, u64, u64)> {
        self.jobs.iter().filter_map(|(id, entry)| match entry.state {
            State::Ended { at_ms, bytes, .. } => Some((entry, id.as_str(), at_ms, bytes)),
            State::Live(_) => None,
        })
    }

    /// Forgets what is more than may be kept, the oldest ends first and those that were told before the others: the
    /// jobs, and whether their ends were told.
    pub(crate) fn prune(&mut self, limits: &Limits) -> Vec<(String, bool)> {
        let free = |entry: &Entry| entry.waiting == 0 && entry.in_hand.is_none();
        let mut ends: Vec<_> = self.ends().filter(|(entry, ..)| free(entry)).collect();
        ends.sort_by_key(|(entry, id, at_ms, _)| (!entry.told(), *at_ms, entry.created_at_ms, *id));
        let mut bytes: u64 = ends.iter().map(|(.., bytes)| bytes).sum();
        let mut told = ends.iter().filter(|(entry, ..)| entry.told()).count();
        let mut untold = ends.len() - told;
        let mut surplus = Vec::new();
        for (entry, id, _, its) in ends {
            let (count, most) =
                if entry.told() { (&mut told, limits.told) } else { (&mut untold, limits.untold) };
            if *count > most || bytes > limits.bytes {
                *count -= 1;
                bytes -= its;
                surplus.push((id.to_owned(), entry.told()));
            }
        }
        for (id, _) in &surplus {
            self.forget(id);
        }
        surplus
    }
}

/// Whether a call could leave its job to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Another call waits for it.
    ToOthers,
    /// None does.
    IsLast,
}

/// Whether results were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// Some were.
    Some,
    /// None was.
    None,
}
