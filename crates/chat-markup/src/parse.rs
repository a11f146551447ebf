//! Reads Markdown, event by event, onto a page.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag as Markup, TagEnd};

use crate::document::{Document, Tag, is_visible};
use crate::inline::{Inline, Setting};
use crate::page::{Gap, Page};
use crate::table::Table;

const RULE: &str = "———";
/// Telegram makes one space of a tab, and the indentation of code must not get lost.
const TAB: &str = "    ";
/// The longest language of a fence that is named, in bytes.
const LONGEST_LANGUAGE: usize = 32;

/// Reads a whole text. Where Markdown would show nothing of a visible text (a lone `#`), the text itself is shown.
pub(crate) fn parse(markdown: &str) -> Document {
    let source = unix_lines(markdown);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader =
        Reader { source: &source, inline: Inline::new(&source), page: Page::new(), block: Block::Prose };
    for (event, range) in Parser::new_ext(&source, options).into_offset_iter() {
        reader.read(event, &range);
    }
    let document = reader.page.into_document();
    if document.is_visible() || !is_visible(&source) {
        return document;
    }
    let mut literal = Document::default();
    literal.push(&source, &[]);
    literal
}

fn unix_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

struct Reader<'a> {
    source: &'a str,
    inline: Inline<'a>,
    page: Page,
    block: Block,
}

/// What the text being read belongs to.
#[derive(Debug)]
enum Block {
    Prose,
    Code { language: Option<String>, text: String },
    Table(Table),
}

/// With how many tildes something is struck out.
enum Tildes {
    One,
    Two,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>, range: &Range<usize>) {
        match event {
            Event::Start(markup) => self.start(markup, range),
            Event::End(markup) => self.end(markup, range),
            Event::Text(text) => match &mut self.block {
                Block::Code { text: code, .. } => code.push_str(&text),
                Block::Prose | Block::Table(_) => self.inline.text(&text, range),
            },
            Event::Code(text) => self.inline.code(&text),
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.inline.push(&text),
            Event::SoftBreak | Event::HardBreak => {
                self.inline.push("\n");
                self.keep_spaces(range.end);
            }
            Event::Rule => {
                self.write_prose();
                self.inline.push(RULE);
                self.write_prose();
                self.page.set_gap(Gap::Blank);
            }
            Event::TaskListMarker(true) => self.page.mark_task("☑"),
            Event::TaskListMarker(false) => self.page.mark_task("☐"),
        }
    }

    fn start(&mut self, markup: Markup<'_>, range: &Range<usize>) {
        match markup {
            Markup::Paragraph => {
                self.write_prose();
                self.page.open_paragraph();
                let line = self.source[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
                self.keep_spaces(line);
            }
            Markup::Heading { .. } => {
                self.write_prose();
                self.inline.open(Tag::Bold);
            }
            Markup::BlockQuote(_) => {
                self.write_prose();
                self.page.open_quote();
            }
            Markup::CodeBlock(kind) => {
                self.write_prose();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => language(&info),
                    CodeBlockKind::Indented => None,
                };
                self.block = Block::Code { language, text: String::new() };
            }
            Markup::List(first) => {
                self.write_prose();
                self.page.open_list(first);
            }
            Markup::Item => {
                self.write_prose();
                self.page.open_item(&self.source[range.start..]);
            }
            Markup::Table(alignments) => {
                self.write_prose();
                self.block = Block::Table(Table::new(alignments));
                self.inline.set(Setting::Cell);
            }
            Markup::TableHead | Markup::TableRow => {
                if let Block::Table(table) = &mut self.block {
                    table.begin_row();
                }
            }
            Markup::Emphasis => self.inline.open(Tag::Italic),
            Markup::Strong => self.inline.open(Tag::Bold),
            Markup::Strikethrough => match self.tildes(range) {
                Tildes::One => self.inline.push("~"),
                Tildes::Two => self.inline.open(Tag::Strike),
            },
            Markup::Link { link_type: LinkType::Email, dest_url, .. } => {
                self.inline.open_link(&format!("mailto:{dest_url}"));
            }
            Markup::Link { dest_url, .. } | Markup::Image { dest_url, .. } => {
                self.inline.open_link(&dest_url);
            }
            Markup::HtmlBlock => self.write_prose(),
            Markup::TableCell
            | Markup::Superscript
            | Markup::Subscript
            | Markup::FootnoteDefinition(_)
            | Markup::DefinitionList
            | Markup::DefinitionListTitle
            | Markup::DefinitionListDefinition
            | Markup::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, markup: TagEnd, range: &Range<usize>) {
        match markup {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.write_prose();
                self.page.set_gap(Gap::Blank);
            }
            TagEnd::Heading(_) => {
                self.inline.close(&Tag::Bold);
                self.write_prose();
                self.page.set_gap(Gap::Bound);
            }
            TagEnd::BlockQuote(_) => {
                self.write_prose();
                self.page.close_quote();
            }
            TagEnd::CodeBlock | TagEnd::Table => self.write_block(),
            TagEnd::List(_) => self.page.close_list(),
            TagEnd::Item => {
                self.write_prose();
                self.page.close_item();
            }
            TagEnd::TableCell => {
                let cell: String = self.inline.take().into_iter().map(|piece| piece.text).collect();
                if let Block::Table(table) = &mut self.block {
                    table.push_cell(&cell);
                }
            }
            TagEnd::Emphasis => self.inline.close(&Tag::Italic),
            TagEnd::Strong => self.inline.close(&Tag::Bold),
            TagEnd::Strikethrough => match self.tildes(range) {
                Tildes::One => self.inline.push("~"),
                Tildes::Two => self.inline.close(&Tag::Strike),
            },
            TagEnd::Link | TagEnd::Image => self.inline.close_link(),
            TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// Keeps the spaces at the start of a line, which Markdown drops; in lists and quotations they mean something else.
    fn keep_spaces(&mut self, line: usize) {
        if self.page.is_at_top() {
            let rest = &self.source[line..];
            let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            self.inline.push(&rest[..spaces]);
        }
    }

    /// People write "about" and ranges ("10 ~20~ 30") with one tilde, so that only two strike out.
    fn tildes(&self, range: &Range<usize>) -> Tildes {
        if self.source[range.start..].starts_with("~~") { Tildes::Two } else { Tildes::One }
    }

    fn write_prose(&mut self) {
        let pieces = self.inline.take();
        self.page.write_prose(&pieces);
    }

    fn write_block(&mut self) {
        let (language, text) = match std::mem::replace(&mut self.block, Block::Prose) {
            Block::Code { language, text } => (language, text.replace('\t', TAB)),
            Block::Table(table) => (None, table.layout()),
            Block::Prose => return,
        };
        self.inline.set(Setting::Prose);
        self.page.write_lines(text.trim_matches('\n'), Tag::Pre(language.map(Into::into)));
    }
}

/// The language of a fence, in a form that can stand in an attribute as it is.
fn language(info: &str) -> Option<String> {
    let name = info.split([' ', ',', '\t']).next().unwrap_or(info);
    let is_plain = |ch: char| ch.is_alphanumeric() || matches!(ch, '+' | '-' | '#' | '.' | '_');
    (!name.is_empty() && name.len() <= LONGEST_LANGUAGE && name.chars().all(is_plain))
        .then(|| name.to_owned())
}
