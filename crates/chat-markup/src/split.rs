//! Chooses where one message ends and the next begins.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use crate::document::{Document, Tag, is_visible};
use crate::render::{closing_len, escaped_len, opening_len, shared_prefix};

/// The most HTML in a message, in bytes. Telegram drops what lies past 35 000; a third of it is far from every edge.
const HTML_BYTES: usize = 12_000;
/// The most entities in a message: Telegram forgets those after the hundredth, and with them the addresses of links.
const ENTITIES: usize = 100;

/// What one message takes from the document.
#[derive(Debug)]
pub(crate) struct Slice {
    /// In bytes of the document's text.
    pub(crate) text: Range<usize>,
    /// The index of the run that its first byte lies in.
    pub(crate) first_run: usize,
}

/// Cuts a document into slices that each fit one message. White space at a cut belongs to neither side.
pub(crate) struct Cutter<'a> {
    document: &'a Document,
    limit: usize,
    position: usize,
    run: usize,
}

impl Iterator for Cutter<'_> {
    type Item = Slice;

    fn next(&mut self) -> Option<Slice> {
        let text = self.document.text();
        loop {
            let start = self.begin()?;
            let reach = self.reach(start);
            let end = self.cut(start, reach);
            self.position = end;
            let taken = text[start..end].trim_end();
            if is_visible(taken) {
                return Some(Slice { text: start..start + taken.len(), first_run: self.run });
            }
        }
    }
}

impl<'a> Cutter<'a> {
    /// `limit` is in UTF-16 units, at least 2.
    pub(crate) fn new(document: &'a Document, limit: usize) -> Self {
        Self { document, limit, position: 0, run: 0 }
    }

    /// Where the next slice begins: past white space, but with the indentation of a line of code.
    fn begin(&mut self) -> Option<usize> {
        let rest = &self.document.text()[self.position..];
        let blank = rest.len() - rest.trim_start().len();
        if blank == rest.len() {
            return None;
        }
        let first = self.position + blank;
        let runs = self.document.runs();
        while runs[self.run].end <= first {
            self.run += 1;
        }
        let Some(Tag::Pre(_)) = runs[self.run].tags.last() else { return Some(first) };
        let run_start = self.run.checked_sub(1).map_or(0, |before| runs[before].end);
        let line = rest[..blank].rfind('\n').map_or(self.position, |newline| self.position + newline + 1);
        let line = line.max(run_start);
        // An indentation that fills half a message shows nothing any more.
        Some(if first - line > self.limit / 2 { first } else { line })
    }

    /// How far a message from `start` could go at most, with all its tags closed again.
    fn reach(&self, start: usize) -> usize {
        let text = self.document.text();
        let (mut units, mut bytes, mut entities) = (0, 0, 0);
        let mut open: &[Tag] = &[];
        let mut at = start;
        for run in &self.document.runs()[self.run..] {
            let shared = shared_prefix(open, &run.tags);
            bytes += open[shared..].iter().map(closing_len).sum::<usize>();
            bytes += run.tags[shared..].iter().map(opening_len).sum::<usize>();
            entities += run.tags.len() - shared;
            let closing: usize = run.tags.iter().map(closing_len).sum();
            open = &run.tags;
            for ch in text[at..run.end].chars() {
                units += ch.len_utf16();
                bytes += escaped_len(ch);
                if at > start && (units > self.limit || bytes + closing > HTML_BYTES || entities > ENTITIES) {
                    return at;
                }
                at += ch.len_utf8();
            }
        }
        at
    }

    /// The best place to cut in `start..=reach`: before a block, else after a line, else after a word, else anywhere.
    ///
    /// A place is good when it leaves the message half full or keeps the next piece of that kind whole.
    fn cut(&self, start: usize, reach: usize) -> usize {
        let text = self.document.text();
        let rest = &text[reach..];
        // White space is dropped at a cut, so what follows it is as good a place as what precedes it.
        let reach_after = reach + (rest.len() - rest.trim_start().len());
        if reach_after == text.len() {
            return reach_after;
        }
        let blocks = self.document.blocks();
        let block = blocks.partition_point(|block| *block <= reach_after);
        let next_block = blocks.get(block).copied().unwrap_or(text.len());
        let window = &text[start..reach_after];
        let half = start + (reach - start) / 2;

        let before_block = blocks[..block].last().copied().filter(|block| *block > start);
        if let Some(at) =
            before_block.filter(|at| *at >= half || self.fits(*at, |place, _| place == next_block))
        {
            return at;
        }
        let after_line = window.rfind('\n').map(|newline| start + newline + 1);
        if let Some(at) = after_line.filter(|at| *at >= half || self.fits(*at, |_, ch| ch == '\n')) {
            return at;
        }
        let after_word = window.char_indices().rfind(|(_, ch)| ch.is_whitespace());
        let after_word = after_word.map(|(space, ch)| start + space + ch.len_utf8());
        // Behind an indentation nothing was said yet, and it would be lost.
        let after_word = after_word.filter(|at| is_visible(text[start..*at].trim_end()));
        if let Some(at) = after_word.filter(|at| *at >= half || self.fits(*at, |_, ch| ch.is_whitespace())) {
            return at;
        }
        between_graphemes(&text[start..], reach - start).map_or(reach, |length| start + length)
    }

    /// Whether the piece from `start` to the first place where it `ends` fits one message.
    fn fits(&self, start: usize, ends: impl Fn(usize, char) -> bool) -> bool {
        let mut units = 0;
        for (offset, ch) in self.document.text()[start..].char_indices() {
            if ends(start + offset, ch) {
                return true;
            }
            units += ch.len_utf16();
            if units > self.limit {
                return false;
            }
        }
        true
    }
}

/// The last length up to `at` that does not end within a grapheme; none if the first grapheme is longer than that.
fn between_graphemes(text: &str, at: usize) -> Option<usize> {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if cursor.is_boundary(text, 0).unwrap_or(true) {
        return Some(at);
    }
    cursor.prev_boundary(text, 0).ok().flatten().filter(|length| *length > 0)
}
