//! The envelope of every Bot API answer.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `ok: false`, with the words of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    description: String,
    retry_after: Option<u64>,
    migrate_to: Option<i64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, description: String) -> Self {
        Self { status, description, retry_after: None, migrate_to: None }
    }

    pub(crate) fn bad_request(text: &str) -> Self {
        Self::new(400, format!("Bad Request: {text}"))
    }

    pub(crate) fn too_many_requests(retry_after: u64) -> Self {
        let description = format!("Too Many Requests: retry after {retry_after}");
        Self { retry_after: Some(retry_after), ..Self::new(429, description) }
    }

    pub(crate) fn migrated(to: i64) -> Self {
        let refusal = Self::bad_request("group chat was upgraded to a supergroup chat");
        Self { migrate_to: Some(to), ..refusal }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized".to_owned())
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found".to_owned())
    }

    pub(crate) fn conflict() -> Self {
        let words = "Conflict: terminated by other getUpdates request; \
                     make sure that only one bot instance is running";
        Self::new(409, words.to_owned())
    }
}

impl Refusal {
    pub(crate) fn webhook_is_set() -> Self {
        let words = "Conflict: can't use getUpdates method while webhook is active; \
                     use deleteWebhook to delete the webhook first";
        Self::new(409, words.to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "ok": false, "error_code": self.status, "description": self.description });
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({ "retry_after": seconds });
        }
        if let Some(chat) = self.migrate_to {
            body["parameters"] = json!({ "migrate_to_chat_id": chat });
        }
        answer(self.status, &body)
    }
}

/// `ok: true` with its result.
pub(crate) fn done(result: &Value) -> Response {
    answer(200, &json!({ "ok": true, "result": result }))
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
