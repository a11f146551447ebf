//! Markdown, as an agent writes it, becomes Telegram messages: HTML and plain text, split but never cut short.
//!
//! Pure and total: no IO, no recursion over the input, time about linear in it, and no input that panics.
//! The way through: `parse` reads the Markdown into one flat `Document` (the visible text, and which
//! tags lie over which stretch of it), `split` chooses stretches that fit one message, `render` writes each of them.
//! Because the cut is made in the visible text, whatever is open there is closed and opened again by itself.

mod document;
mod inline;
mod link;
mod list;
mod mark;
mod outgoing;
mod page;
mod parse;
mod render;
mod split;
mod table;

pub use crate::outgoing::{Outgoing, outgoing, telegram_live};
use crate::split::Cutter;

/// The most Telegram takes in one message, in UTF-16 code units of the text left after entities are parsed.
const MESSAGE_UNITS: usize = 4096;

/// One Telegram message, in both the forms it can be sent in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// For `parse_mode=HTML`. At most 12 000 bytes and 100 entities.
    pub html: String,
    /// The same visible text with no markup, for the fallback without a parse mode. Never blank.
    pub plain: String,
}

/// Renders Markdown as Telegram messages, in the order to send them.
///
/// Text with nothing visible in it (empty, white space, zero-width characters) has no part; any other has at least one.
pub fn telegram(markdown: &str) -> Vec<Part> {
    telegram_with_limit(markdown, MESSAGE_UNITS)
}

/// Renders like [`telegram`], with at most `limit` UTF-16 code units of visible text in a part.
///
/// The limit is taken as 4096 when larger and as 2 when smaller: a single character can need two units.
pub fn telegram_with_limit(markdown: &str, limit: usize) -> Vec<Part> {
    let document = parse::parse(markdown);
    Cutter::new(&document, limit.clamp(2, MESSAGE_UNITS))
        .map(|slice| render::part(&document, &slice))
        .collect()
}

/// Counts the UTF-16 code units of a text: the measure of every length in the Bot API.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
