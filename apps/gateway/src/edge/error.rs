//! Domain errors become statuses. The only such table.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::sessions::ProvisionError;

/// An error of an HTTP route: `{"detail": …}`, as the reference writes it.
pub(super) type HttpError = (StatusCode, Json<Value>);

/// An error in words.
pub(super) fn detail(status: StatusCode, message: impl Into<String>) -> HttpError {
    (status, Json(json!({ "detail": message.into() })))
}

/// A runtime could not be reached or changed.
pub(super) fn provision(error: &ProvisionError) -> HttpError {
    let status =
        if error.passing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    tracing::error!(%error, "a session could not be served");
    detail(status, error.to_string())
}
