//! The head of a line, read forwards.

use super::token::{Token, forwards};
use super::{Seen, text};

/// What the head shows, and the member of the top level whose object or array it ends in.
pub(super) fn read(head: &[u8]) -> (Seen, Option<String>) {
    let mut seen = Seen::default();
    let mut depth = 0_usize;
    let mut word: Option<&[u8]> = None;
    // The key whose value comes next or is open, at the first two depths.
    let mut keys = [None, None];
    let mut value_follows = false;
    for token in forwards(head) {
        match token {
            Token::Open => {
                depth += 1;
                value_follows = false;
                if depth == 2 {
                    keys[1] = None;
                }
            }
            Token::Close if depth <= 1 => return (seen, None),
            Token::Close => depth -= 1,
            Token::Comma => value_follows = false,
            Token::Colon => {
                if let Some(key) = depth.checked_sub(1).and_then(|index| keys.get_mut(index)) {
                    *key = word.and_then(text);
                }
                value_follows = true;
            }
            Token::Text(raw) | Token::Word(raw) if value_follows => match (depth, &keys) {
                (1, [Some(key), _]) => seen.top(key, raw),
                (2, [Some(outer), Some(key)]) if outer == "params" && key == "threadId" => {
                    seen.thread_id = text(raw);
                }
                _ => {}
            },
            Token::Text(raw) | Token::Word(raw) => word = Some(raw),
        }
        if depth == 0 {
            break;
        }
    }
    let [open, _] = keys;
    (seen, open.filter(|_| depth >= 2))
}
