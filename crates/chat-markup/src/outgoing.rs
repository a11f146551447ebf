//! A whole answer as it is sent: in messages, or its beginning as a message and all of it as a file.

use crate::{MESSAGE_UNITS, Part, telegram, telegram_with_limit, utf16_len};

/// How much of a long answer its message shows, in UTF-16 units.
const BEGINNING: usize = 2000;

/// What is sent of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The messages, in order.
    pub parts: Vec<Part>,
    /// What the file holds that follows them; `None` where there is none.
    pub whole: Option<String>,
}

/// Renders an answer for sending. One of more than `long` UTF-16 units becomes a file with the Markdown as it is; its
/// beginning, up to the end of a paragraph where that goes, is a message, with `attached` (no Markdown) as its last line.
pub fn outgoing(markdown: &str, long: Option<usize>, attached: &str) -> Outgoing {
    let Some(long) = long.filter(|long| utf16_len(markdown) > *long) else {
        return Outgoing { parts: telegram(markdown), whole: None };
    };
    let room = MESSAGE_UNITS.saturating_sub(utf16_len(attached) + 2);
    let first = telegram_with_limit(markdown, BEGINNING.min(long).min(room)).into_iter().next();
    let Some(mut first) = first else { return Outgoing::default() };
    first.html = format!("{}\n\n{}", first.html, escaped(attached));
    first.plain = format!("{}\n\n{attached}", first.plain);
    Outgoing { parts: vec![first], whole: Some(markdown.to_owned()) }
}

/// Renders an answer that is still being written as the one message of at most `limit` UTF-16 units that shows its end.
///
/// What is over the limit goes from the front, and `…` stands in its place. Nothing visible is no message.
pub fn telegram_live(markdown: &str, limit: usize) -> Option<Part> {
    let mut parts = telegram_with_limit(markdown, limit.saturating_sub(2));
    let last = parts.pop()?;
    if parts.is_empty() {
        return Some(last);
    }
    Some(Part { html: format!("…\n{}", last.html), plain: format!("…\n{}", last.plain) })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_long_comes_in_messages() {
        let plain = |long| outgoing("**a** b", long, "all below");
        let whole = Outgoing { parts: telegram("**a** b"), whole: None };
        assert_eq!(plain(None), whole);
        assert_eq!(plain(Some(7)), whole);
        assert_eq!(outgoing("", Some(0), "all below"), Outgoing::default());
    }

    #[test]
    fn the_beginning_of_a_long_one_is_a_message_that_ends_with_a_paragraph_and_says_that_there_is_more() {
        let paragraph = "Some **bold** words that fill the line.\n\n";
        let markdown = paragraph.repeat(500);
        let long = outgoing(&markdown, Some(16384), "<all> below");
        assert_eq!(long.whole.as_ref(), Some(&markdown));
        let [part] = long.parts.as_slice() else { panic!("{} parts", long.parts.len()) };
        assert!(part.html.ends_with("words that fill the line.\n\n&lt;all&gt; below"), "{}", part.html);
        assert!(part.plain.ends_with("words that fill the line.\n\n<all> below"));
        assert!((1000..=BEGINNING + 13).contains(&utf16_len(&part.plain)));
    }

    #[test]
    fn one_that_grows_shows_its_end_with_its_fence_open_again() {
        assert_eq!(telegram_live(" \n", 100), None);
        let short = telegram_live("**bold** and **no", 100).unwrap();
        assert_eq!(short.html, "<b>bold</b> and **no");
        let code = format!("```sh\n{}", "echo line\n".repeat(100));
        let tail = telegram_live(&code, 200).unwrap();
        assert!(tail.html.starts_with("…\n<pre><code class=\"language-sh\">echo"), "{}", tail.html);
        assert!(tail.html.ends_with("echo line</code></pre>") && utf16_len(&tail.plain) <= 200);
    }
}
