//! Which web pages may call: our own origin and those that were named. A caller that sends no `Origin` is no page.

use axum::extract::{Request, State};
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
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let same = origin.split_once("://").is_some_and(|(_, host)| Some(host) == own);
    same || allowed.iter().any(|one| one == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_pages_and_named_ones_may_call() {
        let named = ["https://chat.example".to_owned()];
        for (origin, may) in [
            (None, true),
            (Some("http://127.0.0.1:8080"), true),
            (Some("https://chat.example"), true),
            (Some("https://evil.example"), false),
            (Some("null"), false),
        ] {
            assert_eq!(may_call(&headers(origin), &named), may, "{origin:?}");
        }
    }
}
