//! The parameters of a call, however they travelled: query, JSON, urlencoded or multipart.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::reply::Refusal;

/// Parameters by name. In forms every value is text, so the readers take both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pub(crate) values: Map<String, Value>,
    /// What came as parts of a form with a file's name, by the part's name.
    uploads: HashMap<String, Upload>,
}

/// One file of a form.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl Params {
    /// Reads what a request carried; a body of an unknown kind is read as urlencoded, as the service does.
    pub(crate) async fn read(query: Option<&str>, content_type: &str, body: Bytes) -> Result<Self, Refusal> {
        let (mut params, mut uploads) = (Map::new(), HashMap::new());
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            params.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        if body.is_empty() {
            return Ok(Self { values: params, uploads });
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
                    Some(file) => {
                        let told = serde_json::json!({ "file_name": file, "bytes": bytes.len() });
                        uploads.insert(name.clone(), Upload { name: file, bytes });
                        told
                    }
                    None => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
                };
                params.insert(name, value);
            }
        } else {
            for (name, value) in form_urlencoded::parse(&body) {
                params.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        }
        Ok(Self { values: params, uploads })
    }

    /// A text; absent, null and empty are the same.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A whole number, also as text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.values.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A JSON value, also as text that holds it.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        }
    }

    /// The file that a parameter's value means: `attach://<part>`, or the part of the parameter's own name.
    pub(crate) fn upload(&self, name: &str, value: &Value) -> Option<&Upload> {
        match value.as_str().and_then(|text| text.strip_prefix("attach://")) {
            Some(part) => self.uploads.get(part),
            None => self.uploads.get(name),
        }
    }
}
