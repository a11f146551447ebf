//! Markdown for Telegram: taken by Telegram's rules, within its limits, and a cut loses neither text nor style.

use argus_chat_markup::{telegram_with_limit, utf16_len};

#[path = "../../chat-markup/tests/telegram_html/mod.rs"]
mod telegram_html;

use telegram_html::{Glyph, read};

/// The first byte is the limit of a part, the rest is Markdown.
pub fn markup(bytes: &[u8]) {
    let Some((limit, markdown)) = bytes.split_first() else { return };
    let markdown = String::from_utf8_lossy(markdown);
    assert_eq!(shown(&markdown, usize::from(*limit)), shown(&markdown, 4096));
}

/// Renders, and reads what is shown without the white space, where cuts fall.
fn shown(markdown: &str, limit: usize) -> Vec<Glyph> {
    let mut shown = Vec::new();
    for part in telegram_with_limit(markdown, limit) {
        let glyphs = read(&part.html).unwrap_or_else(|why| panic!("{why}: {}", part.html));
        assert!(glyphs.iter().map(|glyph| glyph.ch).eq(part.plain.chars()), "both forms show the same");
        assert!(utf16_len(&part.plain) <= limit.clamp(2, 4096), "too long: {:?}", part.plain);
        assert!(part.html.len() <= 12_000, "{} bytes", part.html.len());
        assert!(!part.plain.trim().is_empty(), "a blank message");
        shown.extend(glyphs.into_iter().filter(|glyph| is_shown(glyph.ch)));
    }
    shown
}

fn is_shown(ch: char) -> bool {
    !ch.is_whitespace()
        && !ch.is_control()
        && !matches!(ch, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{feff}' | '\u{fffc}')
}
