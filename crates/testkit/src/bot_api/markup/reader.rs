//! Reads the pieces of Telegram's HTML: tags, attributes, character references.

const TAGS: [&str; 16] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
];

pub(super) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The markup, and how far it is read, in bytes.
pub(super) struct Reader<'a> {
    pub(super) source: &'a [u8],
    pub(super) at: usize,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub(super) fn second(&self) -> Option<u8> {
        self.source.get(self.at + 1).copied()
    }

    pub(super) fn take(&mut self) -> u8 {
        self.at += 1;
        self.source[self.at - 1]
    }

    pub(super) fn until(&mut self, end: impl Fn(u8) -> bool) -> String {
        let begin = self.at;
        while self.peek().is_some_and(|byte| !end(byte)) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.source[begin..self.at]).into_owned()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.until(|byte| !is_space(byte));
    }

    /// Reads from `<` to past `>`: the tag's name, and the one attribute that means something.
    pub(super) fn start_tag(&mut self) -> Result<(String, String), String> {
        let begin = self.at;
        self.at += 1;
        let tag = self.until(|byte| is_space(byte) || byte == b'>').to_ascii_lowercase();
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if !TAGS.contains(&tag.as_str()) {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let mut argument = String::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(b'>') => break,
                None => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
                Some(_) => {}
            }
            let attribute = self.until(|byte| is_space(byte) || b"=>/\"'".contains(&byte));
            if attribute.is_empty() {
                return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
            }
            let value = self.attribute_value(&tag, begin)?;
            match (tag.as_str(), attribute.as_str(), value) {
                ("blockquote", "expandable", _) => "1".clone_into(&mut argument),
                ("a", "href", Some(value))
                | ("tg-emoji", "emoji-id", Some(value))
                | ("span", "class", Some(value)) => argument = value,
                ("code", "class", Some(value)) => {
                    if let Some(language) = value.strip_prefix("language-") {
                        language.clone_into(&mut argument);
                    }
                }
                _ => {}
            }
        }
        self.at += 1;
        if tag == "span" && argument != "tg-spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        Ok((tag, argument))
    }

    /// The value after an attribute's name, if it has one.
    fn attribute_value(&mut self, tag: &str, begin: usize) -> Result<Option<String>, String> {
        self.skip_spaces();
        if self.peek() != Some(b'=') {
            return Ok(None);
        }
        self.at += 1;
        self.skip_spaces();
        let quote = match self.peek() {
            None => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
            Some(quote @ (b'"' | b'\'')) => quote,
            Some(_) => {
                let token = self.at;
                let value = self.until(|byte| !byte.is_ascii_alphanumeric() && byte != b'.' && byte != b'-');
                if !self.peek().is_some_and(|byte| is_space(byte) || byte == b'>') {
                    return Err(format!("Unexpected end of name token at byte offset {token}"));
                }
                return Ok(Some(value.to_ascii_lowercase()));
            }
        };
        self.at += 1;
        let mut value = Vec::new();
        while self.peek().is_some_and(|byte| byte != quote) {
            match self.reference() {
                Some(code) => push_code_point(&mut value, code)?,
                None => value.push(self.take()),
            }
        }
        self.at += 1;
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        Ok(Some(visible(&value)?.to_owned()))
    }

    /// Decodes the character reference here, and moves past it; unknown ones are left as text.
    pub(super) fn reference(&mut self) -> Option<u32> {
        let rest = self.source.get(self.at + 1..).filter(|_| self.peek() == Some(b'&'))?;
        let length = |test: fn(&u8) -> bool, rest: &[u8]| rest.iter().take_while(|byte| test(byte)).count();
        let (code, used) = match rest {
            [b'#', b'x', digits @ ..] => {
                let count = length(u8::is_ascii_hexdigit, digits);
                (u32::from_str_radix(std::str::from_utf8(&digits[..count]).ok()?, 16).ok()?, count + 2)
            }
            [b'#', digits @ ..] => {
                let count = length(u8::is_ascii_digit, digits);
                (std::str::from_utf8(&digits[..count]).ok()?.parse().ok()?, count + 1)
            }
            _ => {
                let count = length(u8::is_ascii_alphabetic, rest);
                let code = match &rest[..count] {
                    b"lt" => '<',
                    b"gt" => '>',
                    b"amp" => '&',
                    b"quot" => '"',
                    _ => return None,
                };
                (u32::from(code), count)
            }
        };
        if code == 0 || code > 0x10_ffff {
            return None;
        }
        self.at += 1 + used;
        if self.peek() == Some(b';') {
            self.at += 1;
        }
        Some(code)
    }
}

pub(super) fn visible(text: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(text).map_err(|_| lone_surrogate())
}

fn lone_surrogate() -> String {
    "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units"
        .to_owned()
}

pub(super) fn push_code_point(text: &mut Vec<u8>, code: u32) -> Result<(), String> {
    let decoded = char::from_u32(code).ok_or_else(lone_surrogate)?;
    text.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}
