//! The protocol's side of `/mcp`: who we are, which tools there are, and a call of one.

use std::sync::Arc;

use argus_protocol::ThreadId;
use axum::http::request::Parts;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, Implementation, ListToolsResult,
    PaginatedRequestParams, RequestMetaObject, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};

use super::super::Edge;
use super::super::auth::Admission;
use super::super::rpc::Caller;
use super::answer::Refusal;
use super::sessions::{Session, Sessions};
use super::tools::{self, Call, Progress};

/// What a model is told of all tools together.
const INSTRUCTIONS: &str = "\
These are the powers of the Argus gateway that runs you. Commands run on nodes: `self` is the machine (mostly a container) \
that your own session runs on; other nodes are devices of the owner. Look with nodes_list, act with node_invoke. What takes \
long goes on in the background: its end reaches you by itself as a system event, so do not wait for it in a loop. \
Plans for later are jobs of cron, and regular checks are the heartbeat with HEARTBEAT.md. Your usual answer goes to the chat \
by itself; message_send is for files, and for what is to be said beside the answer. A result with an error says what to do.";

/// Answers the messages of all sessions. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Handler {
    edge: Edge,
    sessions: Sessions,
}

impl Handler {
    pub(super) fn new(edge: Edge, sessions: Sessions) -> Self {
        Self { edge, sessions }
    }

    /// Does what a call asks for.
    async fn perform(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let parts = context.extensions.get::<Parts>();
        let known = parts.and_then(|parts| match parts.extensions.get::<Admission>() {
            Some(Admission::Known(grant)) => Some((grant.clone(), parts.extensions.get::<Arc<Session>>()?)),
            _ => None,
        });
        let Some((grant, session)) = known else {
            return Refusal::new("INTERNAL_ERROR", "the gateway does not know who calls; its log says more")
                .into_result();
        };
        let Some(place) = session.place() else {
            let most = self.sessions.most_calls();
            let words =
                format!("{most} calls are under way in this MCP session; wait until one of them ends");
            return Refusal::new("BUSY", words).into_result();
        };
        let session = match self.edge.session_of_token(&grant).await {
            Ok(session) => session,
            Err(error) => return Refusal::new("NOT_READY", error.message).into_result(),
        };
        let caller = Caller { session, grant };
        let call = Call {
            edge: self.edge.clone(),
            caller,
            arguments: request.arguments.unwrap_or_default(),
            thread: thread_of(&context.meta),
            progress: context
                .meta
                .get_progress_token()
                .map(|token| Progress::new(token, context.peer.clone())),
            cancel: context.ct.clone(),
        };
        // A tool that panics must not leave its caller without an answer.
        let done = tokio::spawn(tools::call(request.name.into_owned(), call)).await;
        drop(place);
        match done {
            Ok(Ok(told)) => told.into_result(),
            Ok(Err(refusal)) => refusal.into_result(),
            Err(error) => {
                tracing::error!(%error, "a tool failed without an answer");
                Refusal::new("INTERNAL_ERROR", "the gateway failed; its log says more").into_result()
            }
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut ourselves = Implementation::new("argus_gateway", env!("CARGO_PKG_VERSION"));
        ourselves.title = Some("Argus Gateway MCP".to_owned());
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities).with_server_info(ourselves).with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::published().iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::published().to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            let name: String = request.name.chars().take(64).collect();
            return Err(ErrorData::invalid_params(format!("Unknown tool: {name}"), None));
        }
        Ok(self.perform(request, context).await.into())
    }
}

/// The agent's thread in which a tool is called, as Codex names it.
fn thread_of(meta: &RequestMetaObject) -> Option<ThreadId> {
    let turn = meta.get("x-codex-turn-metadata");
    let named = meta.get("threadId").or_else(|| turn.and_then(|turn| turn.get("thread_id")));
    named.and_then(|thread| thread.as_str()).and_then(|thread| thread.parse().ok())
}
