//! Texts of others, shown within bounds and so that nothing in them is hidden.

use crate::chat::texts::asking as texts;
use crate::store::ledger::Language;

/// Characters of a reason, a path and the like.
pub(super) const SHORT: usize = 300;

/// A block of code that what is in it cannot end, and in which nothing is invisible or out of its order.
pub(in crate::chat) fn fenced(language: &str, text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

/// Characters that would hide what stands there are shown by their numbers.
pub(in crate::chat) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) && c != '\n' && c != '\t' { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Whether a character is not to be seen, or changes the order of what stands round it.
pub(in crate::chat) fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// The beginning and the end of a long text, with a note of what is not there between them.
pub(in crate::chat) fn middle_out(text: &str, most: usize, language: Language) -> (String, bool) {
    if text.chars().take(most + 1).count() <= most {
        return (text.to_owned(), false);
    }
    let half = most / 2;
    let head = text.char_indices().nth(half).map_or(text.len(), |(at, _)| at);
    let tail = text.char_indices().rev().nth(half.saturating_sub(1)).map_or(head, |(at, _)| at.max(head));
    let note = texts::left_out(language, tail - head);
    (format!("{}\n{note}\n{}", &text[..head], &text[tail..]), true)
}

pub(in crate::chat) fn short(text: &str) -> String {
    short_to(text, SHORT)
}

pub(super) fn short_to(text: &str, most: usize) -> String {
    let line = visible(text).replace('\n', " ");
    let mut kept: String = line.chars().take(most).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    kept
}
