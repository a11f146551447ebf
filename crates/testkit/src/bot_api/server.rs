//! The door of the Bot API server: token, method, faults, answer.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

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

pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/{bot}/{method}", any(answer))
        .fallback(|| async { Refusal::not_found() })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(desk)
}

async fn answer(
    Shared(desk): Shared<Desk>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Path((bot, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(token) = bot.strip_prefix("bot") else { return Refusal::not_found().into_response() };
    if !desk.read(|state| state.token == token) {
        return Refusal::unauthorized().into_response();
    }
    let method = method.to_ascii_lowercase();
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let params = match Params::read(query.as_deref(), &content_type, body).await {
        Ok(params) => params,
        Err(refusal) => return refusal.into_response(),
    };
    let fault = desk.write(|state| {
        state.calls.push(Call { method: method.clone(), params: params.0.clone(), at: Instant::now() });
        state.faults.meet(&method)
    });
    let Some(fault) = fault else { return perform(&desk, &method, &params).await };
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
            cut(&cutter)
        }
        Fault::Late(time) => {
            let response = perform(&desk, &method, &params).await;
            tokio::time::sleep(time).await;
            response
        }
        Fault::DropAfterAccept => {
            perform(&desk, &method, &params).await;
            cut(&cutter)
        }
        _ => cut(&cutter),
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
