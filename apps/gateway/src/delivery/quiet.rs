//! What the assistant says when it has nothing to tell: `HEARTBEAT_OK`, which nobody is to read. Only in what it did unasked;
//! to those who ask, it may say the word.

use std::borrow::Cow;

use argus_session::{Origin, Outcome};

/// The word.
const OK: &str = "HEARTBEAT_OK";
/// What stands beside the word and is no longer than this, in characters, is as good as nothing.
const AS_GOOD_AS_NOTHING: usize = 300;
/// Marks that a word can be wrapped in, from the left and from the right.
const WRAPS: [(&str, &str); 11] = [
    ("*", "*"),
    ("_", "_"),
    ("~", "~"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("(", ")"),
    ("[", "]"),
    ("“", "”"),
    ("「", "」"),
    ("&nbsp;", "&nbsp;"),
];
/// Marks are never longer than this, in bytes.
const LONGEST_MARKS: usize = 1000;
/// What may end a sentence of one word.
const STOPS: [char; 8] = ['.', '!', ',', ':', ';', '。', '！', '，'];

/// Whether anything of an answer is to be told.
pub fn has_something_to_tell(text: &str) -> bool {
    told(text).is_some_and(|rest| !rest.trim().is_empty())
}

/// What of an outcome is to be told, `None` where it is nothing. What people and clients asked for is told as it is.
pub(super) fn of_outcome<'a>(origin: &Origin, outcome: &'a Outcome) -> Option<Cow<'a, Outcome>> {
    let text = |text: &str| told(text).filter(|rest| !rest.trim().is_empty()).map(Cow::into_owned);
    Some(match (origin, outcome) {
        (Origin::Chat { .. } | Origin::Client { .. }, outcome)
        | (Origin::Cron { .. }, outcome @ Outcome::Interrupted { .. }) => Cow::Borrowed(outcome),
        (Origin::Heartbeat { .. } | Origin::Cron { .. }, Outcome::Completed { text: said }) => {
            Cow::Owned(Outcome::Completed { text: text(said)? })
        }
        (Origin::Heartbeat { .. }, Outcome::Interrupted { .. }) => return None,
        (Origin::Heartbeat { .. } | Origin::Cron { .. }, Outcome::Failed { reason, text: said }) => {
            Cow::Owned(Outcome::Failed { reason: reason.clone(), text: text(said).unwrap_or_default() })
        }
    })
}

/// What of an answer is to be told, `None` where it is nothing. What is told is as it was written, but for the word where it
/// stands at the beginning or at the end.
pub(super) fn told(text: &str) -> Option<Cow<'_, str>> {
    let (mut rest, mut left) = (text, without_word(text));
    if left.is_none() {
        return Some(Cow::Borrowed(text));
    }
    while let Some(Cow::Borrowed(less)) = left {
        rest = less;
        left = without_word(rest);
    }
    let rest = left.unwrap_or(Cow::Borrowed(rest));
    (rest.trim().chars().count() > AS_GOOD_AS_NOTHING).then_some(rest)
}

/// The text without the word at its beginning, else without the one at its end; `None` where it stands at neither. It is put
/// together anew only where a mark is opened before the word and closed elsewhere.
fn without_word(text: &str) -> Option<Cow<'_, str>> {
    for at in [text.find(OK)?, text.rfind(OK)?] {
        let (before, after) = (&text[..at], &text[at + OK.len()..]);
        if is_in_word(before.chars().rev()) || is_in_word(after.chars()) {
            continue;
        }
        let (before, after) = unwrapped(before, after);
        if says_nothing(before) {
            let after = after.strip_prefix(STOPS).filter(|rest| is_apart(rest)).unwrap_or(after);
            let after = without_blank_lines(after);
            return Some(joined(before.trim(), after));
        }
        let behind = after.trim_start_matches(STOPS);
        if says_nothing(behind) {
            return Some(joined(before.trim_end(), behind.trim()));
        }
    }
    None
}

fn joined<'a>(before: &'a str, after: &'a str) -> Cow<'a, str> {
    match (before, after) {
        ("", rest) | (rest, "") => Cow::Borrowed(rest),
        (before, after) => Cow::Owned(format!("{before}{after}")),
    }
}

/// Whether the characters beside a word, the nearest first, make it part of a longer one.
fn is_in_word(mut beside: impl Iterator<Item = char>) -> bool {
    // Scripts from there on put no spaces between words.
    let spaced = |c: char| c.is_alphanumeric() && c < '\u{2e80}';
    beside.find(|c| *c != '_').is_some_and(spaced)
}

/// What stands around a word and the marks around it.
fn unwrapped<'a>(mut before: &'a str, mut after: &'a str) -> (&'a str, &'a str) {
    loop {
        let (left, right) = (before.trim_end(), after.trim_start());
        let wrap = WRAPS.into_iter().find(|(open, close)| left.ends_with(open) && right.starts_with(close));
        if let Some((open, close)) = wrap {
            (before, after) = (&left[..left.len() - open.len()], &right[close.len()..]);
        } else if let Some((outer_left, outer_right)) = without_tags(left, right) {
            (before, after) = (outer_left, outer_right);
        } else if let Some(fence) = without_language(before).filter(|_| right.starts_with("```")) {
            before = fence;
        } else {
            return (before, after);
        }
    }
}

