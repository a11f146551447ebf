use super::super::entities::{Entity, EntityKind};
use super::parse_html;

fn read(html: &str) -> (String, Vec<Entity>) {
    let parsed = parse_html(html).unwrap_or_else(|error| panic!("{html:?} is refused: {error}"));
    (parsed.text, parsed.entities)
}

fn refused(html: &str) -> String {
    parse_html(html).err().unwrap_or_else(|| panic!("{html:?} is taken"))
}

fn entity(kind: EntityKind, offset: usize, length: usize) -> Entity {
    Entity { kind, offset, length }
}

#[test]
fn text_without_markup_stays_as_it_is() {
    assert_eq!(read("plain > text\nof two lines"), ("plain > text\nof two lines".into(), vec![]));
}

#[test]
fn offsets_count_utf16_units() {
    assert_eq!(
        read("😀 <b>bold 😀</b> é<i>x</i>"),
        ("😀 bold 😀 éx".into(), vec![entity(EntityKind::Bold, 3, 7), entity(EntityKind::Italic, 12, 1)])
    );
}

#[test]
fn every_spelling_of_a_mark_is_known() {
    let (text, entities) = read(
        "<strong>a</strong><em>b</em><ins>c</ins><del>d</del><STRIKE>e</strike><tg-spoiler>f</tg-spoiler>\
              <span class=\"tg-spoiler\">g</span><blockquote>h</blockquote><blockquote expandable>i</blockquote>",
    );
    assert_eq!(text, "abcdefghi");
    let kinds: Vec<_> = entities.into_iter().map(|entity| entity.kind).collect();
    assert_eq!(
        kinds,
        [
            EntityKind::Bold,
            EntityKind::Italic,
            EntityKind::Underline,
            EntityKind::Strikethrough,
            EntityKind::Strikethrough,
            EntityKind::Spoiler,
            EntityKind::Spoiler,
            EntityKind::Blockquote,
            EntityKind::ExpandableBlockquote,
        ]
    );
}

#[test]
fn code_in_pre_gives_the_block_its_language() {
    let rust = EntityKind::Pre { language: Some("rust".into()) };
    assert_eq!(
        read("<pre><code class=\"language-rust\">fn f() {}</code></pre>"),
        ("fn f() {}".into(), vec![entity(rust, 0, 9)])
    );
    assert_eq!(
        read("<pre>a</pre> <code class=\"language-rust\">b</code>"),
        (
            "a b".into(),
            vec![entity(EntityKind::Pre { language: None }, 0, 1), entity(EntityKind::Code, 2, 1)]
        )
    );
}

#[test]
fn a_link_needs_an_address() {
    let link = EntityKind::TextLink("https://example.org/?a=1&b=2".into());
    assert_eq!(
        read("<a href=\"https://example.org/?a=1&amp;b=2\">here</a>"),
        ("here".into(), vec![entity(link, 0, 4)])
    );
    assert_eq!(read("<a href=\"not an address\">here</a>"), ("here".into(), vec![]));
    assert_eq!(read("<a>here</a>"), ("here".into(), vec![]));
}

#[test]
fn four_named_references_are_decoded_and_others_are_text() {
    assert_eq!(read("&lt;&gt;&amp;&quot;&nbsp;&#65;&#x42;& &").0, "<>&\"&nbsp;AB& &");
    assert_eq!(read("a &amp b").0, "a & b");
}

#[test]
fn an_empty_tag_marks_nothing() {
    assert_eq!(read("a<b></b>b"), ("ab".into(), vec![]));
}

#[test]
fn an_empty_end_tag_closes_the_innermost() {
    assert_eq!(read("<b>a</>"), ("a".into(), vec![entity(EntityKind::Bold, 0, 1)]));
}

#[test]
fn what_is_no_telegram_html_is_refused_in_the_words_of_the_service() {
    for (html, words) in [
        ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
        ("1 <2", "Unclosed start tag at byte offset 2"),
        ("1 < 2 > 1", "Unsupported start tag \"\" at byte offset 2"),
        ("é<p>x</p>", "Unsupported start tag \"p\" at byte offset 2"),
        ("a<br/>b", "Unsupported start tag \"br/\" at byte offset 1"),
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href=", "Unclosed start tag \"a\" at byte offset 0"),
        ("<a href=\"x>y</a>", "Unclosed start tag at byte offset 0"),
        ("<a href=ab/c>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<i =x>y</i>", "Empty attribute name in the tag \"i\" at byte offset 0"),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        (
            "&#xD800;",
            "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched \
             surrogate code units",
        ),
    ] {
        assert_eq!(refused(html), words, "{html}");
    }
}
