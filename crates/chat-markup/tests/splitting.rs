//! Where long texts are cut, and what is closed and opened again there.

mod telegram_html;

use argus_chat_markup::{telegram, telegram_with_limit, utf16_len};

fn html(markdown: &str, limit: usize) -> Vec<String> {
    telegram_with_limit(markdown, limit).into_iter().map(|part| part.html).collect()
}

#[test]
fn blocks_stay_whole_where_they_fit() {
    assert_eq!(html("aaaa bbbb\n\ncccc dddd eeee", 16), ["aaaa bbbb", "cccc dddd eeee"]);
    assert_eq!(html("aaaa\n\nbbbb\n\ncccc dddd", 10), ["aaaa\n\nbbbb", "cccc dddd"]);
}

#[test]
fn lines_stay_whole_where_blocks_do_not_fit() {
    assert_eq!(html("- aaaa bb\n- cccc dd\n- eeee ff", 20), ["• aaaa bb\n• cccc dd", "• eeee ff"]);
}

#[test]
fn words_stay_whole_where_lines_do_not_fit() {
    assert_eq!(html("aaaa bbbb cccc", 10), ["aaaa bbbb", "cccc"]);
}

#[test]
fn long_words_are_cut_between_graphemes() {
    assert_eq!(html("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(html("🙂🙂🙂", 3), ["🙂", "🙂", "🙂"]);
    assert_eq!(html("a👩‍👩‍👧b", 8), ["a", "👩‍👩‍👧", "b"]);
    assert_eq!(html("abe\u{301}", 3), ["ab", "e\u{301}"]);
}

#[test]
fn a_line_of_code_that_is_cut_keeps_its_indentation() {
    let line = format!("      {}", "a".repeat(20));
    assert_eq!(html(&line, 18), [format!("<pre>  {}</pre>", "a".repeat(16)), "<pre>aaaa</pre>".to_owned()]);
}

#[test]
fn a_grapheme_longer_than_a_message_is_cut_between_characters() {
    let text = format!("e{}", "\u{301}".repeat(9));
    let parts: Vec<usize> = html(&text, 4).iter().map(|part| utf16_len(part)).collect();
    assert_eq!(parts, [4, 4, 2]);
}

#[test]
fn a_long_word_does_not_leave_the_message_before_it_short() {
    assert_eq!(html("aa bbbbbbbbbbbbbbbbbb", 8), ["aa bbbbb", "bbbbbbbb", "bbbbb"]);
}

#[test]
fn a_heading_stays_with_what_it_heads() {
    assert_eq!(html("aaaa\n\n# hh\n\nbbbb", 11), ["aaaa", "<b>hh</b>\n\nbbbb"]);
}

#[test]
fn a_fence_is_opened_again_with_its_language() {
    let expected = [
        "<pre><code class=\"language-rust\">fn a() {\n    b();</code></pre>",
        "<pre><code class=\"language-rust\">    c();\n}</code></pre>",
    ];
    assert_eq!(html("```rust\nfn a() {\n    b();\n    c();\n}\n```", 20), expected);
}

#[test]
fn styles_links_and_quotations_are_opened_again() {
    let rows: [(&str, &[&str]); 4] = [
        ("**aaaa *bbbb cccc* dddd**", &["<b>aaaa <i>bbbb</i></b>", "<b><i>cccc</i> dddd</b>"]),
        (
            "[aaaa bbbb cccc](https://d.e)",
            &["<a href=\"https://d.e\">aaaa bbbb</a>", "<a href=\"https://d.e\">cccc</a>"],
        ),
        ("> aaaa bbbb cccc", &["<blockquote>aaaa bbbb</blockquote>", "<blockquote>cccc</blockquote>"]),
        ("||aaaa bbbb cccc||", &["<tg-spoiler>aaaa bbbb</tg-spoiler>", "<tg-spoiler>cccc</tg-spoiler>"]),
    ];
    for (markdown, expected) in rows {
        assert_eq!(html(markdown, 10), expected, "for {markdown:?}");
    }
}

#[test]
fn a_full_message_is_not_cut_and_one_unit_more_is() {
    let full = "🙂".repeat(2047) + "ab";
    assert_eq!(html(&full, 4096), [full.as_str()]);
    assert_eq!(html(&format!("{full}c"), 4096), [full.as_str(), "c"]);
    assert_eq!(html(&format!("{full}\n\n\n"), 9999), [full.as_str()]);
}

#[test]
fn characters_count_after_entities_are_parsed() {
    let parts = telegram(&"& ".repeat(2000));
    let sizes: Vec<(usize, usize)> =
        parts.iter().map(|part| (utf16_len(&part.plain), part.html.len())).collect();
    assert_eq!(sizes, [(3999, 2000 * 5 + 1999)]);
}

#[test]
fn html_stays_within_its_bytes() {
    let parts = telegram(&"<".repeat(5000));
    assert!(parts.iter().all(|part| part.html.len() <= 12_000));
    assert_eq!(parts.iter().map(|part| part.plain.len()).collect::<Vec<_>>(), [3000, 2000]);
}

#[test]
fn no_message_has_more_entities_than_telegram_keeps() {
    let counts: Vec<usize> =
        telegram(&"`a` b ".repeat(250)).iter().map(|part| part.html.matches("<code>").count()).collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[test]
fn blank_stretches_make_no_message() {
    let text = format!("a\n\n```\nb\n{}\nc\n```", "\n".repeat(10_000));
    assert_eq!(html(&text, 100), ["a\n\n<pre>b</pre>", "<pre>c</pre>"]);
    let text = format!("```\na{}b\n```", " ".repeat(10_000));
    assert_eq!(html(&text, 100), ["<pre>a</pre>", "<pre>b</pre>"]);
}

#[test]
fn hostile_texts_are_rendered_whole() {
    const SIZE: usize = 100_000;
    let units = [
        ">",
        "> ",
        "- ",
        "1. ",
        "+ ",
        "* a\n",
        "> - ",
        "*",
        "*a ",
        "**a ",
        "*_",
        "a**b*c",
        "~~a ",
        "~a~ ",
        "||a ",
        "|| a",
        "|",
        "**好 ",
        "[",
        "![",
        "[a](",
        "](b)",
        "[a][",
        "<",
        "<a ",
        "<!--",
        "&",
        "\\",
        "`",
        "`a",
        "```\n",
        "    ",
        "\t",
        "\n",
        " ",
        "\u{200b}",
        "e\u{301}",
        "\u{301}",
        "🇩🇪",
        "|a",
        "a|b\n-|\n",
        "a\n===\n",
        "# ",
        "[a]: b\n",
        "\n- a\n\n  b",
        "\r",
        "\0",
    ];
    for unit in units {
        let text = unit.repeat(SIZE / unit.len());
        for part in telegram(&text) {
            let glyphs = telegram_html::read(&part.html).expect(unit);
            assert_eq!(glyphs.iter().map(|glyph| glyph.ch).collect::<String>(), part.plain);
            assert!(utf16_len(&part.plain) <= 4096 && part.html.len() <= 12_000, "for {unit:?}");
        }
    }
}

#[test]
fn deep_nesting_is_rendered_flat() {
    let rows = [
        (format!("{}x", "> ".repeat(50_000)), "<blockquote>x</blockquote>".to_owned()),
        (
            format!("{}x{}", "**a ".repeat(50), " b**".repeat(50)),
            format!("<b>{}x{}</b>", "a ".repeat(50), " b".repeat(50)),
        ),
    ];
    for (markdown, expected) in rows {
        assert_eq!(html(&markdown, 4096), [expected]);
    }
}

#[test]
fn deep_lists_are_indented_no_further_than_can_be_read() {
    let list: Vec<String> = (0..40).map(|depth| format!("{}- a", "  ".repeat(depth))).collect();
    let expected: Vec<String> = (0..40).map(|depth| format!("{}• a", "  ".repeat(depth.min(8)))).collect();
    assert_eq!(html(&list.join("\n"), 4096), [expected.join("\n")]);
}
