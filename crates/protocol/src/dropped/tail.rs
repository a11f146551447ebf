//! The tail of a line, read backwards.

use super::token::{Token, backwards};
use super::{Seen, text};

/// What a key turns out to name.
enum Value<'a> {
    Plain(&'a [u8]),
    /// An object or array, with the `threadId` that was seen in it.
    Container(Option<String>),
}

/// What the tail shows. `cut_in_params` tells that the line was cut within `params`, so that what is still open at the
/// tail's start is that.
pub(super) fn read(tail: &[u8], cut_in_params: bool) -> Seen {
    let mut seen = Seen::default();
    if !tail.trim_ascii_end().ends_with(b"}") {
        return seen;
    }
    let mut depth = 0_usize;
    let mut value: Option<Value<'_>> = None;
    let mut thread_id = None;
    let mut key_follows = false;
    for token in backwards(tail) {
        match token {
            Token::Close => {
                depth += 1;
                key_follows = false;
                if depth == 2 {
                    thread_id = None;
                }
            }
            Token::Open => {
                depth = depth.saturating_sub(1);
                value = Some(Value::Container(thread_id.take().filter(|_| depth == 1)));
                key_follows = false;
            }
            Token::Comma => key_follows = false,
            Token::Colon => key_follows = true,
            Token::Text(key) if key_follows => {
                let key = text(key).unwrap_or_default();
                match (depth, value.take()) {
                    (1, Some(Value::Plain(raw))) => seen.top(&key, raw),
                    (1, Some(Value::Container(found))) if key == "params" => seen.thread_id = found,
                    (2, Some(Value::Plain(raw))) if key == "threadId" => thread_id = text(raw),
                    _ => {}
                }
                key_follows = false;
            }
            Token::Text(raw) | Token::Word(raw) => value = Some(Value::Plain(raw)),
        }
        if depth == 0 {
            return seen;
        }
    }
    if cut_in_params && depth >= 2 {
        seen.thread_id = thread_id;
    }
    seen
}
