//! One frame: its shared bytes beside what routing must know, parsed once and never serialized again.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{INVALID_REQUEST, PARSE_ERROR, RpcError};

/// Why a text is not a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// Not UTF-8, or not one JSON value.
    #[error("not a JSON value: {0}")]
    NotJson(String),
    /// JSON, but no object with `method` or `id`.
    #[error("not a frame: {0}")]
    NotAFrame(&'static str),
}

impl From<FrameError> for RpcError {
    fn from(error: FrameError) -> Self {
        let code = match error {
            FrameError::NotJson(_) => PARSE_ERROR,
            FrameError::NotAFrame(_) => INVALID_REQUEST,
        };
        Self::new(code, error.to_string())
    }
}

/// What a frame is, by its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// `method` and `id` (even a null one).
    Request,
    /// `method` without `id`.
    Notification,
    /// `id` without `method`.
    Response,
}

/// One JSON object on one line. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    text: Bytes,
    kind: FrameKind,
    id: Option<Range<usize>>,
    method: Option<Method>,
    params: Option<Range<usize>>,
    result: Option<Range<usize>>,
    error: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
enum Method {
    Plain(Range<usize>),
    Escaped(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Keeps `"id": null` apart from no id at all.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(input: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

impl Frame {
    /// Reads the envelope. Line breaks between members become spaces of the same length, so that the frame is one
    /// line; nothing else changes. A member of the envelope that stands twice is an error.
    pub fn parse(text: Bytes) -> Result<Self, FrameError> {
        let text = one_line(text)?;
        let json = std::str::from_utf8(&text).map_err(|e| FrameError::NotJson(e.to_string()))?;
        if json.trim_start().as_bytes().first() != Some(&b'{') {
            return Err(match serde_json::from_str::<&RawValue>(json) {
                Ok(_) => FrameError::NotAFrame("expected an object"),
                Err(e) => FrameError::NotJson(e.to_string()),
            });
        }
        let envelope: Envelope<'_> =
            serde_json::from_str(json).map_err(|e| FrameError::NotJson(e.to_string()))?;
        let span = |raw: &RawValue| {
            let start = raw.get().as_ptr() as usize - json.as_ptr() as usize;
            start..start + raw.get().len()
        };
        let method = match envelope.method {
            None => None,
            Some(raw) if raw.get().starts_with('"') && !raw.get().contains('\\') => {
                let quoted = span(raw);
                Some(Method::Plain(quoted.start + 1..quoted.end - 1))
            }
            Some(raw) => match serde_json::from_str::<String>(raw.get()) {
                Ok(name) => Some(Method::Escaped(name)),
                Err(_) => return Err(FrameError::NotAFrame("`method` must be a string")),
            },
        };
        let kind = match (&method, &envelope.id) {
            (Some(_), Some(_)) => FrameKind::Request,
            (Some(_), None) => FrameKind::Notification,
            (None, Some(_)) => FrameKind::Response,
            (None, None) => return Err(FrameError::NotAFrame("neither `method` nor `id`")),
        };
        let (id, params) = (envelope.id.map(span), envelope.params.map(span));
        let (result, error) = (envelope.result.map(span), envelope.error.map(span));
        Ok(Self { text, kind, id, method, params, result, error })
    }

    /// Reads a frame from text.
    pub fn parse_str(text: &str) -> Result<Self, FrameError> {
        Self::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// What the frame is.
    pub fn kind(&self) -> FrameKind {
        self.kind
    }

    /// The bytes as they go over a wire: UTF-8, one line, without its end.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// `method`, or the empty string for a response.
    pub fn method(&self) -> &str {
        match &self.method {
            Some(Method::Plain(span)) => self.slice(span),
            Some(Method::Escaped(name)) => name,
            None => "",
        }
    }

    /// The id as JSON text (`7`, `"a"`, `null`).
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|span| self.slice(span))
    }

    /// The JSON text of `params`.
    pub fn params(&self) -> Option<&str> {
        self.params.as_ref().map(|span| self.slice(span))
    }

    /// The JSON text of `result`.
    pub fn result(&self) -> Option<&str> {
        self.result.as_ref().map(|span| self.slice(span))
    }

    /// The JSON text of `error`.
    pub fn error(&self) -> Option<&str> {
        self.error.as_ref().map(|span| self.slice(span))
    }

    /// `params` read as `T`; `None` when they are absent or of another form.
    pub fn params_as<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.params()?).ok()
    }

    /// `result` read as `T`; `None` when it is absent or of another form.
    pub fn result_as<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.result()?).ok()
    }

    /// The same bytes with another id (JSON text); put first when there was none.
    pub fn with_id(&self, id: &str) -> Bytes {
        let (before, after, glue) = if let Some(span) = &self.id {
            (&self.text[..span.start], &self.text[span.end..], ["", ""])
        } else {
            let open = self.text.iter().position(|b| *b == b'{').map_or(0, |at| at + 1);
            (&self.text[..open], &self.text[open..], ["\"id\":", ","])
        };
        let mut out = BytesMut::with_capacity(self.text.len() + id.len() + 8);
        for piece in [before, glue[0].as_bytes(), id.as_bytes(), glue[1].as_bytes(), after] {
            out.extend_from_slice(piece);
        }
        out.freeze()
    }

    fn slice(&self, span: &Range<usize>) -> &str {
        std::str::from_utf8(&self.text[span.clone()]).unwrap_or_default()
    }
}

/// In JSON a raw line break can only be white space between tokens, so a space may stand for it. In a string it is a
/// mistake, which must not become text that nobody wrote.
fn one_line(text: Bytes) -> Result<Bytes, FrameError> {
    if memchr::memchr2(b'\n', b'\r', &text).is_none() {
        return Ok(text);
    }
    serde_json::from_slice::<&RawValue>(&text).map_err(|e| FrameError::NotJson(e.to_string()))?;
    Ok(text.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }).collect())
}

