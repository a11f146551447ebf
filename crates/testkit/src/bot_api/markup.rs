//! Reads the HTML that Telegram takes, by its own rules: few tags, all of them closed, and no bare `<`.

mod reader;

use self::reader::{Reader, is_space, push_code_point, visible};
use super::entities::{Entity, EntityKind, utf16_len};

/// The text a person sees, and what is marked in it.
pub(crate) struct Parsed {
    pub(crate) text: String,
    pub(crate) entities: Vec<Entity>,
}

/// An entity, and the language its `<code>` named, until a `<pre>` around it takes that.
struct Marked {
    entity: Entity,
    language: Option<String>,
}

struct Open {
    tag: String,
    argument: String,
    /// UTF-16 offset in the visible text where it opened.
    offset: usize,
    /// Byte offset in the visible text where it opened.
    byte: usize,
}

/// Parses `html`; the error is worded as the service words it, without `can't parse entities: `.
pub(crate) fn parse_html(html: &str) -> Result<Parsed, String> {
    let mut reader = Reader { source: html.as_bytes(), at: 0 };
    let mut text = Vec::with_capacity(html.len());
    let mut open: Vec<Open> = Vec::new();
    let mut entities = Vec::new();
    loop {
        match reader.peek() {
            None => break,
            Some(b'&') => match reader.reference() {
                Some(decoded) => push_code_point(&mut text, decoded)?,
                None => text.push(reader.take()),
            },
            Some(b'<') if reader.second() == Some(b'/') => {
                let closed = close(&mut reader, &mut open)?;
                let visible = visible(&text)?;
                if let Some(entity) = marked(&closed, visible, entities.last_mut()) {
                    entities.push(entity);
                }
            }
            Some(b'<') => {
                let visible = visible(&text)?;
                let (offset, byte) = (utf16_len(visible), visible.len());
                let (tag, argument) = reader.start_tag()?;
                open.push(Open { tag, argument, offset, byte });
            }
            Some(_) => text.push(reader.take()),
        }
    }
    if let Some(unclosed) = open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", unclosed.tag));
    }
    let mut entities: Vec<Entity> = entities.into_iter().map(|marked: Marked| marked.entity).collect();
    entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
    Ok(Parsed { text: visible(&text)?.to_owned(), entities })
}

fn close(reader: &mut Reader<'_>, open: &mut Vec<Open>) -> Result<Open, String> {
    let begin = reader.at;
    let Some(innermost) = open.pop() else {
        return Err(format!("Unexpected end tag at byte offset {begin}"));
    };
    reader.at += 2;
    let name = reader.until(|byte| is_space(byte) || byte == b'>').to_ascii_lowercase();
    reader.skip_spaces();
    if reader.peek() != Some(b'>') {
        return Err(format!("Unclosed end tag at byte offset {begin}"));
    }
    reader.at += 1;
    if !name.is_empty() && name != innermost.tag {
        let expected = innermost.tag;
        return Err(format!(
            "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{name}>\""
        ));
    }
    Ok(innermost)
}

/// The entity a closed tag leaves, or none if it held nothing, or changed the one before it.
fn marked(closed: &Open, visible: &str, before: Option<&mut Marked>) -> Option<Marked> {
    let inside = &visible[closed.byte..];
    let length = utf16_len(inside);
    if length == 0 {
        return None;
    }
    let language = Some(&closed.argument).filter(|named| closed.tag == "code" && !named.is_empty()).cloned();
    let same = before.filter(|b| b.entity.offset == closed.offset && b.entity.length == length);
    let kind = match closed.tag.as_str() {
        "b" | "strong" => EntityKind::Bold,
        "i" | "em" => EntityKind::Italic,
        "u" | "ins" => EntityKind::Underline,
        "s" | "strike" | "del" => EntityKind::Strikethrough,
        "tg-spoiler" | "span" => EntityKind::Spoiler,
        "blockquote" if closed.argument.is_empty() => EntityKind::Blockquote,
        "blockquote" => EntityKind::ExpandableBlockquote,
        "tg-emoji" => EntityKind::CustomEmoji(closed.argument.clone()),
        "a" => EntityKind::TextLink(link(&closed.argument, inside)?),
        "pre" => match same {
            Some(Marked { entity, language: language @ Some(_) }) if entity.kind == EntityKind::Code => {
                entity.kind = EntityKind::Pre { language: language.take() };
                return None;
            }
            _ => EntityKind::Pre { language: None },
        },
        _ => match same {
            Some(pre) if language.is_some() && matches!(pre.entity.kind, EntityKind::Pre { .. }) => {
                pre.entity.kind = EntityKind::Pre { language };
                return None;
            }
            _ => EntityKind::Code,
        },
    };
    Some(Marked { entity: Entity { kind, offset: closed.offset, length }, language })
}

/// The address of a link: its argument or, without one, its text; none if it is no address.
fn link(argument: &str, inside: &str) -> Option<String> {
    let address = if argument.is_empty() { inside } else { argument };
    let parsed = url::Url::parse(address).or_else(|_| url::Url::parse(&format!("http://{address}"))).ok()?;
    let known = ["http", "https", "ftp", "tg", "ton", "tonsite"].contains(&parsed.scheme());
    let named = parsed.scheme() == "tg" || parsed.host_str().is_some_and(|host| host.contains('.'));
    (known && named).then(|| parsed.to_string())
}

#[cfg(test)]
mod tests;
