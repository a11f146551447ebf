//! The shapes of threads, turns and items, as codex app-server 0.169 writes them.

use serde_json::{Value, json};

use super::store::{Status, Store, Thread, Turn};
use super::wire::unix_ms;

/// What `thread.status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    NotLoaded,
    Idle,
    Active,
    WaitingOnApproval,
    SystemError,
}

impl Load {
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::NotLoaded => json!({ "type": "notLoaded" }),
            Self::Idle => json!({ "type": "idle" }),
            Self::Active => json!({ "type": "active", "activeFlags": [] }),
            Self::WaitingOnApproval => json!({ "type": "active", "activeFlags": ["waitingOnApproval"] }),
            Self::SystemError => json!({ "type": "systemError" }),
        }
    }
}

/// Which of a thread's turns are shown with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turns {
    Included,
    LeftOut,
}

pub(crate) fn thread(thread: &Thread, load: Load, turns: Turns, store: &Store) -> Value {
    let turns: Vec<Value> = match turns {
        Turns::Included => thread.turns.iter().map(|turn| self::turn(turn, Items::Full)).collect(),
        Turns::LeftOut => Vec::new(),
    };
    let environments = json!([{ "environmentId": "local", "cwd": thread.cwd,
        "runtimeWorkspaceRoots": [thread.cwd] }]);
    json!({
        "id": thread.id, "environments": (load != Load::NotLoaded).then_some(environments), "extra": null, "sessionId": thread.id, "forkedFromId": null,
        "attachedToThreadId": null, "parentThreadId": null, "preview": thread.preview, "ephemeral": false,
        "section": null, "sectionEnteredAt": null, "projectId": null, "historyMode": "paginated",
        "modelProvider": "scripted", "model": "scripted", "reasoningEffort": null,
        "createdAt": thread.created_at, "updatedAt": thread.updated_at, "recencyAt": thread.updated_at,
        "status": load.to_json(), "path": store.path(&thread.id), "cwd": thread.cwd,
        "cliVersion": super::VERSION, "originator": "scripted", "source": "vscode",
        "canAcceptDirectInput": load != Load::NotLoaded, "threadSource": null, "agentNickname": null,
        "agentRole": null, "gitInfo": null, "name": null, "daybreakEnabled": null, "turns": turns,
    })
}

/// What `thread/start` and `thread/resume` answer.
pub(crate) fn opened(opened: &Thread, load: Load, turns: Turns, store: &Store) -> Value {
    json!({
        "thread": thread(opened, load, turns, store), "model": "scripted", "modelProvider": "scripted",
        "serviceTier": null, "disabledPluginIds": [], "cwd": opened.cwd,
        "runtimeWorkspaceRoots": [opened.cwd], "instructionSources": [],
        "approvalPolicy": opened.approval_policy, "approvalsReviewer": "user", "sandbox": opened.sandbox,
        "activePermissionProfile": null, "reasoningEffort": null, "multiAgentMode": "explicitRequestOnly",
    })
}

/// What `thread/resume` answers: the same, and where its history could be paged on.
pub(crate) fn resumed(thread: &Thread, load: Load, turns: Turns, store: &Store) -> Value {
    let mut resumed = opened(thread, load, turns, store);
    let settings = json!({ "model": "scripted", "reasoning_effort": null, "developer_instructions": null });
    resumed["collaborationMode"] = json!({ "mode": "default", "settings": settings });
    resumed["initialTurnsPage"] = Value::Null;
    resumed["turnsBackwardsCursor"] = json!("turns");
    resumed["itemsBackwardsCursor"] = json!("items");
    resumed
}

/// Which turn of a thread nobody has read, as `thread/read` tells it: always the first.
pub(crate) fn read_state(thread: &Thread) -> Value {
    let first = thread.turns.first().map(|turn| json!({ "type": "turn", "turnId": turn.id }));
    json!({ "firstUnread": first, "revision": super::fresh_id() })
}

/// How much of a turn's items is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    /// None, as while it runs.
    NotLoaded,
    /// The last agent message, as when it completes.
    Summary,
    /// All.
    Full,
}

pub(crate) fn turn(turn: &Turn, items: Items) -> Value {
    let last_message = || turn.items.iter().rev().find(|item| item["type"] == "agentMessage").cloned();
    let (shown, view): (Vec<Value>, _) = match items {
        Items::NotLoaded => (Vec::new(), "notLoaded"),
        Items::Summary => (last_message().into_iter().collect(), "summary"),
        Items::Full => (turn.items.clone(), "full"),
    };
    json!({
        "id": turn.id, "rootTurnId": turn.id, "items": shown, "itemsView": view, "status": turn.status,
        "error": turn.error, "startedAt": turn.started_at, "completedAt": turn.completed_at,
        "durationMs": turn.duration_ms,
    })
}

