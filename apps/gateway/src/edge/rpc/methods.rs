//! `argus/*`: every method on one page.

use std::time::Duration;

use argus_protocol::argus::{SessionParams, channel, chat, input, message, pairing, thread, token};
use argus_protocol::token::scope::Scope;
use argus_protocol::{RpcError, SessionId, error};
use argus_session::Answer;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{Extensions, RpcModule};
use serde::de::DeserializeOwned;
use serde_json::json;

use tokio::time::timeout;

use super::super::Edge;
use super::super::auth::not_for;
use super::{
    Caller, InLine, May, automation, cron, heartbeat, nodes, session_of, session_of_params, system_events,
    tokens,
};
use crate::access::Act;
use crate::delivery::Reach;

/// How long a caller waits for a main thread.
const PATIENCE: Duration = Duration::from_mins(2);

/// One method: its name, who may call it, and how it is registered.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) may: May,
    pub(super) register: fn(&mut RpcModule<Edge>, &'static str),
}

/// Every table.
const TABLES: [&[Method]; 6] = [
    &METHODS,
    &system_events::METHODS,
    &cron::METHODS,
    &heartbeat::METHODS,
    &automation::METHODS,
    &nodes::METHODS,
];

/// Sessions, chats, channels, people and tokens.
const METHODS: [Method; 15] = [
    Method {
        name: input::ENQUEUE,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: input::Enqueue = read(&params)?;
                let who = who(&caller)?;
                speaks_for_itself(&who, &request).map_err(tell)?;
                let session = session_of(&edge, &who, request.session_id.as_deref()).await.map_err(tell)?;
                let place = caller.get::<InLine>().map(InLine::take).unwrap_or_default();
                edge.intake.enqueue(&session, request, place).await.map_err(tell)
            });
        },
    },
    Method {
        name: thread::MAIN_ENSURE,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let params: SessionParams = read(&params)?;
                let session = session_of_params(&edge, &who(&caller)?, params).await.map_err(tell)?;
                main_thread(&edge, &session).await.map_err(tell)
            });
        },
    },
    Method {
        name: message::SEND,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: message::Send = read(&params)?;
                let who = who(&caller)?;
                let session = session_of(&edge, &who, request.session_id.as_deref()).await.map_err(tell)?;
                let reach = match who.grant.scope() {
                    Scope::Operator => Reach::Everywhere,
                    _ => Reach::ItsChats,
                };
                edge.sending.send(&session, request, reach).await.map_err(tell)
            });
        },
    },
    Method {
        name: chat::RECEIVE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, _| async move {
                let message: chat::Receive = read(&params)?;
                edge.chats.receive(&message).await.map_err(|error| tell(error.into()))
            });
        },
    },
    Method {
        name: chat::PRESS,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, _| async move {
                let press: chat::Press = read(&params)?;
                edge.chats.press(&press).await.map_err(|error| tell(error.into()))
            });
        },
    },
    Method {
        name: chat::MOVED,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, _| async move {
                let moved: chat::Moved = read(&params)?;
                edge.chats.moved(&moved).await.map_err(|error| tell(error.into()))?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: channel::REPORT,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, _| async move {
                let report: channel::Report = read(&params)?;
                edge.standing.receiver_reports(report);
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: pairing::CODE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |_, edge, caller| async move {
                let by = who(&caller)?.grant.author();
                let noted = edge.access.audit().note(&by, Act::PairingCodeShown, "", "done").await;
                noted.map_err(|error| tell(RpcError::failed(error)))?;
                edge.chats.pairing_code().await.map_err(|error| tell(error.into()))
            });
        },
    },
    Method {
        name: pairing::LIST,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |_, edge, _| async move {
                edge.chats.people().await.map_err(|error| tell(error.into()))
            });
        },
    },
    Method {
        name: pairing::APPROVE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let wish: pairing::Approve = read(&params)?;
                note_person(&edge, &who(&caller)?, Act::PersonApproved, &wish.who.id).await?;
                edge.chats.approve(&wish).await.map_err(|error| tell(error.into()))?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: pairing::REVOKE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let wish: pairing::Who = read(&params)?;
                note_person(&edge, &who(&caller)?, Act::PersonRevoked, &wish.id).await?;
                edge.chats.revoke(&wish).await.map_err(|error| tell(error.into()))?;
                Ok::<_, ErrorObjectOwned>(json!({ "ok": true }))
            });
        },
    },
    Method {
        name: token::CREATE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                tokens::create(&edge, &who(&caller)?.grant.author(), read(&params)?).await.map_err(tell)
            });
        },
    },
    Method {
        name: token::LIST,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |_, edge, _| async move {
                tokens::list(&edge).await.map_err(tell)
            });
        },
    },
    Method {
        name: token::REVOKE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                tokens::revoke(&edge, &who(&caller)?.grant.author(), read(&params)?).await.map_err(tell)
            });
        },
    },
    Method {
        name: token::ROTATE,
        may: May::Operator,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                tokens::rotate(&edge, &who(&caller)?.grant.author(), read(&params)?).await.map_err(tell)
            });
        },
    },
];

/// Notes that somebody is let in or sent away, before it happens.
async fn note_person(edge: &Edge, by: &Caller, act: Act, id: &str) -> Result<(), ErrorObjectOwned> {
    let subject: String = id.chars().take(64).collect();
    let noted = edge.access.audit().note(&by.grant.author(), act, &subject, "asked for").await;
    noted.map_err(|error| tell(RpcError::failed(error)))
}

/// The table, ready to be called.
pub(super) fn table(edge: Edge) -> RpcModule<Edge> {
    let mut module = RpcModule::new(edge);
    for method in TABLES.into_iter().flatten() {
        (method.register)(&mut module, method.name);
    }
    module
}

/// Who may call a method; `None` where there is none of that name.
pub(super) fn who_may(name: &str) -> Option<May> {
    TABLES.into_iter().flatten().find(|method| method.name == name).map(|method| method.may)
}

/// An answer goes to the chat that is named: only the operator's programs may name one.
fn speaks_for_itself(caller: &Caller, request: &input::Enqueue) -> Result<(), RpcError> {
    if request.source.is_some() && *caller.grant.scope() != Scope::Operator {
        return Err(RpcError::forbidden(not_for(&caller.grant, "source")));
    }
    Ok(())
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

pub(super) fn read<T: DeserializeOwned>(params: &Params<'_>) -> Result<T, ErrorObjectOwned> {
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

pub(super) fn who(extensions: &Extensions) -> Result<Caller, ErrorObjectOwned> {
    let caller = extensions.get::<Caller>().cloned();
    caller.ok_or_else(|| tell(RpcError::new(error::INTERNAL, "the caller is not known")))
}

pub(super) fn tell(error: RpcError) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(error.code, error.message, error.data)
}
