//! Texts of strangers, written so that a person sees what there is.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// An argument as a shell would take it. What cannot be seen, or changes how the rest is seen, is written by its number,
/// as in `$'\u202e'`.
pub fn quoted(text: &str) -> String {
    if text.chars().any(is_hidden) {
        let mut out = String::from("$'");
        for char in text.chars() {
            match char {
                '\'' | '\\' => out.extend(['\\', char]),
                char => push_visible(&mut out, char),
            }
        }
        out.push('\'');
        return out;
    }
    let plain = |char: char| char.is_alphanumeric() || "-_./:=@%+,".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text with what cannot be seen written by its number.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|char| push_visible(&mut out, char));
    out
}

/// A command line, each argument quoted, none longer than `longest` characters.
pub fn command_line(argv: &[String], longest: usize) -> String {
    argv.iter().map(|argument| shortened(&quoted(argument), longest)).collect::<Vec<_>>().join(" ")
}

/// No more than about `longest` characters of a text: its beginning and its end, and how much is missing between them.
pub fn shortened(text: &str, longest: usize) -> String {
    let count = text.chars().count();
    if count <= longest {
        return text.to_owned();
    }
    let note = format!(" […{} characters left out…] ", count - longest);
    let tail = longest / 3;
    let head: String = text.chars().take(longest - tail).collect();
    let end: String = text.chars().skip(count - tail).collect();
    head + &note + &end
}

fn push_visible(out: &mut String, char: char) {
    if !is_hidden(char) {
        out.push(char);
        return;
    }
    let code = char as u32;
    // Writing to a text does not fail.
    let _ = match char {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        char if char.is_ascii() => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Whether a character takes no room, looks like nothing or like a space, or is of nobody's script.
fn is_hidden(char: char) -> bool {
    let looks_empty =
        matches!(char, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fffc}');
    let private = matches!(char, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    // The tags, variation selectors and whatever else is ignored where it is not known.
    let ignored = matches!(char, '\u{e0000}'..='\u{e0fff}' | '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}');
    let invisible =
        matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}');
    let space = char != ' ' && char.is_whitespace();
    char.is_control()
        || space
        || looks_empty
        || private
        || ignored
        || invisible
        || char.width().is_none_or(|w| w == 0)
}
