//! The turns that are shown while they run, each at most once in a while and always as it is then.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argus_protocol::{ChatKey, SubmissionId};
use argus_session::Progress;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::view::View;
use crate::config::{LiveConfig, Streaming};
use crate::telegram::ChatId;

/// Turns that are shown at once; further ones come when they are whole.
const MOST: usize = 512;
/// Chats of which it is remembered that they take no drafts.
const MOST_CHATS: usize = 4096;

/// All of them.
#[derive(Debug)]
pub(super) struct Live {
    config: LiveConfig,
    turns: Mutex<Turns>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Turns {
    shown: HashMap<SubmissionId, Turn>,
    no_drafts: HashSet<ChatKey>,
}

#[derive(Debug)]
struct Turn {
    chat: ChatKey,
    view: View,
    place: Place,
    /// Something can be seen that was not shown yet.
    fresh: bool,
    /// Not to be shown again before.
    next: Instant,
}

/// Where a turn is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Perhaps there is a message from before a restart.
    Unknown,
    /// In this message.
    Message(String),
    /// Nowhere any more: it cannot be.
    Given,
}

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Draft,
    Edit,
}

/// One change to be shown.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) submission: SubmissionId,
    pub(super) chat: ChatKey,
    pub(super) view: View,
    pub(super) place: Place,
    pub(super) way: Way,
}

impl Live {
    pub(super) fn new(config: LiveConfig) -> Self {
        Self { config, turns: Mutex::default(), changed: Notify::new() }
    }

    pub(super) fn config(&self) -> LiveConfig {
        self.config
    }

    /// Wakes the worker when something is to be shown.
    pub(super) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// Takes in what a turn did.
    pub(super) fn progress(&self, chat: &ChatKey, submission: &SubmissionId, progress: Progress) {
        if self.config.streaming == Streaming::Off {
            return;
        }
        let mut turns = self.turns();
        if turns.shown.len() >= MOST && !turns.shown.contains_key(submission) {
            return;
        }
        let turn = turns.shown.entry(submission.clone()).or_insert_with(|| Turn {
            chat: chat.clone(),
            view: View::default(),
            place: Place::Unknown,
            fresh: false,
            // What is answered at once needs no showing.
            next: Instant::now() + self.config.interval / 5,
        });
        if turn.view.take(progress, self.config) && turn.place != Place::Given && !turn.fresh {
            turn.fresh = true;
            self.changed.notify_one();
        }
    }

    /// A turn is shown no more.
    pub(super) fn end(&self, submission: &SubmissionId) {
        self.turns().shown.remove(submission);
    }

    /// No turn of that chat is shown any more.
    pub(super) fn end_all(&self, chat: &ChatKey) {
        self.turns().shown.retain(|_, turn| turn.chat != *chat);
    }

    /// The turns with something new, and from when on it may be shown.
    pub(super) fn waiting(&self) -> Vec<(SubmissionId, ChatKey, Instant)> {
        let turns = self.turns();
        let fresh = turns.shown.iter().filter(|(_, turn)| turn.fresh);
        fresh.map(|(id, turn)| (id.clone(), turn.chat.clone(), turn.next)).collect()
    }

    /// What is to be shown of that turn now; the next change waits its time.
    pub(super) fn take(&self, submission: &SubmissionId, now: Instant) -> Option<Change> {
        let mut turns = self.turns();
        let no_drafts = turns.shown.get(submission).is_some_and(|turn| turns.no_drafts.contains(&turn.chat));
        let turn = turns.shown.get_mut(submission)?;
        turn.fresh = false;
        turn.next = now + self.config.interval;
        let private = ChatId::of_key(&turn.chat).is_ok_and(|chat| !chat.is_group());
        let way = match self.config.streaming {
            Streaming::Draft | Streaming::Auto if private && !no_drafts => Way::Draft,
            Streaming::Off | Streaming::Draft => return None,
            Streaming::Edit | Streaming::Auto => Way::Edit,
        };
        Some(Change {
            submission: submission.clone(),
            chat: turn.chat.clone(),
            view: turn.view.clone(),
            place: turn.place.clone(),
            way,
        })
    }

    /// The turn is shown there from now on.
    pub(super) fn put(&self, submission: &SubmissionId, place: Place) {
        if let Some(turn) = self.turns().shown.get_mut(submission) {
            turn.fresh &= place != Place::Given;
            turn.place = place;
        }
    }

    /// What was taken could not be shown now; it is tried again, as it is then.
    pub(super) fn missed(&self, submission: &SubmissionId) {
        if let Some(turn) = self.turns().shown.get_mut(submission) {
            turn.fresh = turn.place != Place::Given;
        }
    }

    /// That chat takes no drafts; the turn is to be shown in another way.
    pub(super) fn no_drafts(&self, chat: &ChatKey, submission: &SubmissionId) {
        let mut turns = self.turns();
        if turns.no_drafts.len() >= MOST_CHATS {
            turns.no_drafts.clear();
        }
        turns.no_drafts.insert(chat.clone());
        if let Some(turn) = turns.shown.get_mut(submission) {
            turn.fresh = true;
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
