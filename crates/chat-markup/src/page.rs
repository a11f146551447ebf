//! Writes blocks one under another into the flat document: gaps, list markers, indentation, quotations.

use crate::document::{Document, Fold, Tag, is_visible};
use crate::inline::Piece;
use crate::list::{Lists, Spacing, indentation};
use crate::utf16_len;

/// The longest quotation shown whole, in UTF-16 units.
const LONGEST_OPEN_QUOTE: usize = 600;

/// The document being written.
#[derive(Debug)]
pub(crate) struct Page {
    document: Document,
    gap: Gap,
    /// The marker of a list item that has shown nothing yet, with its indentation.
    lead: String,
    lists: Lists,
    quote: Quote,
}

/// What sets the next block apart from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// A line end.
    Line,
    /// A blank line; a message may well end there.
    Blank,
    /// A blank line that a message rather does not end at: the one under a heading.
    Bound,
}

/// The quotations that are open. Those of Telegram do not nest, so all of them are written as one.
#[derive(Debug, Default)]
struct Quote {
    depth: usize,
    /// How many lists are open around the outermost one.
    lists: usize,
    first_run: usize,
    start: usize,
}

impl Page {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self {
            document: Document::default(),
            gap: Gap::Blank,
            lead: String::new(),
            lists: Lists::default(),
            quote: Quote::default(),
        }
    }

    /// The document as written.
    pub(crate) fn into_document(self) -> Document {
        self.document
    }

    /// Whether the next block lies in no list and no quotation.
    pub(crate) fn is_at_top(&self) -> bool {
        self.lists.depth() == 0 && self.quote.depth == 0
    }

    /// Says what sets the next block apart.
    pub(crate) fn set_gap(&mut self, gap: Gap) {
        self.gap = gap;
    }

    /// Begins a paragraph. One that lies right in a list item makes its list a loose one.
    pub(crate) fn open_paragraph(&mut self) {
        if self.quote.depth == 0 || self.list_depth() > 0 {
            self.lists.loosen();
        }
    }

    /// Opens a list, numbered from `first` if that is given.
    pub(crate) fn open_list(&mut self, first: Option<u64>) {
        self.lists.open(first);
        if self.list_depth() > 1 && self.lead.is_empty() {
            self.gap = Gap::Line;
        }
    }

    /// Closes the innermost list.
    pub(crate) fn close_list(&mut self) {
        self.lists.close();
        self.gap = Gap::Blank;
    }

    /// Opens the next item of the innermost list, which is `item` in the source.
    pub(crate) fn open_item(&mut self, item: &str) {
        if self.lead.is_empty() {
            if self.lists.spacing() == Spacing::Tight && !self.lists.is_new() {
                self.gap = Gap::Line;
            }
            self.lead = indentation(self.list_depth().saturating_sub(1));
        }
        let marker = self.lists.next_marker(item);
        self.lead.push_str(&marker);
    }

    /// Shows the item that was opened last as a task, with this box.
    pub(crate) fn mark_task(&mut self, checkbox: &'static str) {
        self.lists.mark_task(&mut self.lead, checkbox);
    }

    /// Closes an item; one that showed nothing shows its marker.
    pub(crate) fn close_item(&mut self) {
        self.write_bare_lead();
    }

    /// Opens a quotation.
    pub(crate) fn open_quote(&mut self) {
        if self.quote.depth == 0 {
            self.write_bare_lead();
            self.quote.lists = self.lists.depth();
            self.quote.first_run = self.document.runs().len();
            self.quote.start = self.document.text().len();
        }
        self.quote.depth += 1;
    }

    /// Closes the innermost quotation.
    pub(crate) fn close_quote(&mut self) {
        self.quote.depth = self.quote.depth.saturating_sub(1);
        if self.quote.depth == 0 {
            if utf16_len(&self.document.text()[self.quote.start..]) > LONGEST_OPEN_QUOTE {
                self.document.fold_quotes(self.quote.first_run);
            }
            self.quote = Quote::default();
        }
        self.gap = Gap::Blank;
    }

    /// Writes a block of running text, if there is any to see. What follows it is on the next line until another gap is set.
    pub(crate) fn write_prose(&mut self, pieces: &[Piece]) {
        let Some((before_last, last, last_tags)) = shown(pieces) else { return };
        self.write_gap();
        if self.lead.is_empty() {
            self.lead = indentation(self.list_depth());
        }
        let lead = std::mem::take(&mut self.lead);
        self.write(&lead, &[]);
        let line_end = format!("\n{}", indentation(self.list_depth()));
        for piece in before_last {
            self.write(&piece.text.replace('\n', &line_end), &piece.tags);
        }
        self.write(&last.replace('\n', &line_end), last_tags);
        self.gap = Gap::Line;
    }

    /// Writes text under one tag on lines of its own, if there is any to see.
    pub(crate) fn write_lines(&mut self, text: &str, tag: Tag) {
        if is_visible(text) {
            self.write_bare_lead();
            self.write_gap();
            self.write(text, &[tag]);
        }
        self.gap = Gap::Blank;
    }

    /// Writes the marker of an item that shows nothing on the line of its marker.
    fn write_bare_lead(&mut self) {
        if !self.lead.is_empty() {
            self.write_gap();
            let lead = std::mem::take(&mut self.lead);
            self.write(lead.trim_end(), &[]);
            self.gap = Gap::Line;
        }
    }

    /// Sets what comes next apart from what is there.
    fn write_gap(&mut self) {
        if self.document.text().is_empty() {
            return;
        }
        let within_quote = self.quote.depth > 0 && self.document.runs().len() > self.quote.first_run;
        let tags: &[Tag] = if within_quote { &[Tag::Quote(Fold::Open)] } else { &[] };
        self.document.push(if self.gap == Gap::Line { "\n" } else { "\n\n" }, tags);
        if self.gap == Gap::Blank {
            self.document.begin_block();
        }
    }

    /// Writes text as part of the quotation that is open, if one is.
    fn write(&mut self, text: &str, tags: &[Tag]) {
        if self.quote.depth == 0 {
            self.document.push(text, tags);
        } else {
            let quoted: Vec<Tag> =
                std::iter::once(Tag::Quote(Fold::Open)).chain(tags.iter().cloned()).collect();
            self.document.push(text, &quoted);
        }
    }

    /// How many lists are open within the quotation, or at all where there is none.
    fn list_depth(&self) -> usize {
        self.lists.depth().saturating_sub(self.quote.lists)
    }
}

/// The pieces up to the last that shows something, and the text of that one without white space at its end.
fn shown(pieces: &[Piece]) -> Option<(&[Piece], &str, &[Tag])> {
    let last = pieces.iter().rposition(|piece| !piece.text.trim().is_empty())?;
    Some((&pieces[..last], pieces[last].text.trim_end(), &pieces[last].tags))
}
