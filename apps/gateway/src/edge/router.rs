//! Every route on one page.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method, header};
use axum::routing::{delete, get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{Edge, error, http, mcp, origin, rpc, ws};

/// Longest body of an HTTP request in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// How long a browser need not ask again whether a page may call.
const PREFLIGHT_KEPT: Duration = Duration::from_mins(10);

/// The gateway's HTTP surface.
pub(super) fn router(edge: Edge) -> Router {
    let cors = cors(&edge);
    Router::new()
        .route("/", get(ws::root))
        .route("/robots.txt", get(http::robots))
        .route("/healthz", get(http::health::alive))
        .route("/readyz", get(http::health::ready))
        .route("/ws", get(ws::upgrade))
        .route("/nodes/ws", get(ws::device))
        .route("/nodes", get(http::nodes::list))
        .route("/nodes/invoke", post(http::nodes::invoke))
        .route("/rpc", post(rpc::http))
        .route("/mcp", mcp::route(&edge))
        .route("/sessions", get(http::sessions::list))
        .route("/sessions/{id}", get(http::sessions::show).delete(http::sessions::delete))
        .route("/automation/systemEvent/enqueue", post(http::events::enqueue))
        .route("/automation/events", get(http::events::list))
        .route("/automation/cron/jobs", get(http::cron::list).post(http::cron::add))
        .route("/automation/cron/jobs/{id}", delete(http::cron::remove))
        .route("/automation/cron/jobs/{id}/run", post(http::cron::run))
        .route("/automation/cron/jobs/{id}/pause", post(http::cron::pause))
        .route("/automation/cron/jobs/{id}/resume", post(http::cron::resume))
        .route("/automation/cron/jobs/{id}/history", get(http::cron::history))
        .route("/automation/heartbeat", get(http::heartbeat::show))
        .route("/automation/heartbeat/now", post(http::heartbeat::now))
        .route("/automation/state", get(http::automation_state::show))
        .route("/automation/pause", post(http::automation_state::pause))
        .route("/automation/resume", post(http::automation_state::resume))
        .fallback(http::no_such_route)
        .method_not_allowed_fallback(http::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::map_response(error::shaped))
        .layer(axum::middleware::from_fn_with_state(edge.clone(), origin::check))
        .layer(cors)
        .with_state(edge)
}

fn cors(edge: &Edge) -> CorsLayer {
    let allowed = edge.origins.iter().filter_map(|origin| origin.parse().ok());
    let session = HeaderName::from_static("mcp-session-id");
    let version = HeaderName::from_static("mcp-protocol-version");
    let resumed = HeaderName::from_static("last-event-id");
    // Never with credentials: a token is sent by the page itself, and nothing of a browser's own counts.
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, session.clone(), version, resumed])
        .expose_headers([header::RETRY_AFTER, session])
        .max_age(PREFLIGHT_KEPT)
}
