//! Which web pages may call: our own origin and those that were named. A caller that sends no `Origin` is no page.
//!
//! Our own is told by `Host`, and a page can choose that: whoever owns a name can have it point to this machine while
//! their page is open. So only an address or `localhost` counts; any other name has to be among the named origins.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Edge;
use super::error::detail;

/// Refuses requests of foreign pages, WebSocket upgrades among them.
pub(super) async fn check(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if may_call(request.headers(), &edge.origins) {
        return next.run(request).await;
    }
    detail(StatusCode::FORBIDDEN, "this web origin is not allowed; name it in ARGUS_CORS_ORIGINS")
        .into_response()
}

fn may_call(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|one| one == origin) {
        return true;
    }
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(own) = own.filter(|own| nobody_elses(own)) else { return false };
    origin.split_once("://").is_some_and(|(_, host)| host == own)
}

/// Whether this `Host` cannot be a name that somebody else has pointed to us.
fn nobody_elses(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            headers.extend(value.map(|value| (name, value.parse().unwrap())));
        }
        may_call(&headers, &["https://chat.example".to_owned(), "http://gateway.lan:8080".to_owned()])
    }

    #[test]
    fn only_our_own_pages_and_named_ones_may_call() {
        for (origin, may) in [
            (None, true),
            (Some("http://127.0.0.1:8080"), true),
            (Some("https://chat.example"), true),
            (Some("https://evil.example"), false),
            (Some("http://127.0.0.1:3000"), false),
            (Some("null"), false),
        ] {
            assert_eq!(judge(Some("127.0.0.1:8080"), origin), may, "{origin:?}");
        }
    }

    #[test]
    fn a_name_that_points_to_us_is_not_ours_unless_it_was_named() {
        for (host, may) in [
            ("localhost:8080", true),
            ("[::1]:8080", true),
            ("192.168.1.5:8080", true),
            ("gateway.lan:8080", true),
            ("evil.example:8080", false),
            ("127.0.0.1.evil.example:8080", false),
            ("127.0.0.1@evil.example:8080", false),
            ("localhost.evil.example", false),
            ("[::1", false),
        ] {
            assert_eq!(judge(Some(host), Some(&format!("http://{host}"))), may, "{host}");
            // By the token alone.
            assert!(judge(Some(host), None), "{host}");
        }
        assert!(!judge(None, Some("http://127.0.0.1:8080")));
    }
}
