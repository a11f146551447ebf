//! `argus/cron/*`: scheduled jobs, each session's own.

use argus_protocol::argus::SessionParams;
use argus_protocol::argus::cron::{
    ADD, Begun, HISTORY, History, Jobs, Kept, LIST, List, PAUSE, REMOVE, RESUME, RUN, Removed, STATUS,
    Status, UPDATE, Which, Wish,
};
use argus_protocol::token::scope::Scope;
use argus_protocol::{RpcError, SessionId, error};
use jsonrpsee::RpcModule;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::Edge;
use super::methods::{Method, read, tell, who};
use super::{Caller, May, session_of};
use crate::automation::cron::CronError;
use crate::delivery::Reach;

/// Scheduled jobs.
pub(super) const METHODS: [Method; 9] = [
    Method { name: STATUS, may: May::Clients, register: |module, name| register(module, name, status) },
    Method { name: LIST, may: May::Clients, register: |module, name| register(module, name, list) },
    Method { name: ADD, may: May::Clients, register: |module, name| register(module, name, add) },
    Method { name: UPDATE, may: May::Clients, register: |module, name| register(module, name, update) },
    Method { name: REMOVE, may: May::Clients, register: |module, name| register(module, name, remove) },
    Method { name: RUN, may: May::Clients, register: |module, name| register(module, name, run) },
    Method { name: HISTORY, may: May::Clients, register: |module, name| register(module, name, history) },
    Method { name: PAUSE, may: May::Clients, register: |module, name| register(module, name, pause) },
    Method { name: RESUME, may: May::Clients, register: |module, name| register(module, name, resume) },
];

/// Registers a function of a caller and its parameters.
fn register<P, T, D>(module: &mut RpcModule<Edge>, name: &'static str, deed: fn(Edge, Caller, P) -> D)
where
    P: DeserializeOwned + Send + 'static,
    T: Serialize + Clone + Send + 'static,
    D: Future<Output = Result<T, RpcError>> + Send + 'static,
{
    _ = module.register_async_method(name, move |params, edge, caller| async move {
        let (params, caller) = (read(&params)?, who(&caller)?);
        deed((*edge).clone(), caller, params).await.map_err(tell)
    });
}

async fn status(edge: Edge, by: Caller, wish: SessionParams) -> Result<Status, RpcError> {
    let session = session_of(&edge, &by, wish.session_id.as_deref()).await?;
    Ok(edge.automation.cron_status(&session).await)
}

async fn list(edge: Edge, by: Caller, wish: List) -> Result<Jobs, RpcError> {
    let session = session_of(&edge, &by, wish.session_id.as_deref()).await?;
    Ok(edge.automation.list_jobs(&session, wish.include_disabled).await)
}

async fn add(edge: Edge, by: Caller, wish: Wish) -> Result<Kept, RpcError> {
    let session = session_of(&edge, &by, wish.session_id.as_deref()).await?;
    edge.automation.add_job(&session, &wish, reach(&by)).await.map_err(told)
}

async fn update(edge: Edge, by: Caller, wish: Wish) -> Result<Kept, RpcError> {
    let session = session_of(&edge, &by, wish.session_id.as_deref()).await?;
    edge.automation.update_job(&session, &wish, reach(&by)).await.map_err(told)
}

async fn remove(edge: Edge, by: Caller, which: Which) -> Result<Removed, RpcError> {
    let (session, id) = meant(&edge, &by, &which).await?;
    edge.automation.remove_job(&session, &id).await.map_err(told)
}

async fn run(edge: Edge, by: Caller, which: Which) -> Result<Begun, RpcError> {
    let (session, id) = meant(&edge, &by, &which).await?;
    edge.automation.run_job(&session, &id).await.map_err(told)
}

async fn history(edge: Edge, by: Caller, which: Which) -> Result<History, RpcError> {
    let (session, id) = meant(&edge, &by, &which).await?;
    edge.automation.job_history(&session, &id, which.limit).await.map_err(told)
}

async fn pause(edge: Edge, by: Caller, which: Which) -> Result<Kept, RpcError> {
    let (session, id) = meant(&edge, &by, &which).await?;
    edge.automation.pause_job(&session, &id).await.map_err(told)
}

async fn resume(edge: Edge, by: Caller, which: Which) -> Result<Kept, RpcError> {
    let (session, id) = meant(&edge, &by, &which).await?;
    edge.automation.resume_job(&session, &id).await.map_err(told)
}

/// The session and the job.
async fn meant(edge: &Edge, by: &Caller, which: &Which) -> Result<(SessionId, String), RpcError> {
    let session = session_of(edge, by, which.session_id.as_deref()).await?;
    let id = which.job_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    Ok((session, id.ok_or_else(|| told(CronError::Missing("jobId")))?.to_owned()))
}

/// Whom a caller may name.
pub(in super::super) fn reach(by: &Caller) -> Reach {
    match by.grant.scope() {
        Scope::Operator => Reach::Everywhere,
        Scope::Client(_) | Scope::Mcp(_) | Scope::Node(_) => Reach::ItsChats,
    }
}

/// Programs find the code of the reference and the member beside the words.
fn told(problem: CronError) -> RpcError {
    let message = problem.to_string();
    let (code, data) = match problem {
        CronError::Missing(field) | CronError::Wrong { field, .. } => {
            (error::INVALID_PARAMS, Some(json!({ "code": "INVALID_ARGUMENT", "field": field })))
        }
        CronError::NoJob(id) => (error::FAILED, Some(json!({ "code": "NOT_FOUND", "jobId": id }))),
        CronError::NotItsChat { .. } => (error::FORBIDDEN, None),
        CronError::Failed(_) => (error::FAILED, None),
    };
    RpcError { code, message, data }
}
