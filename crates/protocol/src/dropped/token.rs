//! JSON, cut into tokens from either side.

/// One token; strings with their quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Colon,
    Comma,
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`; in garbage anything.
    Word(&'a [u8]),
}

fn single(byte: u8) -> Option<Token<'static>> {
    Some(match byte {
        b'{' | b'[' => Token::Open,
        b'}' | b']' => Token::Close,
        b':' => Token::Colon,
        b',' => Token::Comma,
        _ => return None,
    })
}

fn in_word(byte: u8) -> bool {
    byte != b'"' && !byte.is_ascii_whitespace() && single(byte).is_none()
}

/// Tokens from the start to where the text is cut; a token that is cut itself is left out.
pub(super) fn forwards(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let first = *rest.first()?;
        let (token, length) = if let Some(token) = single(first) {
            (token, 1)
        } else if first == b'"' {
            let length = text_length(rest)?;
            (Token::Text(&rest[..length]), length)
        } else {
            let length = rest.iter().position(|byte| !in_word(*byte))?;
            (Token::Word(&rest[..length]), length)
        };
        rest = &rest[length..];
        Some(token)
    })
}

/// The length of the string at the start of `rest`, if its end is there.
fn text_length(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Tokens from the end, the last one first, to where the text is cut; a token that may be cut itself is left out.
pub(super) fn backwards(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_end();
        let last = *rest.last()?;
        let (token, start) = if let Some(token) = single(last) {
            (token, rest.len() - 1)
        } else if last == b'"' {
            let start = text_start(rest)?;
            (Token::Text(&rest[start..]), start)
        } else {
            let start = rest.iter().rposition(|byte| !in_word(*byte))? + 1;
            (Token::Word(&rest[start..]), start)
        };
        rest = &rest[..start];
        Some(token)
    })
}

/// Where the string at the end of `rest` begins, if that is certain.
fn text_start(rest: &[u8]) -> Option<usize> {
    let mut before = &rest[..rest.len() - 1];
    loop {
        let quote = memchr::memrchr(b'"', before)?;
        // Backslashes that reach the cut cannot be counted.
        let unescaped = before[..quote].iter().rposition(|byte| *byte != b'\\')? + 1;
        if (quote - unescaped).is_multiple_of(2) {
            return Some(quote);
        }
        before = &before[..quote];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_see_the_same_tokens() {
        let json = br#"{"a\\\"":[1,-2.5e3,true,null,"\\"],"b":{"c":""},"d":"{\"e\":1}"}"#;
        let there: Vec<_> = forwards(json).collect();
        let mut back: Vec<_> = backwards(json).collect();
        back.reverse();
        assert_eq!(there, back);
        assert_eq!(there.len(), 27);
    }

    #[test]
    fn a_token_that_is_cut_is_left_out() {
        assert_eq!(forwards(br#"{"a":12"#).last(), Some(Token::Colon));
        assert_eq!(forwards(br#"{"a":"x\""#).last(), Some(Token::Colon));
        assert_eq!(backwards(br#"2,"a"]"#).last(), Some(Token::Comma));
        assert_eq!(backwards(br#"x"]"#).last(), Some(Token::Close));
        assert_eq!(backwards(br#""x"]"#).last(), Some(Token::Close), "the first quote may be an escaped one");
        assert_eq!(backwards(br#"\\"x"]"#).last(), Some(Token::Close));
    }
}
