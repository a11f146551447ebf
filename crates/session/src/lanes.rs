//! All lanes of a session, found by target or by thread.

use std::collections::{BTreeMap, HashMap};

use argus_protocol::ThreadId;

use crate::config::SessionConfig;
use crate::lane::{Lane, LaneId};
use crate::turn::Target;

/// Every lane. Those of a thread are found by the thread alone: it may change what is bound to it.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) all: BTreeMap<LaneId, Lane>,
    pub(crate) main_thread: Option<ThreadId>,
    by_target: HashMap<Target, LaneId>,
    by_thread: HashMap<ThreadId, LaneId>,
    next: u64,
}

impl Lanes {
    pub(crate) fn have_work(&self) -> bool {
        self.all.values().any(|lane| !lane.is_idle())
    }

    pub(crate) fn ids(&self) -> Vec<LaneId> {
        self.all.keys().copied().collect()
    }

    pub(crate) fn find(&self, target: &Target) -> Option<LaneId> {
        match target {
            Target::Thread { id } => self.find_thread(id),
            Target::Main | Target::Chat { .. } | Target::Named { .. } => self.by_target.get(target).copied(),
        }
    }

    /// The lane of a thread, where there is one.
    pub(crate) fn find_thread(&self, thread: &ThreadId) -> Option<LaneId> {
        self.by_thread.get(thread).copied()
    }

    /// The lane of a thread.
    pub(crate) fn of_thread(&mut self, thread: &ThreadId) -> LaneId {
        self.of(&Target::Thread { id: thread.clone() }, None)
    }

    /// The lane of a target, made when there is none. `thread` is what is bound to it as far as the caller knows.
    pub(crate) fn of(&mut self, target: &Target, thread: Option<ThreadId>) -> LaneId {
        if let Some(id) = self.find(target) {
            return id;
        }
        let thread = match target {
            Target::Main => thread.or_else(|| self.main_thread.clone()),
            Target::Thread { id } => Some(id.clone()),
            Target::Chat { .. } | Target::Named { .. } => thread,
        };
        let known = thread.as_ref().and_then(|thread| self.by_thread.get(thread)).copied();
        let id = known.unwrap_or_else(|| self.make(target, thread));
        if !matches!(target, Target::Thread { .. }) {
            self.by_target.insert(target.clone(), id);
            // From now on the thread may be replaced, should it turn out to be empty.
            if let Some(lane) =
                self.all.get_mut(&id).filter(|lane| matches!(lane.target, Target::Thread { .. }))
            {
                lane.target = target.clone();
            }
        }
        id
    }

    fn make(&mut self, target: &Target, thread: Option<ThreadId>) -> LaneId {
        self.forget_the_oldest_idle();
        self.next += 1;
        let id = LaneId(self.next);
        self.by_thread.extend(thread.clone().map(|thread| (thread, id)));
        self.all.insert(id, Lane::new(target.clone(), thread));
        id
    }

    fn forget_the_oldest_idle(&mut self) {
        if self.all.len() < SessionConfig::IDLE_LANES {
            return;
        }
        let idle = self.all.iter().find(|(_, lane)| lane.is_idle() && lane.foreign_asked == 0);
        if let Some(id) = idle.map(|(id, _)| *id) {
            self.all.remove(&id);
            self.by_target.retain(|_, lane| *lane != id);
            self.by_thread.retain(|_, lane| *lane != id);
        }
    }

    /// Gives a lane another thread, or none.
    pub(crate) fn rebind(&mut self, id: LaneId, thread: Option<ThreadId>) {
        self.by_thread.retain(|_, lane| *lane != id);
        let Some(lane) = self.all.get_mut(&id) else { return };
        if lane.target == Target::Main {
            self.main_thread.clone_from(&thread);
        }
        lane.thread.clone_from(&thread);
        self.by_thread.extend(thread.map(|thread| (thread, id)));
    }
}
