//! The door of the Bot API server: token, method, faults, answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use super::fault::Fault;
use super::params::Params;
use super::record::Call;
use super::reply::{Refusal, done};
use super::state::State;
use super::{methods, updates};
use crate::board::Board;
use crate::loopback::Cutter;

/// Files go up to 50 MB in the service.
const LARGEST_BODY: usize = 50 * 1024 * 1024;

type Desk = Arc<Board<State>>;

/// The bots that are served, by token.
#[derive(Clone, Debug)]
pub(crate) struct Bots(Arc<Mutex<HashMap<String, Desk>>>);

impl Bots {
    pub(crate) fn of(token: &str, desk: Desk) -> Self {
        Self(Arc::new(Mutex::new(HashMap::from([(token.to_owned(), desk)]))))
    }

    pub(crate) fn add(&self, token: &str, desk: Desk) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), desk);
    }

    fn find(&self, token: &str) -> Option<Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}

pub(crate) fn router(bots: Bots) -> Router {
    Router::new()
        .route("/{bot}/{method}", any(answer))
        .route("/file/{bot}/{*path}", get(download))
        .fallback(|| async { Refusal::not_found() })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(bots)
}

async fn answer(
    Shared(bots): Shared<Bots>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Path((bot, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(token) = bot.strip_prefix("bot") else { return Refusal::not_found().into_response() };
    let Some(desk) = bots.find(token) else { return Refusal::unauthorized().into_response() };
    let method = method.to_ascii_lowercase();
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let params = match Params::read(query.as_deref(), &content_type, body).await {
        Ok(params) => params,
        Err(refusal) => return refusal.into_response(),
    };
    let fault = desk.write(|state| {
        state.calls.push(Call { method: method.clone(), params: params.values.clone(), at: Instant::now() });
        state.faults.meet(&method)
    });
    let Some(fault) = fault else { return perform(&desk, &method, &params).await };
    suffer(fault, &cutter, async || perform(&desk, &method, &params).await).await
}

/// `GET /file/bot<token>/<path>`: faults of the method `file` are met here.
async fn download(
    Shared(bots): Shared<Bots>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    let desk = bot.strip_prefix("bot").and_then(|token| bots.find(token));
    let Some(desk) = desk else { return Refusal::unauthorized().into_response() };
    let send = async || match desk.read(|state| state.files.at(&path)) {
        Some(bytes) => ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        None => Refusal::not_found().into_response(),
    };
    let params = serde_json::Map::from_iter([("path".to_owned(), path.clone().into())]);
    let fault = desk.write(|state| {
        state.calls.push(Call { method: "file".to_owned(), params, at: Instant::now() });
        state.faults.meet("file")
    });
    match fault {
        None => send().await,
        Some(fault) => suffer(fault, &cutter, send).await,
    }
}

/// What a call gets that meets a fault; `perform` does what was asked.
async fn suffer(fault: Fault, cutter: &Cutter, perform: impl AsyncFnOnce() -> Response) -> Response {
    if let Some(refusal) = fault.refusal() {
        return refusal.into_response();
    }
    match fault {
        Fault::ServerError(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "<html><body><h1>the proxy is unwell</h1></body></html>").into_response()
        }
        Fault::Hang(time) => {
            tokio::time::sleep(time).await;
            cut(cutter)
        }
        Fault::Late(time) => {
            let response = perform().await;
            tokio::time::sleep(time).await;
            response
        }
        Fault::DropAfterAccept => {
            perform().await;
            cut(cutter)
        }
        _ => cut(cutter),
    }
}

async fn perform(desk: &Desk, method: &str, params: &Params) -> Response {
    let result = if method == "getupdates" {
        updates::poll(desk, params).await
    } else {
        desk.write(|state| methods::call(state, method, params))
    };
    match result {
        Ok(result) => done(&result),
        Err(refusal) => refusal.into_response(),
    }
}

/// Cuts the connection; the response is never written.
fn cut(cutter: &Cutter) -> Response {
    cutter.cut();
    StatusCode::NO_CONTENT.into_response()
}
