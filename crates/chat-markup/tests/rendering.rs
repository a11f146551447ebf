//! What each piece of Markdown looks like in a chat.

use argus_chat_markup::{Part, telegram, utf16_len};

fn html(markdown: &str) -> String {
    let parts: Vec<String> = telegram(markdown).into_iter().map(|part| part.html).collect();
    parts.join("\n<cut>\n")
}

fn assert_table(rows: &[(&str, &str)]) {
    for (markdown, expected) in rows {
        assert_eq!(html(markdown), *expected, "for {markdown:?}");
    }
}

#[test]
fn text_without_markup_keeps_its_characters() {
    for text in [
        "hello",
        "snake_case and __dunder",
        "2 * 3 * 4 = 24",
        "#1 and # 2",
        "a || b",
        "x||y",
        "10~20 元,30~40 元",
        "it's \"quoted\" – fine…",
        "line\nline\n  indented\n\nnext",
        "~/bin and ~/lib",
        "C:\\temp\\file",
        "f(**kwargs), g(**kwargs)",
        "https://a.b/c_d_e*f",
        "[x] and (y) and a]b[",
    ] {
        let expected = vec![Part { html: text.to_owned(), plain: text.to_owned() }];
        assert_eq!(telegram(text), expected);
    }
}

#[test]
fn plain_is_the_visible_text() {
    let expected = Part { html: "<b>a</b> &lt; <code>b&amp;</code>".to_owned(), plain: "a < b&".to_owned() };
    assert_eq!(telegram("**a** < `b&`"), vec![expected]);
}

#[test]
fn a_text_with_nothing_visible_has_no_part() {
    for text in ["", " ", "\n\n\t\r\n", "\u{200b}\u{feff}", "\u{a0}", "\0"] {
        assert_eq!(telegram(text), vec![], "for {text:?}");
    }
}

#[test]
fn a_visible_text_that_markdown_shows_nothing_of_is_shown_itself() {
    assert_table(&[
        ("#", "#"),
        ("```\n```", "```\n```"),
        (">", "&gt;"),
        ("[a]: https://b.c", "[a]: https://b.c"),
    ]);
}

#[test]
fn emphasis_nests() {
    assert_table(&[
        ("**b** __b__ *i* _i_ ~~s~~", "<b>b</b> <b>b</b> <i>i</i> <i>i</i> <s>s</s>"),
        ("**b *bi ~~bis~~* b**", "<b>b <i>bi <s>bis</s></i> b</b>"),
        ("*i **ib** i*", "<i>i <b>ib</b> i</i>"),
        ("***x***", "<i><b>x</b></i>"),
        ("**a **b** c**", "<b>a b c</b>"),
        ("**a\nb**", "<b>a\nb</b>"),
        ("\\*a\\* &lt;b&gt; &amp;", "*a* &lt;b&gt; &amp;"),
    ]);
}

#[test]
fn only_two_tildes_strike_out() {
    assert_table(&[("~a~ ~~b~~", "~a~ <s>b</s>"), ("about ~5 or ~6~", "about ~5 or ~6~")]);
}

#[test]
fn strong_text_ends_at_cjk_punctuation_too() {
    assert_table(&[
        ("**注意:**请看", "<b>注意:</b>请看"),
        ("这是**“引用”**的", "这是<b>“引用”</b>的"),
        ("**《书》**和`**`", "<b>《书》</b>和<code>**</code>"),
        ("f(**a), 你 g(**b)", "f(**a), 你 g(**b)"),
    ]);
}

#[test]
fn spoilers_hide_what_is_between_their_bars() {
    assert_table(&[
        ("||x||", "<tg-spoiler>x</tg-spoiler>"),
        ("a ||b **c** d|| e", "a <tg-spoiler>b <b>c</b> d</tg-spoiler> e"),
        ("凶手是||他||!", "凶手是<tg-spoiler>他</tg-spoiler>!"),
        ("||a|| or ||b||", "<tg-spoiler>a</tg-spoiler> or <tg-spoiler>b</tg-spoiler>"),
        ("a || b || c", "a || b || c"),
        ("a||b||c", "a||b||c"),
        ("||open", "||open"),
        ("||||", "||||"),
        ("\\||a||", "||a||"),
        ("`||a||`", "<code>||a||</code>"),
        ("||a\n\nb||", "||a\n\nb||"),
    ]);
}

#[test]
fn code_holds_no_other_style_and_lies_in_none() {
    assert_table(&[
        ("`a<b>&\"`", "<code>a&lt;b&gt;&amp;\"</code>"),
        ("**a `b` c**", "<b>a </b><code>b</code><b> c</b>"),
        ("# Use `x`", "<b>Use </b><code>x</code>"),
        ("||a `b`||", "<tg-spoiler>a </tg-spoiler><code>b</code>"),
        ("[`a`](https://b.c)", "<a href=\"https://b.c\">a</a>"),
    ]);
}

#[test]
fn blocks_of_code_keep_their_language_and_indentation() {
    assert_table(&[
        (
            "```rust\nfn a() {\n\tb\n}\n```",
            "<pre><code class=\"language-rust\">fn a() {\n    b\n}</code></pre>",
        ),
        ("```\na *b* <c>\n```", "<pre>a *b* &lt;c&gt;</pre>"),
        ("```c++,ignore x\na\n```", "<pre><code class=\"language-c++\">a</code></pre>"),
        ("```<\"&\na\n```", "<pre>a</pre>"),
        ("    a\n\n      b", "<pre>a\n\n  b</pre>"),
        ("```js\na", "<pre><code class=\"language-js\">a</code></pre>"),
        ("a\n```\nb\n```\nc", "a\n\n<pre>b</pre>\n\nc"),
    ]);
}

