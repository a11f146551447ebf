//! Every route on one page.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, header};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::{Edge, http, origin, rpc, ws};

/// Longest body of an HTTP request in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// The gateway's HTTP surface.
pub(super) fn router(edge: Edge) -> Router {
    let cors = cors(&edge);
    Router::new()
        .route("/", get(ws::root))
        .route("/robots.txt", get(http::robots))
        .route("/healthz", get(http::health::alive))
        .route("/readyz", get(http::health::ready))
        .route("/ws", get(ws::upgrade))
        .route("/rpc", post(rpc::http))
        .route("/sessions", get(http::sessions::list))
        .route("/sessions/{id}", get(http::sessions::show).delete(http::sessions::delete))
        .fallback(http::no_such_route)
        .method_not_allowed_fallback(http::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(edge.clone(), origin::check))
        .layer(cors)
        .with_state(edge)
}

fn cors(edge: &Edge) -> CorsLayer {
    let allowed = edge.origins.iter().filter_map(|origin| origin.parse().ok());
    CorsLayer::new().allow_origin(AllowOrigin::list(allowed)).allow_methods(Any).allow_headers([
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        HeaderName::from_static("mcp-session-id"),
    ])
}
