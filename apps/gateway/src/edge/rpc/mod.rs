//! The gateway's own methods: one table, served on `/ws` and at `POST /rpc`, an adapter for each envelope.

mod automation;
pub(super) mod cron;
pub(super) mod heartbeat;
mod http;
mod methods;
pub(super) mod nodes;
mod places;
pub(super) mod system_events;
mod tokens;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use argus_protocol::argus::SessionParams;
use argus_protocol::error::INTERNAL;
use argus_protocol::token::scope::Scope;
use argus_protocol::{Frame, FrameKind, RpcError, SessionId, frame};
use jsonrpsee::RpcModule;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Edge;
use super::auth::{Grant, not_for};
use crate::automation::line::Place;

pub(super) use http::call as http;
pub use places::Places;

/// Who calls a method.
#[derive(Clone)]
pub(super) struct Caller {
    /// The session of the caller's connection, or of its token; `None` for the operator at `POST /rpc`.
    pub(super) session: Option<SessionId>,
    /// What its token opens.
    pub(super) grant: Grant,
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// Only who has the operator's token, or one that is as good.
    Operator,
    /// Programs with a token for one session too, for that session.
    Clients,
}

/// The call's place among the calls of its connection, until the method takes it.
#[derive(Clone)]
pub(super) struct InLine(Arc<Mutex<Place>>);

impl InLine {
    fn new(place: Place) -> Self {
        Self(Arc::new(Mutex::new(place)))
    }

    fn take(&self) -> Place {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The table for one connection.
#[derive(Clone)]
pub(super) struct Methods {
    /// Made with the first call: most connections make none.
    module: Arc<OnceLock<RpcModule<Edge>>>,
    edge: Edge,
    caller: Caller,
}

impl Methods {
    /// The table, as this caller sees it.
    pub(super) fn of(edge: Edge, caller: Caller) -> Self {
        Self { module: Arc::default(), edge, caller }
    }

    fn module(&self) -> &RpcModule<Edge> {
        self.module.get_or_init(|| {
            let mut module = methods::table(self.edge.clone());
            module.extensions_mut().insert(self.caller.clone());
            module
        })
    }

    /// Notes that the caller answered a question of the agent.
    pub(super) fn note_answer(&self, question: &str, outcome: &str) {
        self.edge.access.audit().answered(&self.caller.grant.author(), question, outcome);
    }

    /// Calls a method by a frame of `/ws`; the reply in the same form, `None` for a notification.
    pub(super) async fn call(&self, request: &Frame, place: Place) -> Option<bytes::Bytes> {
        let outcome = self.outcome(request.method(), request.params(), place).await;
        let id = request.id().filter(|id| request.kind() == FrameKind::Request && *id != "null")?;
        Some(match outcome {
            Ok(result) => frame::reply(id, &result),
            Err(error) => frame::reply_error(id, &error),
        })
    }

    /// Whether the caller's token is for that method. One that there is not is not refused here.
    fn permit(&self, method: &str) -> Result<(), RpcError> {
        let grant = &self.caller.grant;
        let may = match (methods::who_may(method), grant.scope()) {
            (None, _) | (_, Scope::Operator) | (Some(May::Clients), Scope::Client(_)) => true,
            (Some(May::Clients | May::Operator), _) => false,
        };
        if may {
            return Ok(());
        }
        self.edge.access.audit().refused(&grant.author(), method, "the token is for something else");
        Err(RpcError::forbidden(not_for(grant, method)))
    }

    /// Runs a method; its result as JSON text. Whatever the caller's id was, the table sees its own: it would refuse
    /// ids that the wire allows.
    async fn outcome(&self, method: &str, params: Option<&str>, place: Place) -> Result<String, RpcError> {
        #[derive(Deserialize)]
        struct Reply {
            result: Option<Box<RawValue>>,
            error: Option<RpcError>,
        }
        self.permit(method)?;
        let params = params.filter(|text| text.starts_with('{')).unwrap_or("{}");
        let request = format!(r#"{{"jsonrpc":"2.0","id":0,"method":{},"params":{params}}}"#, json!(method));
        // A method that panics must not take the connection with it.
        let mut module = self.module().clone();
        module.extensions_mut().insert(InLine::new(place));
        let call = tokio::spawn(async move { module.raw_json_request(&request, 1).await });
        let reply = match call.await {
            Ok(Ok((reply, _))) => serde_json::from_str::<Reply>(reply.get()).ok(),
            Ok(Err(_)) | Err(_) => None,
        };
        match reply {
            Some(Reply { result: Some(result), .. }) => Ok(String::from(Box::<str>::from(result))),
            Some(Reply { error: Some(error), .. }) => Err(named(error, method)),
            _ => {
                tracing::error!(method, "a method of ours failed without an answer");
                Err(RpcError::new(INTERNAL, "the gateway failed; its log says more"))
            }
        }
    }
}

/// The reference names the method that is not found; clients look for it.
fn named(mut error: RpcError, method: &str) -> RpcError {
    if error.code == argus_protocol::error::METHOD_NOT_FOUND {
        error.message = format!("Method not found: {method}");
    }
    error
}

/// The session that a call is about: the connection's own, or the one it names, or the default one.
pub(super) async fn session_of(
    edge: &Edge,
    caller: &Caller,
    named: Option<&str>,
) -> Result<SessionId, RpcError> {
    match (&caller.session, named) {
        (Some(own), Some(named)) if named != own.as_str() && caller.grant.scope().session().is_some() => {
            Err(RpcError::forbidden(format!("this token is for session `{own}`, not for `{named}`")))
        }
        (Some(own), Some(named)) if named != own.as_str() => Err(RpcError::invalid_params(format!(
            "this connection belongs to session `{own}`, not to `{named}`"
        ))),
        // A token outlives its session by a moment.
        (Some(own), _) if caller.grant.scope().session().is_some() && !edge.sessions.knows(own).await => {
            Err(RpcError::failed(format!("Unknown session `{own}`")))
        }
        (Some(own), _) => Ok(own.clone()),
        (None, None) => edge.default_session().await,
        (None, Some("default")) if edge.sessions.fixed().is_none() => edge.default_session().await,
        (None, Some(named)) => {
            let id: SessionId =
                named.parse().map_err(|error| RpcError::invalid_params(format!("'sessionId': {error}")))?;
            if edge.sessions.knows(&id).await {
                Ok(id)
            } else {
                Err(RpcError::failed(format!("Unknown session `{id}`")))
            }
        }
    }
}

/// [`session_of`] for parameters that hold nothing else.
pub(super) async fn session_of_params(
    edge: &Edge,
    caller: &Caller,
    params: SessionParams,
) -> Result<SessionId, RpcError> {
    session_of(edge, caller, params.session_id.as_deref()).await
}
