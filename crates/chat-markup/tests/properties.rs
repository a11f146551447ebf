//! What holds for every text: well-formed, within limits, nothing lost, nothing of its style lost.

mod telegram_html;

use argus_chat_markup::{outgoing, telegram, telegram_live, telegram_with_limit, utf16_len};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::telegram_html::{Glyph, read};

/// Pieces that Markdown means something with, and some that trip over them.
const TOKENS: &[&str] = &[
    "a",
    "word",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n    ",
    "\t",
    "\r\n",
    "*",
    "**",
    "***",
    "_",
    "__",
    "~",
    "~~",
    "||",
    "|",
    "`",
    "``",
    "\n```rust\n",
    "\n```\n",
    "\n~~~ a<b>\n",
    "# ",
    "\n# ",
    "\n## x\n",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "\n7) ",
    "- [ ] ",
    "- [x] ",
    "\n> ",
    "\n> > ",
    "\n---\n",
    "\n===\n",
    "[",
    "]",
    "(",
    ")",
    "](https://a.b/?c&d)",
    "](src/x.rs)",
    "![",
    "<https://a.b>",
    "<a@b.c>",
    "<b>",
    "</b>",
    "\n<div>\n",
    "&",
    "<",
    ">",
    "&amp;",
    "&nbsp;",
    "&lt;",
    "\\",
    "\"",
    "\n| a | b |\n|---|:-:|\n| c | ",
    " |\n",
    "好",
    "。",
    "“",
    "”",
    "👩‍👩‍👧‍👦",
    "e\u{301}",
    "𝒳",
    "\u{200b}",
    "\u{a0}",
    "\0",
    "[a]: https://a.b\n",
    "[a]",
    "https://x.y/z_w_v",
    "long-word-without-any-space-in-it-at-all",
];

fn markdown() -> impl Strategy<Value = String> {
    vec(select(TOKENS), 0..120).prop_map(|tokens| tokens.concat())
}

fn anything() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..200).prop_map(String::from_iter)
}

/// Cuts fall in white space, and Telegram shows nothing of these others either.
fn is_shown(ch: char) -> bool {
    !ch.is_whitespace()
        && !ch.is_control()
        && !matches!(ch, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}')
        && !matches!(ch, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{feff}' | '\u{fffc}')
}

/// Renders, checks every part by itself, and gives the shown characters of all of them.
fn checked(text: &str, limit: usize) -> Result<Vec<Glyph>, TestCaseError> {
    let mut shown = Vec::new();
    for part in telegram_with_limit(text, limit) {
        let glyphs = read(&part.html).map_err(|why| TestCaseError::fail(format!("{why}: {}", part.html)))?;
        let visible: String = glyphs.iter().map(|glyph| glyph.ch).collect();
        prop_assert_eq!(&visible, &part.plain);
        prop_assert!(utf16_len(&part.plain) <= limit.clamp(2, 4096), "too long: {:?}", part.plain);
        prop_assert!(part.html.len() <= 12_000, "{} bytes", part.html.len());
        prop_assert!(part.plain.chars().any(is_shown), "blank: {:?}", part.plain);
        prop_assert_eq!(part.plain.trim_end(), &part.plain);
        prop_assert!(!part.plain.starts_with('\n'));
        shown.extend(glyphs.into_iter().filter(|glyph| is_shown(glyph.ch)));
    }
    Ok(shown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_cut_loses_neither_text_nor_style(text in markdown(), limit in prop_oneof![1_usize..60, 60_usize..5000]) {
        prop_assert_eq!(checked(&text, limit)?, checked(&text, 4096)?);
    }

    #[test]
    fn any_string_at_all_is_rendered(text in anything(), limit in 0_usize..200) {
        prop_assert_eq!(checked(&text, limit)?, checked(&text, 4096)?);
        prop_assert_eq!(telegram(&text).is_empty(), !text.chars().any(is_shown));
    }

    #[test]
    fn however_far_an_answer_has_come_its_end_is_one_message(
        text in markdown(), end in 0_usize..400, limit in prop_oneof![3_usize..60, 60_usize..4096],
    ) {
        // Any beginning of a text may be what has come so far.
        let so_far: String = text.chars().take(end).collect();
        let all = telegram_with_limit(&so_far, limit - 2);
        let Some(part) = telegram_live(&so_far, limit) else {
            prop_assert!(all.is_empty());
            return Ok(());
        };
        let glyphs = read(&part.html).map_err(|why| TestCaseError::fail(format!("{why}: {}", part.html)))?;
        prop_assert_eq!(glyphs.iter().map(|glyph| glyph.ch).collect::<String>(), &part.plain[..]);
        prop_assert!(utf16_len(&part.plain) <= limit.max(4));
        let last = all.last().map(|last| last.plain.as_str()).unwrap_or_default();
        prop_assert!(part.plain.ends_with(last));
    }

    #[test]
    fn the_beginning_of_a_long_answer_is_a_beginning_and_the_file_holds_all(
        text in markdown(), long in 0_usize..300,
    ) {
        let sent = outgoing(&text, Some(long), "<more> & more");
        if utf16_len(&text) <= long {
            prop_assert_eq!(sent.parts, telegram(&text));
            prop_assert_eq!(sent.whole, None);
        } else if let [part] = sent.parts.as_slice() {
            prop_assert_eq!(sent.whole.as_ref(), Some(&text));
            let glyphs = read(&part.html).map_err(|why| TestCaseError::fail(format!("{why}: {}", part.html)))?;
            prop_assert_eq!(glyphs.iter().map(|glyph| glyph.ch).collect::<String>(), &part.plain[..]);
            let beginning = part.plain.strip_suffix("\n\n<more> & more").unwrap_or("?");
            // What cannot be seen need not be where the beginning begins.
            let seen = |text: &str| text.chars().filter(|ch| is_shown(*ch)).collect::<String>();
            prop_assert!(seen(&telegram(&text)[0].plain).starts_with(&seen(beginning)));
        } else {
            prop_assert!(sent.parts.is_empty() && telegram(&text).is_empty());
        }
    }

    #[test]
    fn a_text_without_markup_comes_out_as_it_is(
        lines in vec(vec(select(&["snake_case", "__x", "2 * 3 * 4", "#1", "a||b", "a || b", "~5", "10~20", "f(**kw)", "5 < 6 & 7",
            "\"q\"", "it's", "C:\\dir", "a/b.rs:1", "[x]", "(y)", "100%", "你好。", "é", "🙂", "x^2", "--flag", "$HOME", "a>b", "!"][..]), 1..6), 1..12),
        breaks in vec(select(&["\n", "\n\n", "\n  "][..]), 12),
    ) {
        let mut text = String::new();
        for (line, line_break) in lines.iter().zip(&breaks) {
            text.extend(["so ", &line.join(" "), line_break]);
        }
        let text = text.trim_end();
        let parts: Vec<String> = telegram(text).into_iter().map(|part| part.plain).collect();
        prop_assert_eq!(parts, vec![text.to_owned()]);
    }

    #[test]
    fn a_long_text_comes_in_few_parts(words in vec(1_usize..12, 500..2000)) {
        let text = words.iter().map(|length| "w".repeat(*length)).collect::<Vec<_>>().join(" ");
        let parts = telegram_with_limit(&text, 1000);
        prop_assert!(parts.iter().rev().skip(1).all(|part| part.plain.len() > 980));
    }
}
