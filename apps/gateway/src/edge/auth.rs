//! Tokens are judged here only.

use argus_protocol::token::Secret;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Edge;
use super::error::detail;

/// A caller that holds the operator's token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator;

impl FromRequestParts<Edge> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Response> {
        if is_operator(&edge.token, &parts.headers, parts.uri.query()) {
            return Ok(Self);
        }
        Err(detail(StatusCode::UNAUTHORIZED, "Unauthorized").into_response())
    }
}

/// Whether the request carries the operator's token. A header wins over the query, even a wrong one.
pub(super) fn is_operator(token: &Secret, headers: &HeaderMap, query: Option<&str>) -> bool {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return value.to_str().is_ok_and(|value| token.matches(bearer(value)));
    }
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "token").is_some_and(|(_, value)| token.matches(&value))
}

/// The token in an `Authorization` header: after `Bearer`, or the whole value.
fn bearer(value: &str) -> &str {
    let value = value.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(header: Option<&str>, query: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        is_operator(&Secret::parse("s3cret").unwrap(), &headers, query)
    }

    #[test]
    fn the_header_wins_and_the_query_is_the_second_way() {
        assert!(judge(Some("Bearer s3cret"), None));
        assert!(judge(Some("bearer  s3cret "), None));
        assert!(judge(Some("s3cret"), None));
        assert!(judge(None, Some("session=a&token=s3cret")));
        assert!(!judge(Some("Bearer wrong"), Some("token=s3cret")));
        assert!(!judge(None, None) && !judge(None, Some("token=")) && !judge(Some("Bearer"), None));
    }
}
