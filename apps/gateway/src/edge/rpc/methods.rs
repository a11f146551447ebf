//! `argus/*`: every method on one page.

use std::time::Duration;

use argus_protocol::argus::{SessionParams, channel, chat, input, pairing, thread};
use argus_protocol::{RpcError, SessionId, error};
use argus_session::Answer;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{Extensions, RpcModule};
use serde::de::DeserializeOwned;
use serde_json::json;

use tokio::time::timeout;

use super::super::Edge;
use super::{Caller, InLine, session_of, session_of_params};

/// How long a caller waits for a main thread.
const PATIENCE: Duration = Duration::from_mins(2);

/// The table.
pub(super) fn table(edge: Edge) -> RpcModule<Edge> {
    let mut module = RpcModule::new(edge);
    let mut add =
        |name: &'static str, register: fn(&mut RpcModule<Edge>, &'static str)| register(&mut module, name);
    add(input::ENQUEUE, |module, name| {
        _ = module.register_async_method(name, |params, edge, caller| async move {
            let request: input::Enqueue = read(&params)?;
            let session =
                session_of(&edge, &who(&caller)?, request.session_id.as_deref()).await.map_err(tell)?;
            let place = caller.get::<InLine>().map(InLine::take).unwrap_or_default();
            edge.intake.enqueue(&session, request, place).await.map_err(tell)
        });
    });
    add(thread::MAIN_ENSURE, |module, name| {
        _ = module.register_async_method(name, |params, edge, caller| async move {
            let params: SessionParams = read(&params)?;
            let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
            main_thread(&edge, &session).await.map_err(tell)
        });
    });
    add(chat::RECEIVE, |module, name| {
        _ = module.register_async_method(name, |params, edge, _| async move {
            let message: chat::Receive = read(&params)?;
            edge.chats.receive(&message).await.map_err(|error| tell(error.into()))
        });
    });
    add(chat::MOVED, |module, name| {
        _ = module.register_async_method(name, |params, edge, _| async move {
            let moved: chat::Moved = read(&params)?;
            edge.chats.moved(&moved).await.map_err(|error| tell(error.into()))?;
            Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
        });
    });
    add(channel::REPORT, |module, name| {
        _ = module.register_async_method(name, |params, edge, _| async move {
            let report: channel::Report = read(&params)?;
            edge.standing.receiver_reports(report);
            Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
        });
    });
    add(pairing::CODE, |module, name| {
        _ = module.register_async_method(name, |_, edge, _| async move {
            edge.chats.pairing_code().await.map_err(|error| tell(error.into()))
        });
    });
    module
}

/// The session's main thread, made when there is none.
async fn main_thread(edge: &Edge, session: &SessionId) -> Result<thread::MainThread, RpcError> {
    let (handle, place) = (edge.sessions.get(session), edge.ensuring.take(session)?);
    // The session goes on with it when the caller has no patience left; only then is the place free again.
    let asked = tokio::spawn(async move {
        let answer = handle.ensure_main().await;
        drop(place);
        answer
    });
    let Ok(Ok(answer)) = timeout(PATIENCE, asked).await else {
        let words = format!("session `{session}` has no main thread yet; it goes on trying, ask again later");
        return Err(RpcError::failed(words));
    };
    match answer {
        Ok(Answer::Thread(thread_id)) => Ok(thread::MainThread { thread_id }),
        Ok(Answer::Failed(reason)) => Err(RpcError::failed(reason)),
        Ok(_) => Err(RpcError::failed("the session gave no thread")),
        Err(error) => Err(RpcError::failed(error.to_string())),
    }
}

fn read<T: DeserializeOwned>(params: &Params<'_>) -> Result<T, ErrorObjectOwned> {
    let text = params.as_str().unwrap_or("{}");
    serde_json::from_str(text).map_err(|error| {
        let message = match error.to_string() {
            // The reference's words, which clients know.
            missing if missing.starts_with("missing field `text`") => "Missing 'text'".to_owned(),
            other => format!("the parameters are not what this method takes: {other}"),
        };
        tell(RpcError::invalid_params(message))
    })
}

fn who(extensions: &Extensions) -> Result<Caller, ErrorObjectOwned> {
    let caller = extensions.get::<Caller>().cloned();
    caller.ok_or_else(|| tell(RpcError::new(error::INTERNAL, "the caller is not known")))
}

fn tell(error: RpcError) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(error.code, error.message, error.data)
}
