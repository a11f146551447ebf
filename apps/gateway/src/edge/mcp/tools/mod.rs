//! Every tool on one page, and how a call finds its own.

mod cron;
mod heartbeat;
mod invoke;
mod message;
mod nodes;
mod sessions;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argus_protocol::{SessionId, ThreadId};
use futures::future::{BoxFuture, FutureExt as _};
use rmcp::model::{JsonObject, ProgressNotificationParam, ProgressToken, Tool, ToolAnnotations};
use rmcp::service::{Peer, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::Edge;
use super::super::rpc::{Caller, session_of};
use super::answer::{Refusal, Told};
use super::check::check;

/// One call of a tool.
pub(super) struct Call {
    pub(super) edge: Edge,
    pub(super) caller: Caller,
    pub(super) arguments: JsonObject,
    /// The agent's thread in which it is called, where the client says so.
    pub(super) thread: Option<ThreadId>,
    /// Whom to tell that it goes on, where the client wants to hear of it.
    pub(super) progress: Option<Progress>,
    /// Cancelled when nobody wants the result any more.
    pub(super) cancel: CancellationToken,
}

/// What a tool does.
type Deed = fn(Call) -> BoxFuture<'static, Result<Told, Refusal>>;

/// A tool, as it is published and done.
struct Kind {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The schema of its arguments.
    schema: fn() -> Value,
    hints: Hints,
    deed: Deed,
}

/// What a client is told about a tool's consequences.
enum Hints {
    /// It only looks.
    Looks,
    /// It does something; how.
    Does(Consequences),
}

struct Consequences {
    /// Something may be lost.
    destructive: bool,
    /// It reaches what is outside of Argus.
    open_world: bool,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "nodes_list",
        title: "List nodes",
        description: nodes::LIST,
        schema: nodes::list_schema,
        hints: Hints::Looks,
        deed: |call| async move { Ok(nodes::list(&call)) }.boxed(),
    },
    Kind {
        name: "node_invoke",
        title: "Run a command on a node",
        description: invoke::DESCRIPTION,
        schema: invoke::schema,
        hints: Hints::Does(Consequences { destructive: true, open_world: true }),
        deed: |call| invoke::call(call).boxed(),
    },
    Kind {
        name: "cron",
        title: "Scheduled jobs",
        description: cron::DESCRIPTION,
        schema: cron::schema,
        hints: Hints::Does(Consequences { destructive: true, open_world: false }),
        deed: |call| cron::call(call).boxed(),
    },
    Kind {
        name: "message_send",
        title: "Send a message",
        description: message::DESCRIPTION,
        schema: message::schema,
        hints: Hints::Does(Consequences { destructive: false, open_world: true }),
        deed: |call| message::call(call).boxed(),
    },
    Kind {
        name: "heartbeat",
        title: "Heartbeat",
        description: heartbeat::DESCRIPTION,
        schema: heartbeat::schema,
        hints: Hints::Does(Consequences { destructive: false, open_world: false }),
        deed: |call| heartbeat::call(call).boxed(),
    },
    Kind {
        name: "sessions_list",
        title: "List sessions",
        description: sessions::DESCRIPTION,
        schema: sessions::schema,
        hints: Hints::Looks,
        deed: |call| sessions::call(call).boxed(),
    },
];

/// All tools, as clients are told them.
pub(super) fn published() -> &'static [Tool] {
    static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| KINDS.iter().map(publish).collect());
    &TOOLS
}

fn publish(kind: &Kind) -> Tool {
    let Value::Object(schema) = (kind.schema)() else { unreachable!("a schema is an object") };
    let hints = ToolAnnotations::with_title(kind.title);
    let hints = match &kind.hints {
        Hints::Looks => hints.read_only(true).destructive(false).idempotent(true).open_world(false),
        Hints::Does(Consequences { destructive, open_world }) => {
            hints.read_only(false).destructive(*destructive).idempotent(false).open_world(*open_world)
        }
    };
    let description = Cow::Borrowed(kind.description);
    Tool::new_with_raw(kind.name, Some(description), Arc::new(schema))
        .with_title(kind.title)
        .with_annotations(hints)
}

/// Does what a call of that tool asks for.
pub(super) async fn call(name: String, call: Call) -> Result<Told, Refusal> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        return Err(Refusal::new("UNKNOWN_TOOL", format!("there is no tool `{name}`")));
    };
    let published = published().iter().find(|tool| tool.name == name).map(Tool::schema_as_json_value);
    check(&published.unwrap_or_default(), &Value::Object(call.arguments.clone()))?;
    (kind.deed)(call).await
}

impl Call {
    /// The arguments, as the tool takes them.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let arguments = Value::Object(self.arguments.clone());
        serde_json::from_value(arguments).map_err(|error| {
            Refusal::new("INVALID_ARGUMENT", format!("the arguments cannot be taken: {error}"))
        })
    }

    /// The session that is meant: the caller's own, or for the operator the one that is named, or the default one.
    async fn session(&self) -> Result<SessionId, Refusal> {
        let named = self.arguments.get("sessionId").and_then(Value::as_str);
        Ok(session_of(&self.edge, &self.caller, named).await?)
    }
}

/// Whom to tell that a call goes on.
pub(super) struct Progress {
    token: ProgressToken,
    peer: Peer<RoleServer>,
}

/// A client that does not take what it is told is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Progress {
    pub(super) fn new(token: ProgressToken, peer: Peer<RoleServer>) -> Self {
        Self { token, peer }
    }

    /// Tells how far it is, in seconds.
    async fn tell(&self, done: Duration, of: Duration, words: String) {
        let step = ProgressNotificationParam::new(self.token.clone(), done.as_secs_f64().round())
            .with_total(of.as_secs_f64())
            .with_message(words);
        _ = tokio::time::timeout(PATIENCE, self.peer.notify_progress(step)).await;
    }
}

/// The property by which the operator names a session.
fn session_property() -> Value {
    json!({ "type": "string", "maxLength": 128, "description":
        "The session that is meant. Leave it out: it is your own. Only the operator may name another." })
}
