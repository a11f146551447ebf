//! `POST /rpc`: the same methods in strict JSON-RPC 2.0, one request at a time.

use std::sync::Arc;

use argus_protocol::RpcError;
use argus_protocol::error::{INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::super::Edge;
use super::super::auth::{Known, too_soon};
use super::super::error::detail;
use super::super::lobby::Visitor;
use super::{Caller, Methods};
use crate::automation::line::Place;

/// A body of so many bytes is read at once even where it came too soon, to be refused under its id.
const READ_UNPAID: usize = 4096;

/// A request that can be tried.
struct Call {
    /// `None` for a notification, which is never answered.
    id: Option<Value>,
    method: String,
    /// JSON text.
    params: Option<String>,
}

/// `POST /rpc`
pub(in super::super) async fn call(
    Known(grant): Known,
    State(edge): State<Edge>,
    Extension(visitor): Extension<Arc<Visitor>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) => return detail(error.status(), error.body_text()).into_response(),
    };
    if body.len() > grant.frame_bytes() {
        let words = format!("the body is over the limit of this token ({} bytes)", grant.frame_bytes());
        return detail(StatusCode::PAYLOAD_TOO_LARGE, words).into_response();
    }
    // Before anything is read of it: to read it is what costs.
    let paid = grant.pay();
    if paid.is_err() && body.len() > READ_UNPAID {
        tokio::time::sleep(grant.owe()).await;
    }
    let call = match read(&body) {
        Ok(call) => call,
        Err((id, error)) => return failed(&id, &error).into_response(),
    };
    match (&call.id, paid) {
        (_, Ok(())) => {}
        (Some(id), Err(wait)) => return failed(id, &too_soon(wait)).into_response(),
        (None, Err(_)) => tokio::time::sleep(grant.owe()).await,
    }
    let session = grant.scope().session().cloned();
    let methods = Methods::of(edge, Caller { session, grant });
    let _at_work = visitor.at_work();
    let outcome = methods.outcome(&call.method, call.params.as_deref(), Place::alone()).await;
    let Some(id) = call.id else { return StatusCode::NO_CONTENT.into_response() };
    match outcome {
        Ok(result) => {
            let result: Value = serde_json::from_str(&result).unwrap_or_default();
            Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
        }
        Err(error) => failed(&id, &error).into_response(),
    }
}

fn failed(id: &Value, error: &RpcError) -> Json<Value> {
    Json(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

/// Takes the envelope apart (JSON-RPC 2.0 §4); what is wrong with it, and for which id, otherwise.
fn read(body: &[u8]) -> Result<Call, (Value, RpcError)> {
    let refuse = |id: &Value, code: i32, message: &str| (id.clone(), RpcError::new(code, message));
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Err(refuse(&Value::Null, PARSE_ERROR, "the body is not JSON"));
    };
    let Value::Object(mut request) = request else {
        return Err(refuse(
            &Value::Null,
            INVALID_REQUEST,
            "expected one request object; batches are not taken",
        ));
    };
    let id = request.remove("id");
    if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
        return Err(refuse(&Value::Null, INVALID_REQUEST, "`id` must be a string or a number"));
    }
    let told = id.clone().unwrap_or_default();
    if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(refuse(&told, INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
    }
    let Some(Value::String(method)) = request.remove("method") else {
        return Err(refuse(&told, INVALID_REQUEST, "`method` must be a string"));
    };
    match request.remove("params") {
        None => Ok(Call { id, method, params: None }),
        Some(Value::Object(params)) => {
            Ok(Call { id, method, params: Some(Value::Object(params).to_string()) })
        }
        Some(Value::Array(_)) => {
            Err(refuse(&told, INVALID_PARAMS, "parameters are taken by name, in an object"))
        }
        Some(_) => Err(refuse(&told, INVALID_REQUEST, "`params` must be an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_one_request_object_is_refused_with_the_code_of_its_fault() {
        for (body, id, code) in [
            ("{", json!(null), PARSE_ERROR),
            ("", json!(null), PARSE_ERROR),
            ("[]", json!(null), INVALID_REQUEST),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#, json!(null), INVALID_REQUEST),
            ("7", json!(null), INVALID_REQUEST),
            (r#"{"id":1,"method":"a"}"#, json!(1), INVALID_REQUEST),
            (r#"{"jsonrpc":"1.0","id":"x","method":"a"}"#, json!("x"), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, json!(null), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":2}"#, json!(2), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":3,"method":4}"#, json!(3), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":5,"method":"a","params":"b"}"#, json!(5), INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":6,"method":"a","params":[1]}"#, json!(6), INVALID_PARAMS),
        ] {
            let refused =
                read(body.as_bytes()).map(|call| call.method).map_err(|(id, error)| (id, error.code));
            assert_eq!(refused, Err((id, code)), "{body}");
        }
    }

    #[test]
    fn without_an_id_it_is_a_notification_and_with_a_null_one_it_is_not() {
        let id = |body: &str| read(body.as_bytes()).map(|call| call.id).map_err(|(_, error)| error.message);
        assert_eq!(id(r#"{"jsonrpc":"2.0","method":"a"}"#), Ok(None));
        assert_eq!(id(r#"{"jsonrpc":"2.0","method":"a","id":null}"#), Ok(Some(Value::Null)));
    }
}
