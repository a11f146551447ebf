//! HTTP resources, one file each.

mod asked;
pub(super) mod automation_state;
pub(super) mod cron;
pub(super) mod events;
pub(super) mod health;
pub(super) mod heartbeat;
pub(super) mod nodes;
pub(super) mod sessions;

use axum::http::StatusCode;

use super::error::{HttpError, detail};

/// `GET /`
pub(super) async fn about() -> &'static str {
    "This is an Argus gateway. Clients connect to /ws; REMOTE_CLIENT_GUIDE.md tells how.\n"
}

/// `GET /robots.txt`
pub(super) async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /\n"
}

/// Any other path.
pub(super) async fn no_such_route() -> HttpError {
    detail(StatusCode::NOT_FOUND, "Not Found")
}

/// A path of ours, asked for in another way.
pub(super) async fn no_such_method() -> HttpError {
    detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}