/// An object with one more member at its end, the value given as JSON text; every other byte stays.
pub fn with_member(object: &Bytes, name: &str, value: &str) -> Bytes {
    let Some(end) = object.iter().rposition(|byte| *byte == b'}') else { return object.clone() };
    let empty = object[..end].trim_ascii_end().ends_with(b"{");
    let mut text = Vec::with_capacity(object.len() + name.len() + value.len() + 4);
    text.extend_from_slice(&object[..end]);
    if !empty {
        text.push(b',');
    }
    text.push(b'"');
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\":");
    text.extend_from_slice(value.as_bytes());
    text.extend_from_slice(&object[end..]);
    text.into()
}

/// A reply with a result, as the agent's wire writes it (no `jsonrpc` member). `id` and `result` are JSON text.
pub fn reply(id: &str, result: &str) -> Bytes {
    format!("{{\"id\":{id},\"result\":{result}}}").into()
}

/// A reply with an error. `id` is JSON text.
pub fn reply_error(id: &str, error: &RpcError) -> Bytes {
    let error = serde_json::to_string(error).expect("an error object is plain data");
    format!("{{\"id\":{id},\"error\":{error}}}").into()
}

/// A notification.
pub fn notification(method: &str, params: &impl serde::Serialize) -> Bytes {
    let frame = serde_json::json!({ "method": method, "params": params });
    frame.to_string().into()
}

/// A request with a numeric id.
pub fn request(id: u64, method: &str, params: &impl serde::Serialize) -> Bytes {
    let frame = serde_json::json!({ "id": id, "method": method, "params": params });
    frame.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(text: &str) -> Frame {
        Frame::parse_str(text).unwrap()
    }

    #[test]
    fn a_member_is_added_at_the_end_and_every_other_byte_stays() {
        for (object, with) in [
            (r#"{"a":{"b":[1]} }"#, r#"{"a":{"b":[1]} ,"n":7}"#),
            ("{}", r#"{"n":7}"#),
            ("{ } ", r#"{ "n":7} "#),
        ] {
            assert_eq!(with_member(&Bytes::from(object), "n", "7"), with);
        }
    }

    #[test]
    fn a_frame_is_a_request_a_notification_or_a_response() {
        for (text, kind) in [
            (r#"{"id":1,"method":"a"}"#, FrameKind::Request),
            (r#"{"id":null,"method":"a"}"#, FrameKind::Request),
            (r#"{"method":"a","params":[]}"#, FrameKind::Notification),
            (r#"{"id":"x","result":null}"#, FrameKind::Response),
        ] {
            assert_eq!(frame(text).kind(), kind, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_code_of_its_kind() {
        for (text, code) in [
            ("{", PARSE_ERROR),
            ("", PARSE_ERROR),
            ("nonsense", PARSE_ERROR),
            (r#"{"id":1,"id":2,"method":"a"}"#, PARSE_ERROR),
            (r#"{"id":1} trailing"#, PARSE_ERROR),
            ("{\"method\":\"a\nb\"}", PARSE_ERROR),
            ("[1]", INVALID_REQUEST),
            ("7", INVALID_REQUEST),
            ("{}", INVALID_REQUEST),
            (r#"{"method":7}"#, INVALID_REQUEST),
            (r#"{"method":"\ud800"}"#, INVALID_REQUEST),
        ] {
            assert_eq!(RpcError::from(Frame::parse_str(text).unwrap_err()).code, code, "{text}");
        }
        assert!(matches!(Frame::parse(Bytes::from_static(&[b'{', 0xff])), Err(FrameError::NotJson(_))));
    }

    #[test]
    fn a_pretty_printed_frame_becomes_one_line_of_the_same_length() {
        let text = "{\n  \"id\": 1,\r\n  \"method\": \"a\"\n}";
        let frame = frame(text);
        assert_eq!(frame.text().len(), text.len());
        assert!(!frame.text().contains(&b'\n') && frame.id() == Some("1") && frame.method() == "a");
    }

    #[test]
    fn another_id_leaves_every_other_byte_as_it_was() {
        for (text, expected) in [
            (r#"{"id":1,"method":"a"}"#, r#"{"id":"7:0","method":"a"}"#),
            (
                r#"{ "params":{"id":9}, "id" : "x\"y" ,"method":"a"}"#,
                r#"{ "params":{"id":9}, "id" : "7:0" ,"method":"a"}"#,
            ),
            (r#" {"method":"a"}"#, r#" {"id":"7:0","method":"a"}"#),
        ] {
            assert_eq!(frame(text).with_id("\"7:0\""), expected, "{text}");
        }
    }

    #[test]
    fn an_escaped_method_is_read_as_what_it_means() {
        assert_eq!(frame(r#"{"method":"turn\/started"}"#).method(), "turn/started");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::parse(bytes.into());
        }

        #[test]
        fn a_spliced_frame_reads_as_before_but_for_its_id(id in "0|[1-9][0-9]{0,8}|\"[a-z]{0,9}\"", text in "\\PC{0,40}") {
            let original = serde_json::json!({"method": text, "params": {"id": text}, "id": 5}).to_string();
            let frame = Frame::parse_str(&original).unwrap();
            let spliced = Frame::parse(frame.with_id(&id)).unwrap();
            prop_assert_eq!(spliced.id(), Some(id.as_str()));
            prop_assert_eq!(spliced.method(), text.as_str());
            prop_assert_eq!(spliced.params(), frame.params());
        }
    }
}
