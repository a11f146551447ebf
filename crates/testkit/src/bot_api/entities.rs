//! What is marked in a text, and the rules a text must keep before it is shown.

use serde_json::{Value, json};

/// A marked stretch of a visible text; offset and length count UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// How it is marked.
    pub kind: EntityKind,
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
}

/// The marks that this server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityKind {
    /// `<b>`
    Bold,
    /// `<i>`
    Italic,
    /// `<u>`
    Underline,
    /// `<s>`
    Strikethrough,
    /// `<tg-spoiler>`
    Spoiler,
    /// `<blockquote>`
    Blockquote,
    /// `<blockquote expandable>`
    ExpandableBlockquote,
    /// `<code>`
    Code,
    /// `<pre>`
    Pre {
        /// From `<pre><code class="language-…">`.
        language: Option<String>,
    },
    /// `<a href="…">`
    TextLink(String),
    /// `<tg-emoji emoji-id="…">`
    CustomEmoji(String),
    /// Any other, by its name (`mention`, `url`, `bot_command` …).
    Named(String),
}

/// Length in UTF-16 units.
pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

impl Entity {
    pub(crate) fn to_json(&self) -> Value {
        let (kind, extra) = match &self.kind {
            EntityKind::Bold => ("bold", None),
            EntityKind::Italic => ("italic", None),
            EntityKind::Underline => ("underline", None),
            EntityKind::Strikethrough => ("strikethrough", None),
            EntityKind::Spoiler => ("spoiler", None),
            EntityKind::Blockquote => ("blockquote", None),
            EntityKind::ExpandableBlockquote => ("expandable_blockquote", None),
            EntityKind::Code => ("code", None),
            EntityKind::Pre { language } => ("pre", language.as_ref().map(|l| ("language", l))),
            EntityKind::TextLink(url) => ("text_link", Some(("url", url))),
            EntityKind::CustomEmoji(id) => ("custom_emoji", Some(("custom_emoji_id", id))),
            EntityKind::Named(name) => (name.as_str(), None),
        };
        let mut entity = json!({ "type": kind, "offset": self.offset, "length": self.length });
        if let Some((name, value)) = extra {
            entity[name] = json!(value);
        }
        entity
    }

    /// Reads one of the `entities` parameter. The error is worded as the service words it.
    fn from_json(value: &Value) -> Result<Self, String> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let whole = |name: &str| {
            let number = value.get(name).and_then(Value::as_i64).unwrap_or(0);
            usize::try_from(number).map_err(|_| format!("Receive an entity with incorrect {name} {number}"))
        };
        let kind = match text("type").as_deref() {
            Some("bold") => EntityKind::Bold,
            Some("italic") => EntityKind::Italic,
            Some("underline") => EntityKind::Underline,
            Some("strikethrough") => EntityKind::Strikethrough,
            Some("spoiler") => EntityKind::Spoiler,
            Some("blockquote") => EntityKind::Blockquote,
            Some("expandable_blockquote") => EntityKind::ExpandableBlockquote,
            Some("code") => EntityKind::Code,
            Some("pre") => EntityKind::Pre { language: text("language") },
            Some("text_link") => EntityKind::TextLink(text("url").unwrap_or_default()),
            Some("custom_emoji") => EntityKind::CustomEmoji(text("custom_emoji_id").unwrap_or_default()),
            Some(name) => EntityKind::Named(name.to_owned()),
            None => return Err("can't parse MessageEntity: Field \"type\" must be of type String".to_owned()),
        };
        Ok(Self { kind, offset: whole("offset")?, length: whole("length")? })
    }
}

/// Reads and checks the `entities` parameter against its text.
pub(crate) fn given(text: &str, entities: &Value) -> Result<Vec<Entity>, String> {
    let Some(list) = entities.as_array() else {
        return Err("can't parse entities: Expected an Array of MessageEntity".to_owned());
    };
    let units: Vec<u16> = text.encode_utf16().collect();
    let low_half = |at: usize| units.get(at).is_some_and(|unit| (0xDC00..=0xDFFF).contains(unit));
    let mut read = Vec::new();
    for value in list {
        let entity = Entity::from_json(value)?;
        let (begin, end) = (entity.offset, entity.offset + entity.length);
        if entity.length == 0 {
            continue;
        }
        if begin > units.len() {
            return Err(format!("entity begins after the end of the text at UTF-16 offset {begin}"));
        }
        if end > units.len() {
            return Err(format!(
                "entity beginning at UTF-16 offset {begin} ends after the end of the text at UTF-16 offset {end}"
            ));
        }
        let bytes = |at: usize| String::from_utf16_lossy(&units[..at]).len();
        if low_half(begin) {
            let byte = bytes(begin - 1) + 4;
            return Err(format!("entity begins in a middle of a UTF-16 symbol at byte offset {byte}"));
        }
        if low_half(end) {
            let byte = bytes(end - 1) + 4;
            return Err(format!(
                "entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol at byte offset {byte}"
            ));
        }
        read.push(entity);
    }
    read.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
    Ok(read)
}

/// Cuts white space off both ends, as the service does, and the entities with it.
pub(crate) fn trimmed(text: &str, entities: Vec<Entity>) -> (String, Vec<Entity>) {
    let first = entities.iter().map(|entity| entity.offset).min().unwrap_or(usize::MAX);
    let mut front = 0;
    let mut rest = text;
    while let Some(next) = rest.chars().next().filter(|c| c.is_whitespace() && front < first) {
        front += next.len_utf16();
        rest = &rest[next.len_utf8()..];
    }
    let shown = rest.trim_end();
    let length = utf16_len(shown);
    let kept = entities.into_iter().filter_map(|entity| {
        let offset = entity.offset - front;
        let end = (offset + entity.length).min(length);
        (end > offset).then_some(Entity { offset, length: end - offset, ..entity })
    });
    (shown.to_owned(), kept.collect())
}
