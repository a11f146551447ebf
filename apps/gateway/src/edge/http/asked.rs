//! What requests of automation name and hold: their session, in the query or in the body, and the body's members.

use argus_protocol::{RpcError, SessionId};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::super::Edge;
use super::super::error::{HttpError, detail};

/// A body that is one object. The array that would do as well for a parser is refused: nobody means it.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    let wrong = |words: String| detail(StatusCode::BAD_REQUEST, words);
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(wrong("the body is not what this route takes: expected an object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| {
        wrong(match error.to_string() {
            // The reference's words, which programs know.
            missing if missing.starts_with("missing field `text`") => "Missing 'text'".to_owned(),
            other => format!("the body is not what this route takes: {other}"),
        })
    })
}

/// The same where there need not be any.
pub(super) fn object_or_nothing<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, HttpError> {
    if body.trim_ascii().is_empty() { Ok(T::default()) } else { object(body) }
}

/// The one name of a session that a query and a body give, where they give any.
pub(super) fn named<'n>(query: Option<&'n str>, body: Option<&'n str>) -> Result<Option<&'n str>, HttpError> {
    let given = |name: Option<&'n str>| name.map(str::trim).filter(|name| !name.is_empty());
    match (given(query), given(body)) {
        (Some(query), Some(body)) if query != body => Err(detail(
            StatusCode::BAD_REQUEST,
            "'sessionId': the query and the body name different sessions".to_owned(),
        )),
        (query, body) => Ok(query.or(body)),
    }
}

/// The session that is named; where none is, the default one.
pub(super) async fn session(
    edge: &Edge,
    query: Option<&str>,
    body: Option<&str>,
) -> Result<SessionId, HttpError> {
    let Some(named) = named(query, body)? else {
        let failed = |error: RpcError| detail(StatusCode::INTERNAL_SERVER_ERROR, error.message);
        return edge.default_session().await.map_err(failed);
    };
    let not_found = || detail(StatusCode::NOT_FOUND, "Session not found");
    let id: SessionId = named.parse().map_err(|_| not_found())?;
    if edge.sessions.knows(&id).await { Ok(id) } else { Err(not_found()) }
}
