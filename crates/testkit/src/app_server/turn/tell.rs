//! The notifications of a turn.

use serde_json::{Value, json};

use super::super::fresh_id;
use super::super::shapes::{self, Items};
use super::super::wire::unix_ms;
use super::Playing;

/// Whether an `error` notification promises another try.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WillRetry {
    Yes,
    No,
}

impl Playing {
    pub(super) async fn tell_usage(&self) {
        let usage = shapes::token_usage(&self.thread, &self.turn);
        self.agent.notify("thread/tokenUsage/updated", usage).await;
        self.agent.notify("account/rateLimits/updated", shapes::rate_limits()).await;
        let unread = json!({ "type": "turn", "turnId": self.turn });
        let read = json!({ "threadId": self.thread,
            "readState": { "firstUnread": unread, "revision": fresh_id() } });
        self.agent.notify("thread/readState/changed", read).await;
    }

    pub(super) async fn tell_completed(&self, items: Items, padding: usize) {
        let mut params = self.turn_params(items);
        if padding > 0 {
            params["padding"] = json!("x".repeat(padding));
        }
        self.agent.notify("turn/completed", params).await;
    }

    pub(super) async fn tell_resolved(&self, request: i64) {
        let params = json!({ "threadId": self.thread, "requestId": request });
        self.agent.notify("serverRequest/resolved", params).await;
    }

    pub(super) fn turn_params(&self, items: Items) -> Value {
        let state = self.agent.state();
        let turns = state.loaded.get(&self.thread).map(|loaded| loaded.thread.turns.as_slice());
        let turn = turns.unwrap_or_default().iter().find(|turn| turn.id == self.turn);
        json!({ "threadId": self.thread, "turn": turn.map(|turn| shapes::turn(turn, items)) })
    }

    pub(super) fn error(&self, message: &str, will_retry: WillRetry) -> Value {
        json!({ "error": shapes::failure(message), "willRetry": will_retry == WillRetry::Yes,
            "threadId": self.thread, "turnId": self.turn })
    }

    pub(super) async fn start_item(&self, item: &Value) {
        let at = unix_ms();
        let params = json!({ "item": item, "threadId": self.thread, "turnId": self.turn, "startedAtMs": at });
        self.agent.notify("item/started", params).await;
    }

    pub(super) async fn complete_item(&self, mut item: Value) {
        let at = unix_ms();
        item["completedAtMs"] = json!(at);
        self.agent.change(&self.thread, |thread| {
            if let Some(turn) = thread.turns.iter_mut().find(|turn| turn.id == self.turn) {
                turn.items.push(item.clone());
            }
        });
        let params = json!({ "item": item, "threadId": self.thread, "turnId": self.turn,
            "contentTokenCount": null, "completedAtMs": at });
        self.agent.notify("item/completed", params).await;
    }
}
