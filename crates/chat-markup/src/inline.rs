//! Gathers the text within one block: styled pieces, links, and the marks that Markdown itself does not know.

use std::ops::Range;

use crate::document::Tag;
use crate::link::Address;
use crate::mark::{Mark, find_marks, pair_marks};

/// Text of one block under the same tags.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Outermost first.
    pub(crate) tags: Vec<Tag>,
    /// Set while it is open whether the text is a delimiter.
    pub(crate) mark: Option<Mark>,
}

/// Where the gathered text will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// In running text, which may hold every tag.
    Prose,
    /// In a cell of a table, which is shown as code and holds none.
    Cell,
}

/// The text of the block being read.
#[derive(Debug)]
pub(crate) struct Inline<'a> {
    source: &'a str,
    setting: Setting,
    pieces: Vec<Piece>,
    open: Vec<Tag>,
    depth: Depths,
    links: Vec<OpenLink>,
    /// Text not yet made a piece, exactly as in the source.
    pending: Range<usize>,
    /// Where in the source a character stands after a backslash, if the pending text begins with it.
    escaped: Option<usize>,
}

/// How many of each emphasis are open: they nest, the tags of Telegram do not.
#[derive(Debug, Default)]
struct Depths {
    bold: usize,
    italic: usize,
    strike: usize,
}

#[derive(Debug)]
struct OpenLink {
    first_piece: usize,
    address: Address,
    shown: Shown,
}

/// What stands for the address of a link when it ends.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Tag,
    Words,
    Nothing,
}

impl<'a> Inline<'a> {
    /// Nothing gathered yet, from this source.
    pub(crate) fn new(source: &'a str) -> Self {
        Self {
            source,
            setting: Setting::Prose,
            pieces: Vec::new(),
            open: Vec::new(),
            depth: Depths::default(),
            links: Vec::new(),
            pending: 0..0,
            escaped: None,
        }
    }

    /// Begins to gather for another setting.
    pub(crate) fn set(&mut self, setting: Setting) {
        self.setting = setting;
    }

    /// Takes text that Markdown found at `range` of the source.
    pub(crate) fn text(&mut self, text: &str, range: &Range<usize>) {
        if self.source.get(range.clone()) != Some(text) {
            // An entity, decoded.
            self.push(text);
            return;
        }
        if !self.pending.is_empty() && self.pending.end == range.start {
            self.pending.end = range.end;
            return;
        }
        self.settle();
        self.pending = range.clone();
        let follows_backslash = range.start > 0 && self.source.as_bytes()[range.start - 1] == b'\\';
        self.escaped = follows_backslash.then_some(range.start);
    }

    /// Adds text that is taken as it is.
    pub(crate) fn push(&mut self, text: &str) {
        self.settle();
        let tags = self.open.clone();
        self.push_piece(text, tags);
    }

    /// Adds code, which loses every other style; within a link it is the style that is lost.
    pub(crate) fn code(&mut self, text: &str) {
        self.settle();
        let linked = self.open.iter().any(|tag| matches!(tag, Tag::Link(_)));
        let tags = if linked { self.open.clone() } else { vec![Tag::Code] };
        self.push_piece(text, tags);
    }

    /// Opens an emphasis.
    pub(crate) fn open(&mut self, tag: Tag) {
        self.settle();
        if let Some(depth) = self.depth.of(&tag) {
            *depth += 1;
            if *depth == 1 {
                self.open.push(tag);
            }
        }
    }

    /// Closes the innermost emphasis of its kind.
    pub(crate) fn close(&mut self, tag: &Tag) {
        self.settle();
        if let Some(depth) = self.depth.of(tag) {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                self.open.retain(|open| open != tag);
            }
        }
    }

    /// Opens a link or an image, both of which come out as links. Within another link it is only text.
    pub(crate) fn open_link(&mut self, url: &str) {
        self.settle();
        let address = Address::of(url);
        let nested = self.open.iter().any(|tag| matches!(tag, Tag::Link(_)));
        let shown = match (&address, self.setting) {
            (Address::Omitted, _) => Shown::Nothing,
            _ if nested => Shown::Nothing,
            (Address::Linked { href, .. }, Setting::Prose) => {
                self.open.push(Tag::Link(href.clone()));
                Shown::Tag
            }
            (Address::Linked { .. }, Setting::Cell) | (Address::Written { .. }, _) => Shown::Words,
        };
        self.links.push(OpenLink { first_piece: self.pieces.len(), address, shown });
    }

    /// Closes the innermost link.
    pub(crate) fn close_link(&mut self) {
        self.settle();
        let Some(link) = self.links.pop() else { return };
        let words = link.address.words();
        let text = &self.pieces[link.first_piece.min(self.pieces.len())..];
        let is_empty = text.iter().all(|piece| piece.text.trim().is_empty());
        match link.shown {
            Shown::Tag | Shown::Words if is_empty => self.push(words),
            Shown::Words if !reads(text, words) => self.push(&format!(" ({words})")),
            Shown::Tag | Shown::Words | Shown::Nothing => {}
        }
        if let Shown::Tag = link.shown {
            self.open.retain(|tag| !matches!(tag, Tag::Link(_)));
        }
    }

    /// Hands over what was gathered, with the marks in it paired.
    pub(crate) fn take(&mut self) -> Vec<Piece> {
        self.settle();
        pair_marks(std::mem::take(&mut self.pieces))
    }

    /// Makes pieces of the pending text.
    fn settle(&mut self) {
        let pending = std::mem::replace(&mut self.pending, 0..0);
        if pending.is_empty() {
            return;
        }
        let mut at = pending.start;
        if self.setting == Setting::Prose {
            for mark in find_marks(self.source, pending.clone(), self.escaped) {
                self.push_piece(&self.source[at..mark.start], self.open.clone());
                let end = mark.start + mark.text().len();
                let text = self.source[mark.start..end].to_owned();
                self.pieces.push(Piece { text, tags: self.open.clone(), mark: Some(mark) });
                at = end;
            }
        }
        self.push_piece(&self.source[at..pending.end], self.open.clone());
    }

    fn push_piece(&mut self, text: &str, tags: Vec<Tag>) {
        if text.is_empty() {
            return;
        }
        // A link compares its own pieces only, so the first piece of one stays apart from what precedes it.
        let first_of_link = self.links.last().is_some_and(|link| link.first_piece == self.pieces.len());
        match self.pieces.last_mut() {
            Some(last) if !first_of_link && last.mark.is_none() && last.tags == tags => {
                last.text.push_str(text);
            }
            _ => self.pieces.push(Piece { text: text.to_owned(), tags, mark: None }),
        }
    }
}

impl Depths {
    fn of(&mut self, tag: &Tag) -> Option<&mut usize> {
        match tag {
            Tag::Bold => Some(&mut self.bold),
            Tag::Italic => Some(&mut self.italic),
            Tag::Strike => Some(&mut self.strike),
            Tag::Quote(_) | Tag::Pre(_) | Tag::Link(_) | Tag::Code | Tag::Spoiler => None,
        }
    }
}

/// Whether the pieces together read exactly `words`.
fn reads(pieces: &[Piece], words: &str) -> bool {
    let mut rest = words;
    for piece in pieces {
        match rest.strip_prefix(piece.text.as_str()) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}
