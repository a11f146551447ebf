//! Writes a slice of the document as one message, and knows beforehand how many bytes that takes.

use crate::Part;
use crate::document::{Document, Fold, Tag};
use crate::split::Slice;

/// Writes one message: the tags open at its first character are opened anew, those open at its last are closed.
pub(crate) fn part(document: &Document, slice: &Slice) -> Part {
    let mut html = String::with_capacity(slice.text.len() + 64);
    let mut open: &[Tag] = &[];
    let mut at = slice.text.start;
    for run in &document.runs()[slice.first_run..] {
        if at >= slice.text.end {
            break;
        }
        let shared = shared_prefix(open, &run.tags);
        close(&mut html, &open[shared..]);
        for tag in &run.tags[shared..] {
            open_tag(&mut html, tag);
        }
        open = &run.tags;
        let end = run.end.min(slice.text.end);
        for ch in document.text()[at..end].chars() {
            match escaped(ch) {
                Some(entity) => html.push_str(entity),
                None => html.push(ch),
            }
        }
        at = end;
    }
    close(&mut html, open);
    Part { html, plain: document.text()[slice.text.clone()].to_owned() }
}

/// How many tags, from the outermost, stay open from one run to the next.
pub(crate) fn shared_prefix(left: &[Tag], right: &[Tag]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// The bytes that a character takes in HTML.
pub(crate) fn escaped_len(ch: char) -> usize {
    escaped(ch).map_or(ch.len_utf8(), str::len)
}

/// The bytes that opening a tag takes.
pub(crate) fn opening_len(tag: &Tag) -> usize {
    let (before, value, after) = opening(tag);
    before.len() + value.len() + after.len()
}

/// The bytes that closing a tag takes.
pub(crate) fn closing_len(tag: &Tag) -> usize {
    closing(tag).len()
}

/// Escapes text for a double-quoted attribute.
pub(crate) fn escape_attribute(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for ch in value.chars() {
        match escaped(ch) {
            Some(entity) => out.push_str(entity),
            None if ch == '"' => out.push_str("&quot;"),
            None => out.push(ch),
        }
    }
    out
}

fn escaped(ch: char) -> Option<&'static str> {
    match ch {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn open_tag(html: &mut String, tag: &Tag) {
    let (before, value, after) = opening(tag);
    html.push_str(before);
    html.push_str(value);
    html.push_str(after);
}

fn close(html: &mut String, tags: &[Tag]) {
    for tag in tags.iter().rev() {
        html.push_str(closing(tag));
    }
}

fn opening(tag: &Tag) -> (&'static str, &str, &'static str) {
    match tag {
        Tag::Quote(Fold::Open) => ("<blockquote>", "", ""),
        Tag::Quote(Fold::Folded) => ("<blockquote expandable>", "", ""),
        Tag::Pre(None) => ("<pre>", "", ""),
        Tag::Pre(Some(language)) => ("<pre><code class=\"language-", language, "\">"),
        Tag::Link(address) => ("<a href=\"", address, "\">"),
        Tag::Code => ("<code>", "", ""),
        Tag::Spoiler => ("<tg-spoiler>", "", ""),
        Tag::Bold => ("<b>", "", ""),
        Tag::Italic => ("<i>", "", ""),
        Tag::Strike => ("<s>", "", ""),
    }
}

fn closing(tag: &Tag) -> &'static str {
    match tag {
        Tag::Quote(_) => "</blockquote>",
        Tag::Pre(None) => "</pre>",
        Tag::Pre(Some(_)) => "</code></pre>",
        Tag::Link(_) => "</a>",
        Tag::Code => "</code>",
        Tag::Spoiler => "</tg-spoiler>",
        Tag::Bold => "</b>",
        Tag::Italic => "</i>",
        Tag::Strike => "</s>",
    }
}
