//! Bytes of a stream as a page of text, cut between characters.

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// Text, of so many bytes.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
}

/// What may follow the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// More of the stream, now or later.
    More,
    /// Nothing, ever.
    Nothing,
}

impl Page {
    /// The page that these bytes make. A character that they hold the beginning of only is left for the next page.
    pub(crate) fn of(mut bytes: Vec<u8>, after: After) -> Self {
        if let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
            && after == After::More
        {
            bytes.truncate(error.valid_up_to());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }

    /// Its size in bytes of the stream.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The last bytes of a stream as text, whatever they are; `cut`: more came before them.
pub(crate) fn last(bytes: &[u8], cut: Cut) -> String {
    // The rest of a character whose beginning was cut off.
    let rest = match cut {
        Cut::Before => bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count(),
        Cut::Nothing => 0,
    };
    String::from_utf8_lossy(&bytes[rest..]).into_owned()
}

/// Whether something stands before the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It does.
    Before,
    /// They are the whole stream.
    Nothing,
}

/// The last so many characters of a text.
pub(crate) fn tail(text: &str, characters: usize) -> &str {
    let at = text.char_indices().rev().nth(characters.saturating_sub(1)).map_or(0, |(at, _)| at);
    if characters == 0 { "" } else { &text[at..] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pages(stream: &[u8], limit: usize) -> (Vec<u8>, bool) {
        let (mut at, mut read, mut all_text) = (0, Vec::new(), true);
        while at < stream.len() {
            let end = stream.len().min(at + limit);
            let after = if end == stream.len() { After::Nothing } else { After::More };
            let page = Page::of(stream[at..end].to_vec(), after);
            assert!(page.len() > 0, "a page of {limit} bytes at {at} is empty");
            at += page.len();
            match page {
                Page::Text(text) => read.extend(text.into_bytes()),
                Page::Bytes(bytes) => {
                    all_text = false;
                    read.extend(bytes);
                }
            }
        }
        (read, all_text)
    }

    proptest! {
        #[test]
        fn pages_of_any_size_are_the_text_again(text in "[aß€\u{1F600}\u{0}]{0,60}", limit in 4_usize..20) {
            prop_assert_eq!(pages(text.as_bytes(), limit), (text.into_bytes(), true));
        }

        #[test]
        fn pages_of_any_size_are_the_bytes_again(bytes in prop::collection::vec(any::<u8>(), 0..80), limit in 4_usize..20) {
            prop_assert_eq!(pages(&bytes, limit).0, bytes);
        }

        #[test]
        fn a_tail_is_the_end_of_the_text(text in "[aß€\u{1F600}]{0,30}", characters in 0_usize..40) {
            let skipped = text.chars().count().saturating_sub(characters);
            prop_assert_eq!(tail(&text, characters), text.chars().skip(skipped).collect::<String>());
        }

        #[test]
        fn the_last_of_a_text_begins_with_a_whole_character(text in "[aß€\u{1F600}]{1,30}", from in 0_usize..90) {
            let from = from.min(text.len());
            let cut = if from == 0 { Cut::Nothing } else { Cut::Before };
            let last = last(&text.as_bytes()[from..], cut);
            prop_assert_eq!(last.as_str(), &text[text.ceil_char_boundary(from)..]);
        }
    }
}
