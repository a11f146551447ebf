//! Finds delimiters that the Markdown parser leaves as text: spoilers, and strong emphasis against CJK punctuation.

use std::ops::Range;

use crate::document::Tag;
use crate::inline::Piece;

/// A delimiter in the source that may open or close something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// In bytes of the source.
    pub(crate) start: usize,
    kind: Kind,
    opens: Side,
    closes: Side,
    neighbours: Neighbours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `||hidden||`.
    Spoiler,
    /// `**strong**` that `CommonMark` refuses, as it does in `**注意:**请看`: it knows words by their spaces.
    Strong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Can,
    Cannot,
}

/// What stands beside a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbours {
    Ascii,
    /// One of them at least is not ASCII.
    Wide,
}

impl Mark {
    /// The delimiter as written.
    pub(crate) fn text(&self) -> &'static str {
        match self.kind {
            Kind::Spoiler => "||",
            Kind::Strong => "**",
        }
    }

    fn tag(&self) -> Tag {
        match self.kind {
            Kind::Spoiler => Tag::Spoiler,
            Kind::Strong => Tag::Bold,
        }
    }

    fn at(source: &str, start: usize, kind: Kind) -> Option<Self> {
        let before = source[..start].chars().next_back().unwrap_or('\n');
        let after = source[start + 2..].chars().next().unwrap_or('\n');
        // `a||b` and `true || false` are code, not spoilers.
        let in_word = |ch: char| kind == Kind::Spoiler && ch.is_ascii_alphanumeric();
        let side = |inner: char, outer: char| {
            if inner.is_whitespace() || in_word(outer) { Side::Cannot } else { Side::Can }
        };
        let (opens, closes) = (side(after, before), side(before, after));
        let neighbours =
            if before.is_ascii() && after.is_ascii() { Neighbours::Ascii } else { Neighbours::Wide };
        (opens == Side::Can || closes == Side::Can).then_some(Self { start, kind, opens, closes, neighbours })
    }

    fn closes(&self, opener: &Self) -> bool {
        let wide = self.neighbours == Neighbours::Wide || opener.neighbours == Neighbours::Wide;
        self.closes == Side::Can && self.start > opener.start + 2 && (self.kind == Kind::Spoiler || wide)
    }
}

/// Finds the marks in a stretch of source that came out as text; a delimiter is exactly two characters long.
///
/// The character at `escaped` stands after a backslash and is none.
pub(crate) fn find_marks(source: &str, range: Range<usize>, escaped: Option<usize>) -> Vec<Mark> {
    let bytes = source.as_bytes();
    let mut marks = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let kind = match bytes[at] {
            _ if escaped == Some(at) => None,
            b'|' => Some(Kind::Spoiler),
            b'*' => Some(Kind::Strong),
            _ => None,
        };
        let Some(kind) = kind else {
            at += 1;
            continue;
        };
        let length = bytes[at..range.end].iter().take_while(|byte| **byte == bytes[at]).count();
        if length == 2 {
            marks.extend(Mark::at(source, at, kind));
        }
        at += length;
    }
    marks
}

/// Pairs each closing mark with the nearest opening one before it, and lays the tag over what is between.
/// Marks without a partner stay text.
pub(crate) fn pair_marks(mut pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.iter().all(|piece| piece.mark.is_none()) {
        return pieces;
    }
    for kind in [Kind::Strong, Kind::Spoiler] {
        for (open, close) in pairs(&pieces, kind) {
            let Some(tag) = pieces[open].mark.as_ref().map(Mark::tag) else { continue };
            pieces[open].text.clear();
            pieces[close].text.clear();
            for piece in &mut pieces[open + 1..close] {
                if !piece.tags.contains(&tag) && !piece.tags.contains(&Tag::Code) {
                    piece.tags.insert(0, tag.clone());
                }
            }
        }
    }
    pieces
}

/// The pairs of one kind, as indices of pieces: in order, and none within another.
fn pairs(pieces: &[Piece], kind: Kind) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut opener: Option<(usize, &Mark)> = None;
    for (index, piece) in pieces.iter().enumerate() {
        let Some(mark) = piece.mark.as_ref().filter(|mark| mark.kind == kind) else { continue };
        match opener {
            Some((open, before)) if mark.closes(before) => {
                pairs.push((open, index));
                opener = None;
            }
            _ if mark.opens == Side::Can => opener = Some((index, mark)),
            _ => {}
        }
    }
    pairs
}
