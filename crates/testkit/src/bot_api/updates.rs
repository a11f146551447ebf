//! Updates waiting for the bot, and who may fetch them.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::params::Params;
use super::reply::Refusal;
use super::state::State;
use crate::board::Board;

/// Kinds of updates that are only given to a bot that asks for them by name.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// The queue of one bot.
#[derive(Debug)]
pub(crate) struct Updates {
    waiting: VecDeque<(i64, Value)>,
    next: i64,
    confirmed: i64,
    allowed: Option<Vec<String>>,
    poller: u64,
}

impl Updates {
    pub(crate) fn starting_at(next: i64) -> Self {
        Self { waiting: VecDeque::new(), next, confirmed: next, allowed: None, poller: 0 }
    }

    /// Adds one and returns its id; one of a kind that the bot does not want gets an id and is dropped.
    pub(crate) fn push(&mut self, mut update: Value) -> i64 {
        let id = update.get("update_id").and_then(Value::as_i64).unwrap_or(self.next);
        self.next = self.next.max(id + 1);
        update["update_id"] = json!(id);
        if self.wanted(&update) {
            self.waiting.push_back((id, update));
        }
        id
    }

    fn wanted(&self, update: &Value) -> bool {
        let mut kinds =
            update.as_object().into_iter().flat_map(|update| update.keys()).filter(|k| *k != "update_id");
        match &self.allowed {
            None => !kinds.any(|kind| ON_REQUEST.contains(&kind.as_str())),
            Some(allowed) => kinds.any(|kind| allowed.contains(kind)),
        }
    }

    /// Forgets what `offset` confirms; a negative one keeps only that many from the end.
    pub(crate) fn confirm(&mut self, offset: i64) {
        let first_kept = if offset >= 0 {
            offset
        } else {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let first = self.waiting.len().saturating_sub(keep);
            self.waiting.get(first).map_or(self.next, |(id, _)| *id)
        };
        self.waiting.retain(|(id, _)| *id >= first_kept);
        self.confirmed = self.confirmed.max(first_kept);
    }

    /// The oldest that waits, with its id.
    pub(crate) fn first(&self) -> Option<(i64, Value)> {
        self.waiting.front().cloned()
    }

    /// The lowest id the bot has not confirmed.
    pub(crate) fn confirmed(&self) -> i64 {
        self.confirmed
    }

    /// How many the bot has not confirmed.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.len()
    }
}

/// `getUpdates`: a long poll that a later one ends with 409.
pub(crate) async fn poll(board: &Board<State>, params: &Params) -> Result<Value, Refusal> {
    let limit = usize::try_from(params.number("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let seconds = u64::try_from(params.number("timeout").unwrap_or(0)).unwrap_or(0).min(50);
    if board.read(|state| !state.webhook.is_empty()) {
        return Err(Refusal::webhook_is_set());
    }
    let mine = board.write(|state| {
        let updates = &mut state.updates;
        updates.poller += 1;
        if let Some(offset) = params.number("offset").filter(|offset| *offset != 0) {
            updates.confirm(offset);
        }
        if let Some(Value::Array(allowed)) = params.json("allowed_updates") {
            let names: Vec<_> = allowed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            updates.allowed = (!names.is_empty()).then_some(names);
        }
        updates.poller
    });
    let found = board.wait(Duration::from_secs(seconds), |state| {
        let updates = &state.updates;
        if updates.poller != mine {
            return Some(Err(Refusal::conflict()));
        }
        let batch: Vec<_> = updates.waiting.iter().take(limit).map(|(_, update)| update.clone()).collect();
        (!batch.is_empty()).then_some(Ok(Value::Array(batch)))
    });
    found.await.unwrap_or_else(|_| Ok(json!([])))
}
