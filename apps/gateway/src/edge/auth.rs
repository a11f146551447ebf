//! Tokens are judged here only: what a request carries becomes a grant, once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argus_protocol::RpcError;
use argus_protocol::token::scope::Scope;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Edge;
use super::error::detail;
use super::lobby::Visitor;
use crate::access::{Access, Author, Ending, NoSeat, Refused, Seat};

/// What a token opens, for one request or connection.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    seat: Arc<Seat>,
    from: SocketAddr,
}

impl Grant {
    /// The token's connection.
    pub(super) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// What the token is for.
    pub(super) fn scope(&self) -> &Scope {
        self.seat.account().scope()
    }

    /// Longest frame in bytes.
    pub(super) fn frame_bytes(&self) -> usize {
        self.seat.account().frame_bytes()
    }

    /// Takes one request of the token's pace; how long to wait where there is none now.
    pub(super) fn pay(&self) -> Result<(), Duration> {
        self.seat.account().rate().map_or(Ok(()), |rate| rate.take(Instant::now()))
    }

    /// The same for what is not refused; how long it has to wait.
    pub(super) fn owe(&self) -> Duration {
        self.seat.account().rate().map_or(Duration::ZERO, |rate| rate.claim(Instant::now()))
    }

    /// Who this is, for the audit.
    pub(super) fn author(&self) -> Author {
        Author { who: Some(self.seat.account().holder().clone()), from: self.from }
    }
}

/// What is said to a request that came too soon.
pub(super) fn too_soon(wait: Duration) -> RpcError {
    let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    let words = format!("too many requests with this token; try again in {ms} ms");
    RpcError { data: Some(json!({ "retryAfterMs": ms })), ..RpcError::overloaded(words) }
}

/// How a request was judged.
#[derive(Clone, Debug)]
pub(super) enum Admission {
    /// Without a token that is worth something; what it is told.
    Stranger(&'static str),
    /// With a token with which so many are connected already.
    Full(u32),
    /// With a valid token.
    Known(Grant),
}

impl Admission {
    /// The same as a refusal of a route.
    fn refusal(&self) -> Response {
        match self {
            Self::Stranger(words) => detail(StatusCode::UNAUTHORIZED, *words).into_response(),
            Self::Full(most) => detail(StatusCode::TOO_MANY_REQUESTS, full(*most)).into_response(),
            Self::Known(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// What somebody is told who is one too many.
pub(super) fn full(most: u32) -> String {
    format!("too many connections with this token ({most})")
}

const UNAUTHORIZED: &str = "Unauthorized";

/// Judges a request of this connection. A header wins over the query, even a wrong one.
pub(super) fn admit(
    access: &Access,
    headers: &HeaderMap,
    query: Option<&str>,
    visitor: &Visitor,
    from: SocketAddr,
) -> Admission {
    let Some(offered) = offered(headers, query) else { return Admission::Stranger(UNAUTHORIZED) };
    let ended = |ending: Ending| {
        access.audit().refused(&Author { who: None, from }, "a token", ending.words());
        Admission::Stranger(ending.words())
    };
    let account = match access.judge(&offered) {
        Ok(account) => account,
        Err(Refused::Ended(ending)) => return ended(ending),
        Err(Refused::Unknown) => {
            access.audit().refused(&Author { who: None, from }, "a token", "it is wrong");
            return Admission::Stranger(UNAUTHORIZED);
        }
    };
    match visitor.let_in_with(&account) {
        Ok(seat) => Admission::Known(Grant { seat, from }),
        Err(NoSeat::Full(most)) => {
            let by = Author { who: Some(account.holder().clone()), from };
            access.audit().refused(&by, "a connection", &full(most));
            Admission::Full(most)
        }
        Err(NoSeat::Ended(ending)) => ended(ending),
    }
}

/// The text that is offered as a token.
pub(super) fn offered(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return Some(value.to_str().map(bearer).unwrap_or_default().to_owned());
    }
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}

/// The token in an `Authorization` header: after `Bearer`, or the whole value.
fn bearer(value: &str) -> &str {
    let value = value.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

/// A caller with any valid token.
#[derive(Clone, Debug)]
pub(super) struct Known(pub(super) Grant);

impl FromRequestParts<Edge> for Known {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Response> {
        match parts.extensions.get::<Admission>() {
            Some(Admission::Known(grant)) => Ok(Self(grant.clone())),
            Some(other) => Err(other.refusal()),
            None => Err(Admission::Stranger(UNAUTHORIZED).refusal()),
        }
    }
}

/// A caller whose token is the operator's, or as good.
#[derive(Clone, Debug)]
pub(super) struct Operator(pub(super) Grant);

impl FromRequestParts<Edge> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Response> {
        let Known(grant) = Known::from_request_parts(parts, edge).await?;
        if *grant.scope() != Scope::Operator {
            let route = format!("{} {}", parts.method, route(parts));
            return Err(forbidden(edge, &grant, &route).into_response());
        }
        in_time(&grant)?;
        Ok(Self(grant))
    }
}

/// The path as the router names it: a caller's own words stay out of the audit.
fn route(parts: &Parts) -> &str {
    parts.extensions.get::<axum::extract::MatchedPath>().map_or("", |path| path.as_str())
}

/// Refuses what the token is not for, and notes that somebody tried.
pub(super) fn forbidden(edge: &Edge, grant: &Grant, what: &str) -> super::error::HttpError {
    let words = not_for(grant, what);
    edge.access.audit().refused(&grant.author(), what, "the token is for something else");
    detail(StatusCode::FORBIDDEN, words)
}

/// What somebody is told whose token is for something else.
pub(super) fn not_for(grant: &Grant, what: &str) -> String {
    format!("`{what}` is not for a token of scope `{}`", grant.scope())
}

/// Keeps a route's caller to the pace of its token.
#[expect(clippy::result_large_err, reason = "axum's rejections are responses")]
pub(super) fn in_time(grant: &Grant) -> Result<(), Response> {
    let Err(wait) = grant.pay() else { return Ok(()) };
    let seconds = wait.as_secs().saturating_add(1).to_string();
    let refusal = detail(StatusCode::TOO_MANY_REQUESTS, too_soon(wait).message);
    Err(([(header::RETRY_AFTER, seconds)], refusal).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(header: Option<&str>, query: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        offered(&headers, query)
    }

    #[test]
    fn the_header_wins_and_the_query_is_the_second_way() {
        let s3cret = Some("s3cret".to_owned());
        assert_eq!(taken(Some("Bearer s3cret"), None), s3cret);
        assert_eq!(taken(Some("bearer  s3cret "), None), s3cret);
        assert_eq!(taken(Some("s3cret"), None), s3cret);
        assert_eq!(taken(None, Some("session=a&token=s3cret")), s3cret);
        assert_eq!(taken(Some("Bearer wrong"), Some("token=s3cret")), Some("wrong".to_owned()));
        assert_eq!(taken(Some("Bearer"), None), Some("Bearer".to_owned()));
        assert_eq!((taken(None, None), taken(None, Some("token="))), (None, Some(String::new())));
    }
}