/// What stands around `<tag>` and `</tag>`.
fn without_tags<'a>(left: &'a str, right: &'a str) -> Option<(&'a str, &'a str)> {
    let (outer, tag) = left.strip_suffix('>')?.rsplit_once('<')?;
    let name = tag.split_whitespace().next().filter(|name| name.chars().all(char::is_alphanumeric))?;
    Some((outer, right.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?))
}

/// The fence of a block of code without the language behind it.
fn without_language(before: &str) -> Option<&str> {
    let line = before.trim_end();
    let fence = line.trim_end_matches(char::is_alphanumeric);
    (fence.len() < line.len() && fence.ends_with("```")).then_some(fence)
}

/// Whether there is nothing to read in it, only marks.
fn says_nothing(text: &str) -> bool {
    if text.len() > LONGEST_MARKS {
        return false;
    }
    let mut in_tag = false;
    !text.replace("&nbsp;", " ").chars().any(|c| {
        in_tag = (in_tag && c != '>') || (c == '<');
        !in_tag && (c.is_alphanumeric() || !(c.is_ascii() || c.is_whitespace()))
    })
}

fn is_apart(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

/// From the first line on that is not blank, and its indentation with it.
fn without_blank_lines(text: &str) -> &str {
    let blank = text.len() - text.trim_start().len();
    match text[..blank].rfind('\n') {
        Some(end) => &text[end + 1..],
        None => text.trim_start(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_and_little_beside_it_is_nothing_to_tell() {
        for text in [
            "HEARTBEAT_OK",
            "  HEARTBEAT_OK\n",
            "**HEARTBEAT_OK**",
            "`HEARTBEAT_OK`",
            "__HEARTBEAT_OK__",
            "***_HEARTBEAT_OK_***",
            "~~ HEARTBEAT_OK ~~",
            "<b>HEARTBEAT_OK</b>",
            "<p class=\"x\"><b>HEARTBEAT_OK</b></p>",
            "&nbsp;HEARTBEAT_OK&nbsp;",
            "\"HEARTBEAT_OK\"",
            "(HEARTBEAT_OK)",
            "```\nHEARTBEAT_OK\n```",
            "```text\nHEARTBEAT_OK\n```",
            "> HEARTBEAT_OK",
            "# HEARTBEAT_OK",
            "- HEARTBEAT_OK",
            "HEARTBEAT_OK.",
            "HEARTBEAT_OK HEARTBEAT_OK",
            "HEARTBEAT_OK\n\nNothing happened.",
            "Nothing happened. **HEARTBEAT_OK**!",
            "没有需要处理的事。HEARTBEAT_OK。",
            "**HEARTBEAT_OK: all is well**",
            "一切正常HEARTBEAT_OK",
        ] {
            assert_eq!(told(text), None, "{text:?}");
        }
        let little = "x".repeat(300);
        assert_eq!(told(&format!("{little} HEARTBEAT_OK")), None);
    }

    #[test]
    fn a_text_without_the_word_at_an_end_is_told_as_it_is() {
        for text in [
            "The disk is full.",
            "  The disk\n\n    is full.\n",
            "HEARTBEAT_OKAY",
            "HEARTBEAT_OK2 is new",
            "HEARTBEAT_OK_NOT",
            "NO_HEARTBEAT_OK",
            "xHEARTBEAT_OK",
            "heartbeat_ok",
            "I would say HEARTBEAT_OK, but the disk is full.",
        ] {
            assert_eq!(told(text), Some(Cow::Borrowed(text)), "{text:?}");
        }
    }

    #[test]
    fn what_is_long_beside_the_word_is_told_without_it_and_otherwise_untouched() {
        let code = format!(
            "    indented\n\n```rust\nfn a() {{\n\n    b();  \n}}\n```\n- one\n  - two {}",
            "x".repeat(300)
        );
        for text in [
            format!("HEARTBEAT_OK\n{code}"),
            format!("**HEARTBEAT_OK**\n\n{code}"),
            format!("{code}\n\nHEARTBEAT_OK"),
            format!("HEARTBEAT_OK.\n \n{code} <b>HEARTBEAT_OK</b>\n"),
            format!("{code} `HEARTBEAT_OK`."),
        ] {
            assert_eq!(told(&text).as_deref(), Some(code.as_str()), "{text:?}");
        }
        let middle = format!("{code} HEARTBEAT_OK {code}");
        assert_eq!(told(&middle).as_deref(), Some(middle.as_str()));
        let bold = format!("**HEARTBEAT_OK: {}**", "x".repeat(300));
        assert_eq!(told(&bold), Some(Cow::Owned(format!("**{}**", "x".repeat(300)))));
    }

    #[test]
    fn many_words_and_marks_take_no_long_time() {
        assert_eq!(told(&"HEARTBEAT_OK ".repeat(100_000)), None);
        let text = format!("x{}y", " HEARTBEAT_OK".repeat(100_000));
        assert_eq!(told(&text).as_deref(), Some(text.as_str()));
    }
}
