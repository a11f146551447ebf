//! What a tool tells: a text that a model reads, the same for programs, and why something was not done.

use std::borrow::Cow;

use argus_protocol::{RpcError, error};
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::check::Wrong;

/// The longest text in bytes. What is longer loses its middle.
pub(super) const LONGEST_TEXT: usize = 32 * 1024;
/// The longest structured result in bytes.
pub(super) const LONGEST_RESULT: usize = 1 << 20;

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    /// For a model to read.
    pub(super) text: String,
    /// For programs: an object.
    pub(super) structured: Value,
    /// A picture, where there is one: its bytes in base64, and its kind.
    pub(super) picture: Option<(String, String)>,
}

impl Told {
    /// These words, and that value.
    pub(super) fn new(text: impl Into<String>, structured: &impl Serialize) -> Self {
        let structured = serde_json::to_value(structured).unwrap_or_else(|_| json!({ "ok": true }));
        Self { text: text.into(), structured, picture: None }
    }

    /// As the protocol has it.
    pub(super) fn into_result(self) -> CallToolResult {
        let mut content = vec![ContentBlock::text(shortened(&self.text))];
        content.extend(self.picture.map(|(data, kind)| ContentBlock::image(data, kind)));
        let mut result = CallToolResult::success(content);
        result.structured_content = Some(self.structured);
        result
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    /// In a word, for programs: `INVALID_ARGUMENT`.
    pub(super) code: String,
    /// What failed, on which subject, what to do.
    pub(super) message: String,
    /// What else programs are told of it, beside `code` and `message`.
    pub(super) more: Map<String, Value>,
    /// What they are told beside the error.
    pub(super) beside: Map<String, Value>,
}

impl Refusal {
    /// With this code and these words.
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), more: Map::new(), beside: Map::new() }
    }

    /// The same, with one thing more for programs.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same, with one thing more beside the error.
    #[must_use]
    pub(super) fn beside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.beside.insert(name.to_owned(), value.into());
        self
    }

    /// An argument that cannot be taken.
    pub(super) fn argument(field: &str, why: &str) -> Self {
        Self::new("INVALID_ARGUMENT", format!("`{field}` {why}")).with("field", field)
    }

    /// As the protocol has it.
    pub(super) fn into_result(self) -> CallToolResult {
        let text = format!("{}: {}", self.code, self.message);
        let mut error = self.more;
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        let mut result = CallToolResult::error(vec![ContentBlock::text(shortened(&text))]);
        let mut structured = self.beside;
        structured.insert("ok".to_owned(), json!(false));
        structured.insert("error".to_owned(), Value::Object(error));
        result.structured_content = Some(Value::Object(structured));
        result
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        let refusal = if wrong.field.is_empty() {
            Self::new("INVALID_ARGUMENT", format!("the arguments {}", wrong.why))
        } else {
            Self::argument(&wrong.field, &wrong.why)
        };
        match wrong.allowed {
            Some(allowed) => refusal.with("allowed", allowed),
            None => refusal,
        }
    }
}

impl From<RpcError> for Refusal {
    fn from(error: RpcError) -> Self {
        let code = match error.code {
            error::INVALID_PARAMS => "INVALID_ARGUMENT",
            error::FORBIDDEN => "FORBIDDEN",
            error::OVERLOADED => "BUSY",
            _ if error.message.starts_with("Unknown session") => "NOT_FOUND",
            _ => "FAILED",
        };
        // Our methods begin with the member that they refuse: `'files[0]' …`.
        let field = error.message.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let field = field.map(|(field, _)| field.to_owned());
        let refusal = Self::new(code, error.message);
        match field {
            Some(field) => refusal.with("field", field),
            None => refusal,
        }
    }
}

/// A text of at most so many bytes: what is longer loses its middle, and says so. `hint` says how to get at that, by the
/// number of bytes before it.
pub(super) fn cut(text: &str, most: usize, hint: impl FnOnce(u64) -> String) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let front = text.floor_char_boundary(most / 2);
    let back = text.ceil_char_boundary(text.len() - most / 2);
    let (before, after, hint) = (&text[..front], &text[back..], hint(front as u64));
    Cow::Owned(format!("{before}\n[… {} bytes are left out here{hint} …]\n{after}", back - front))
}

/// The same where nothing can be said about the rest.
fn shortened(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST_TEXT, |_| String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_its_middle_and_says_so() {
        let at = |gap: u64| format!("; go on at {gap}");
        assert_eq!(cut("abcdef", 6, at), "abcdef");
        assert_eq!(cut("aaaabbbbcccc", 8, at), "aaaa\n[… 4 bytes are left out here; go on at 4 …]\ncccc");
        // Never within a character.
        assert_eq!(cut("äöüäöü", 6, at), "ä\n[… 8 bytes are left out here; go on at 2 …]\nü");
    }

    #[test]
    fn a_refusal_says_for_people_and_for_programs_what_failed() {
        let refusal = Refusal::argument("jobId", "is missing").with("allowed", json!(["a"]));
        let result = serde_json::to_value(refusal.into_result()).unwrap();
        assert_eq!(result["isError"], true);
        assert_eq!(result["content"][0]["text"], "INVALID_ARGUMENT: `jobId` is missing");
        assert_eq!(
            result["structuredContent"],
            json!({ "ok": false, "error": {
                "code": "INVALID_ARGUMENT", "message": "`jobId` is missing", "field": "jobId", "allowed": ["a"] } })
        );
    }

    #[test]
    fn errors_of_methods_keep_their_words_and_get_a_code() {
        for (error, code, field) in [
            (RpcError::invalid_params("'to.chatKey': no chat"), "INVALID_ARGUMENT", Some("to.chatKey")),
            (RpcError::forbidden("not for you"), "FORBIDDEN", None),
            (RpcError::overloaded("later"), "BUSY", None),
            (RpcError::failed("Unknown session `a`"), "NOT_FOUND", None),
            (RpcError::failed("no bot"), "FAILED", None),
        ] {
            let refusal = Refusal::from(error.clone());
            assert_eq!((refusal.code.as_str(), &refusal.message), (code, &error.message));
            assert_eq!(refusal.more.get("field").and_then(Value::as_str), field);
        }
    }
}
