//! Domain errors become statuses. The only such table.

use axum::Json;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::sessions::ProvisionError;

/// An error of an HTTP route: `{"detail": …}`, as the reference writes it.
pub(super) type HttpError = (StatusCode, Json<Value>);

/// An error in words.
pub(super) fn detail(status: StatusCode, message: impl Into<String>) -> HttpError {
    (status, Json(json!({ "detail": message.into() })))
}

/// Longest refusal of what cannot be read, in bytes.
const LONGEST: usize = 16 << 10;

/// Gives the form of every error to what axum refuses by itself: a query, a path or a body that cannot be read.
pub(super) async fn shaped(response: Response) -> Response {
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(response.status().is_client_error() && is_plain) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let words = to_bytes(body, LONGEST).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let told = detail(parts.status, String::from_utf8_lossy(&words));
    (parts.headers, told).into_response()
}

/// A runtime could not be reached or changed.
pub(super) fn provision(error: &ProvisionError) -> HttpError {
    let status =
        if error.passing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    tracing::error!(%error, "a session could not be served");
    detail(status, error.to_string())
}
