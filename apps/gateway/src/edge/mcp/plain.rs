//! One JSON answer in the place of a stream, for callers that take no stream.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::error::detail;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Whether the caller of a `POST` takes JSON and no stream. The library would refuse it, so it is told that both are taken.
pub(super) fn asked_for(headers: &mut HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds: Vec<String> = accepted
        .flat_map(|value| value.split(','))
        .map(|one| one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|kind| !kind.is_empty())
        .collect();
    let takes = |kind: &str| kinds.iter().any(|one| one == kind);
    let json = kinds.is_empty() || takes("application/json") || takes("application/*") || takes("*/*");
    if !json || takes("text/event-stream") {
        return false;
    }
    headers.insert(header::ACCEPT, BOTH);
    true
}

/// Waits for the answer among the events of a stream and gives it alone; any other response stays as it is.
pub(super) async fn answer_of(response: Response) -> Response {
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Some(answer) = answer_in(body).await else {
        let words = "the MCP session ended before there was an answer; initialize a new one";
        return detail(StatusCode::NOT_FOUND, words).into_response();
    };
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    Response::from_parts(parts, Body::from(answer))
}

/// The data of the first event that is a response. The stream is our own, so an event's data is one line.
async fn answer_in(body: Body) -> Option<Bytes> {
    let mut pieces = body.into_data_stream();
    let mut line = Vec::new();
    while let Some(piece) = pieces.next().await {
        for part in piece.ok()?.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let whole = std::mem::take(&mut line);
                if let Some(data) = whole.strip_prefix(b"data:").map(<[u8]>::trim_ascii)
                    && is_response(data)
                {
                    return Some(Bytes::copy_from_slice(data));
                }
            }
        }
    }
    None
}

fn is_response(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Message {
        method: Option<IgnoredAny>,
    }
    serde_json::from_slice::<Message>(data).is_ok_and(|message| message.method.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &[&'static str]) -> (bool, HeaderMap) {
        let mut headers = HeaderMap::new();
        for one in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(one));
        }
        (asked_for(&mut headers), headers)
    }

    #[test]
    fn who_takes_json_and_no_stream_gets_json() {
        for accept in [&[][..], &["*/*"], &["application/json"], &["Application/JSON;q=0.5, text/html"]] {
            let (plain, headers) = asked(accept);
            assert_eq!((plain, headers.get(header::ACCEPT)), (true, Some(&BOTH)), "{accept:?}");
        }
        for accept in [
            &["text/event-stream"][..],
            &["text/html"],
            &["text/event-stream, application/json"],
            &["application/json", "text/event-stream"],
        ] {
            assert!(!asked(accept).0, "{accept:?}");
        }
    }

    #[tokio::test]
    async fn the_answer_is_found_behind_what_goes_before_it_however_it_is_cut() {
        let text = ": a comment\n\nid: 0\ndata:\n\ndata: {\"method\":\"notifications/progress\"}\n\ndata: {\"id\":1,\"result\":{}}\n\n";
        for size in [1, 7, 1000] {
            let pieces: Vec<_> =
                text.as_bytes().chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            let body = Body::from_stream(futures::stream::iter(pieces));
            assert_eq!(answer_in(body).await.as_deref(), Some(&br#"{"id":1,"result":{}}"#[..]));
        }
        assert_eq!(answer_in(Body::from(": nothing\n\n")).await, None);
    }
}
