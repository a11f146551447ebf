//! The flat document: all visible text in one string, the tags that lie over it, and where its blocks begin.

use std::rc::Rc;

/// What may lie over text: one Telegram entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// A quotation; `Long` ones are shown folded.
    Quote(Fold),
    /// A block of code, with its language where one is known. Holds no other tag.
    Pre(Option<Rc<str>>),
    /// A link to an address, already escaped for an attribute.
    Link(Rc<str>),
    /// Code within a line. Holds no other tag, and lies within none but a quotation.
    Code,
    Spoiler,
    Bold,
    Italic,
    Strike,
}

/// Whether a quotation is shown whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Open,
    Folded,
}

/// A stretch of text under the same tags: from the end of the run before it up to `end` (a byte offset).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) end: usize,
    /// Outermost first.
    pub(crate) tags: Vec<Tag>,
}

/// The visible text and everything known about it.
#[derive(Debug, Default)]
pub(crate) struct Document {
    text: String,
    runs: Vec<Run>,
    blocks: Vec<usize>,
}

impl Document {
    /// The whole visible text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The runs, in order, none empty, together covering the text.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Byte offsets at which a block begins and a message may well end, ascending.
    pub(crate) fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// Appends text under `tags`.
    pub(crate) fn push(&mut self, text: &str, tags: &[Tag]) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some(last) if last.tags == tags => last.end = self.text.len(),
            _ => self.runs.push(Run { end: self.text.len(), tags: tags.to_vec() }),
        }
    }

    /// Notes that the next block begins here.
    pub(crate) fn begin_block(&mut self) {
        self.blocks.push(self.text.len());
    }

    /// Folds the quotations in the runs from index `first` on.
    pub(crate) fn fold_quotes(&mut self, first: usize) {
        for tag in self.runs[first..].iter_mut().flat_map(|run| &mut run.tags) {
            if let Tag::Quote(fold) = tag {
                *fold = Fold::Folded;
            }
        }
    }

    /// Whether a reader would see anything.
    pub(crate) fn is_visible(&self) -> bool {
        is_visible(&self.text)
    }
}

/// Whether Telegram would find something in this text: it refuses a message of nothing but these characters as empty.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars().any(|ch| {
        !(ch.is_whitespace()
            || ch.is_control()
            || matches!(ch, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(ch, '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{feff}' | '\u{fffc}'))
    })
}
