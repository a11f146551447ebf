//! The parameters of a call, however they travelled: query, JSON, urlencoded or multipart.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::reply::Refusal;

/// Parameters by name. In forms every value is text, so the readers take both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl Params {
    /// Reads what a request carried; a body of an unknown kind is read as urlencoded, as the service does.
    pub(crate) async fn read(
        query: Option<&str>,
        content_type: &str,
        body: bytes::Bytes,
    ) -> Result<Self, Refusal> {
        let mut params = Map::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            params.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        if body.is_empty() {
            return Ok(Self(params));
        }
        if content_type.starts_with("application/json") {
            let unreadable = |_| Refusal::bad_request("can't parse JSON object");
            params.extend(serde_json::from_slice::<Map<_, _>>(&body).map_err(unreadable)?);
        } else if let Ok(boundary) = multer::parse_boundary(content_type) {
            let unreadable = |_| Refusal::bad_request("can't parse multipart form");
            let whole = futures::stream::iter([Ok::<_, std::io::Error>(body)]);
            let mut form = multer::Multipart::new(whole, boundary);
            while let Some(field) = form.next_field().await.map_err(unreadable)? {
                let Some(name) = field.name().map(str::to_owned) else { continue };
                let file = field.file_name().map(str::to_owned);
                let bytes = field.bytes().await.map_err(unreadable)?;
                let value = match file {
                    Some(file) => serde_json::json!({ "file_name": file, "bytes": bytes.len() }),
                    None => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
                };
                params.insert(name, value);
            }
        } else {
            for (name, value) in form_urlencoded::parse(&body) {
                params.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        }
        Ok(Self(params))
    }

    /// A text; absent, null and empty are the same.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A whole number, also as text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A JSON value, also as text that holds it.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        }
    }
}