/// The turn in the answer to `turn/start`, which has no times yet.
pub(crate) fn accepted_turn(id: &str) -> Value {
    json!({
        "id": id, "rootTurnId": id, "items": [], "itemsView": "notLoaded", "status": Status::InProgress,
        "error": null, "startedAt": null, "completedAt": null, "durationMs": null,
    })
}

pub(crate) fn user_message(id: &str, mut content: Vec<Value>) -> Value {
    for part in content.iter_mut().filter(|part| part["type"] == "text") {
        part["text_elements"] = json!([]);
    }
    json!({ "type": "userMessage", "id": id, "clientId": null, "content": content,
        "startedAtMs": unix_ms(), "completedAtMs": null })
}

pub(crate) fn agent_message(id: &str, text: &str) -> Value {
    json!({ "type": "agentMessage", "moderation": null, "id": id, "text": text, "phase": null,
        "memoryCitation": null, "delivery": null, "questions": null,
        "startedAtMs": unix_ms(), "completedAtMs": null })
}

pub(crate) fn command(id: &str, command: &str, cwd: &str) -> Value {
    json!({ "type": "commandExecution", "id": id, "pluginId": null, "scriptPath": null,
        "command": format!("/bin/bash -lc '{command}'"), "cwd": cwd, "processId": null, "source": "agent",
        "status": "inProgress", "commandActions": [{ "type": "unknown", "command": command }],
        "aggregatedOutput": null, "exitCode": null, "durationMs": null,
        "startedAtMs": unix_ms(), "completedAtMs": null })
}

/// What `item/commandExecution/requestApproval` asks.
pub(crate) fn approval(thread: &str, turn: &str, item: &Value) -> Value {
    let words: Vec<&str> =
        item["commandActions"][0]["command"].as_str().unwrap_or_default().split_whitespace().collect();
    json!({ "kind": "command", "threadId": thread, "turnId": turn, "itemId": item["id"],
        "startedAtMs": item["startedAtMs"], "environmentId": "local", "command": item["command"],
        "cwd": item["cwd"], "commandActions": item["commandActions"], "proposedExecpolicyAmendment": words,
        "availableDecisions": ["accept",
            { "acceptWithExecpolicyAmendment": { "execpolicy_amendment": words } }, "cancel"] })
}

/// A new file.
pub(crate) fn change(id: &str, path: &str) -> Value {
    json!({ "type": "fileChange", "id": id, "status": "inProgress",
        "changes": [{ "path": path, "kind": { "type": "add" }, "diff": "new words\n" }],
        "startedAtMs": unix_ms(), "completedAtMs": null })
}

/// What `item/fileChange/requestApproval` asks.
pub(crate) fn change_approval(thread: &str, turn: &str, item: &Value) -> Value {
    json!({ "threadId": thread, "turnId": turn, "itemId": item["id"], "startedAtMs": item["startedAtMs"],
        "reason": null, "grantRoot": null })
}

/// What `model/list` answers.
pub(crate) fn models() -> Value {
    let model = |name: &str, default: bool| {
        let effort = |word: &str| json!({ "reasoningEffort": word, "description": word });
        json!({ "id": name, "model": name, "displayName": name, "description": "", "hidden": false,
            "isDefault": default, "defaultReasoningEffort": "medium",
            "supportedReasoningEfforts": [effort("medium"), effort("high")] })
    };
    json!({ "data": [model("scripted", true), model("scripted-mini", false)], "nextCursor": null })
}

pub(crate) fn failure(message: &str) -> Value {
    json!({ "message": message, "codexErrorInfo": "other", "additionalDetails": null, "misalignment": null })
}

pub(crate) fn token_usage(thread: &str, turn: &str) -> Value {
    let usage = json!({ "totalTokens": 15, "inputTokens": 10, "cachedInputTokens": 0, "cacheWriteInputTokens": 0,
        "outputTokens": 5, "reasoningOutputTokens": 0 });
    json!({ "threadId": thread, "turnId": turn,
        "tokenUsage": { "total": usage, "last": usage, "modelContextWindow": 258_400 } })
}

pub(crate) fn rate_limits() -> Value {
    json!({ "rateLimits": { "limitId": "codex", "limitName": null, "normalModelSlug": null, "primary": null,
        "secondary": null, "credits": null, "individualLimit": null, "spendControlReached": null,
        "planType": null, "rateLimitReachedType": null } })
}