#[test]
fn headings_are_bold_lines_and_rules_are_dashes() {
    assert_table(&[
        ("# a\nb", "<b>a</b>\n\nb"),
        ("### a **b** *c*\n\nd", "<b>a b <i>c</i></b>\n\nd"),
        ("a\n===\nb", "<b>a</b>\n\nb"),
        ("a\n\n---\n\n\n\nb", "a\n\n———\n\nb"),
        ("\n\n# a\n\n", "<b>a</b>"),
    ]);
}

#[test]
fn links_lead_there_or_name_the_address() {
    assert_table(&[
        (
            "[a **b**](https://c.d/?e&f=\"g\")",
            "<a href=\"https://c.d/?e&amp;f=&quot;g&quot;\">a <b>b</b></a>",
        ),
        ("[a][1]\n\n[1]: http://c.d", "<a href=\"http://c.d\">a</a>"),
        ("<https://a.b>", "<a href=\"https://a.b\">https://a.b</a>"),
        ("[a](tg://user?id=1)", "<a href=\"tg://user?id=1\">a</a>"),
        ("[](https://a.b)", "<a href=\"https://a.b\">https://a.b</a>"),
        ("[a](src/lib.rs:1)", "a (src/lib.rs:1)"),
        ("[src/lib.rs](src/lib.rs)", "src/lib.rs"),
        ("[x](http://localhost:80)", "x (http://localhost:80)"),
        ("[a](javascript:b)", "a (javascript:b)"),
        ("[a](#b)", "a"),
        ("<a@b.c> [mail](mailto:a@b.c)", "a@b.c mail (a@b.c)"),
        ("**[a](https://b.c) d**", "<b><a href=\"https://b.c\">a</a> d</b>"),
    ]);
}

#[test]
fn images_are_links_with_their_alternative_text() {
    assert_table(&[
        ("![a](https://b.c/d.png)", "<a href=\"https://b.c/d.png\">a</a>"),
        ("![](https://b.c/d.png)", "<a href=\"https://b.c/d.png\">https://b.c/d.png</a>"),
        ("![a](d.png)", "a (d.png)"),
        ("[![a](https://b.c/d.png)](https://e.f)", "<a href=\"https://e.f\">a</a>"),
        ("[![a](https://b.c/d.png)](e)", "<a href=\"https://b.c/d.png\">a</a> (e)"),
        ("![a](data:image/png;base64,AAAAAAAA)", "a (data:image/png…)"),
    ]);
}

#[test]
fn lists_are_marked_numbered_and_indented() {
    assert_table(&[
        ("- a\n- b", "• a\n• b"),
        ("3. a\n3. b", "3. a\n4. b"),
        ("1) a\n2) b", "1) a\n2) b"),
        ("- a\n  b\n  - c\n    1. d\n- e", "• a\n  b\n  • c\n    1. d\n• e"),
        ("x\n- a\n\ny", "x\n\n• a\n\ny"),
        ("1. a\n\n   b\n\n2. c", "1. a\n\n  b\n\n2. c"),
        ("- [ ] a\n- [x] b\n1. [x] c", "☐ a\n☑ b\n\n1. ☑ c"),
        ("- a\n  ```\n  b\n  ```\n- c", "• a\n<pre>b</pre>\n• c"),
        ("- \n- a", "•\n• a"),
        ("- - a", "• • a"),
        ("- **a**: `b`", "• <b>a</b>: <code>b</code>"),
    ]);
}

#[test]
fn quotations_do_not_nest_and_long_ones_are_folded() {
    assert_table(&[
        ("> a\n> b\n\nc", "<blockquote>a\nb</blockquote>\n\nc"),
        ("> a\n> > b\n> > > c", "<blockquote>a\n\nb\n\nc</blockquote>"),
        ("> - a\n>   b\n>\n> `c`", "<blockquote>• a\n  b\n\n<code>c</code></blockquote>"),
        ("> ```x\n> a\n> ```", "<blockquote><pre><code class=\"language-x\">a</code></pre></blockquote>"),
        ("- a\n  > b\n- c", "• a\n<blockquote>b</blockquote>\n• c"),
    ]);
    let long = "字".repeat(601);
    assert_eq!(html(&format!("> {long}")), format!("<blockquote expandable>{long}</blockquote>"));
}

#[test]
fn tables_are_monospaced_and_aligned() {
    assert_table(&[
        (
            "| a | b |\n|---|--:|\n| `long` | 1 |\n| **x** \\| y | 22 |",
            "<pre>a     |  b\n------+---\nlong  |  1\nx | y | 22</pre>",
        ),
        (
            "|a|b|\n|-|-|\n|[c](https://d.e)|<f>|",
            "<pre>a               | b\n----------------+----\nc (https://d.e) | &lt;f&gt;</pre>",
        ),
        ("x\n\n|名前|n|\n|-|-|\n|é|1|\n\ny", "x\n\n<pre>名前 | n\n-----+--\né    | 1</pre>\n\ny"),
    ]);
}

#[test]
fn html_is_shown_as_written() {
    assert_table(&[
        ("a <b>c</b><br> Vec<String>", "a &lt;b&gt;c&lt;/b&gt;&lt;br&gt; Vec&lt;String&gt;"),
        ("<div>\n*a*\n</div>\n\nb", "&lt;div&gt;\n*a*\n&lt;/div&gt;\n\nb"),
        ("a <!-- b --> c", "a &lt;!-- b --&gt; c"),
    ]);
}

#[test]
fn lengths_are_in_utf16_units() {
    assert_eq!(["", "a", "é", "字", "🙂", "e\u{301}"].map(utf16_len), [0, 1, 1, 1, 2, 2]);
}
