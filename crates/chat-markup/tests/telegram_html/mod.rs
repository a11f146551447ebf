//! Reads the HTML that Telegram takes, by the rules of the Bot API, and refuses what it would refuse or drop.

/// A visible character and the tags over it, as written, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) ch: char,
    pub(crate) tags: Vec<String>,
}

/// The visible characters of a message.
pub(crate) fn read(html: &str) -> Result<Vec<Glyph>, String> {
    let mut glyphs = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut entities = 0;
    let mut rest = html;
    while let Some(ch) = rest.chars().next() {
        if ch == '<' {
            let end = rest.find('>').ok_or("a `<` without `>`")?;
            let tag = &rest[1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                let opened = open.pop().ok_or_else(|| format!("`{name}` closed but not open"))?;
                if name_of(&opened) != name {
                    return Err(format!("`{opened}` closed as `{name}`"));
                }
            } else {
                check_opening(&open, tag)?;
                open.push(tag.to_owned());
                entities += usize::from(!tag.starts_with("code class"));
            }
            continue;
        }
        let (ch, len) = if ch == '&' { entity(rest)? } else { (ch, ch.len_utf8()) };
        if ch == '>' && len == 1 {
            return Err("a bare `>`".to_owned());
        }
        glyphs.push(Glyph { ch, tags: open.clone() });
        rest = &rest[len..];
    }
    match open.last() {
        Some(tag) => Err(format!("`{tag}` never closed")),
        None if entities > 100 => Err(format!("{entities} entities")),
        None => Ok(glyphs),
    }
}

fn entity(text: &str) -> Result<(char, usize), String> {
    [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&')]
        .into_iter()
        .find(|(entity, _)| text.starts_with(entity))
        .map(|(entity, ch)| (ch, entity.len()))
        .ok_or_else(|| format!("a bare `&` before {:?}", text.chars().take(8).collect::<String>()))
}

fn name_of(tag: &str) -> &str {
    tag.split(' ').next().unwrap_or(tag)
}

fn check_opening(open: &[String], tag: &str) -> Result<(), String> {
    let name = name_of(tag);
    let attributes = tag[name.len()..].trim_start();
    let attributes_fit = match name {
        "b" | "i" | "s" | "tg-spoiler" | "pre" => attributes.is_empty(),
        "blockquote" => attributes.is_empty() || attributes == "expandable",
        "code" => {
            attributes.is_empty()
                || value(attributes, "class").is_some_and(|class| class.starts_with("language-"))
        }
        "a" => value(attributes, "href").is_some_and(|href| !href.is_empty()),
        _ => false,
    };
    if !attributes_fit {
        return Err(format!("`<{tag}>` is no tag of Telegram's"));
    }
    let names: Vec<&str> = open.iter().map(|tag| name_of(tag)).collect();
    let may_stand = match name {
        "code" if !attributes.is_empty() => names.last() == Some(&"pre"),
        "code" | "pre" => names.iter().all(|outer| *outer == "blockquote"),
        "blockquote" => names.is_empty(),
        _ => !names.iter().any(|outer| ["code", "pre", name].contains(outer)),
    };
    if may_stand { Ok(()) } else { Err(format!("`<{tag}>` within {names:?}")) }
}

/// The value of the only attribute, if it has that name and is quoted and escaped as it must be.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let value = attributes.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')?;
    let is_escaped = !value.contains(['"', '<'])
        && value
            .match_indices('&')
            .all(|(at, _)| value[at..].starts_with("&quot;") || entity(&value[at..]).is_ok());
    is_escaped.then_some(value)
}
