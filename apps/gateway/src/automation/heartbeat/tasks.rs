//! Whether a `HEARTBEAT.md` asks for anything: what holds nothing but headings, empty list items and comments does not.

/// Whether there is something to do in it.
pub(super) fn has_tasks(text: &str) -> bool {
    without_front_matter(text).lines().any(|line| is_content(line.trim()))
}

/// The text after a block between two lines of `---` at its beginning. A block that is not closed is text.
fn without_front_matter(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let is_fence = line.trim_end() == "---";
        match (number, is_fence) {
            (0, true) => {}
            (0, false) => return text,
            (_, true) => return &text[at..],
            (_, false) => {}
        }
    }
    text
}

fn is_content(line: &str) -> bool {
    !(line.is_empty() || is_heading(line) || is_empty_item(line) || is_comment(line))
}

/// `#` and more of it, then a space or nothing: `#tag` is a text.
fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    rest.len() < line.len() && (rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// A bullet without a text, perhaps with a box.
fn is_empty_item(line: &str) -> bool {
    let Some(rest) = line.strip_prefix(['-', '*', '+']) else { return false };
    match rest.chars().next() {
        None => true,
        Some(c) if c.is_whitespace() => {
            let rest = rest.trim().to_ascii_lowercase();
            matches!(rest.as_str(), "" | "[]" | "[ ]" | "[x]")
        }
        Some(_) => false,
    }
}

/// A comment that begins and ends on this line, and nothing beside it.
fn is_comment(line: &str) -> bool {
    line.strip_prefix("<!--")
        .and_then(|rest| rest.split_once("-->"))
        .is_some_and(|(_, after)| after.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_empty_items_and_one_line_comments_are_no_tasks() {
        for text in [
            "",
            "\n  \n\t\n",
            "# Heartbeat",
            "#",
            "###### Six\n##\t tab",
            "-",
            "*",
            "+ ",
            "- [ ]",
            "- [x]",
            "* [X]  ",
            "+ []",
            "  - [ ]",
            "<!-- write a task below -->",
            "  <!-- one -->\n<!---->",
            "---\ntitle: t\ntasks: none\n---\n# Heartbeat\n",
            "---\r\ntitle: t\r\n---\r\n",
            "\u{feff}---\ntitle: t\n---\n",
            "---\n---\n",
        ] {
            assert!(!has_tasks(text), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_a_task() {
        for text in [
            "water the plants",
            "#tag",
            "#1 look at the mail",
            "- water the plants",
            "- [ ] water the plants",
            "- [x] done already",
            "-x",
            "--",
            "---",
            "- - ",
            "1.",
            "1. ",
            "1) look",
            "<!-- over\nlines -->",
            "<!-- one --> and a text",
            "<!-- one --> <!-- two -->",
            "a <!-- one -->",
            "<!-- not closed",
            "> quoted",
            "---\ntitle: t\n# not closed",
            "\n---\ntitle: t\n---\n",
            "---\ntitle: t\n---\n- look",
        ] {
            assert!(has_tasks(text), "{text:?}");
        }
    }

    #[test]
    fn the_template_asks_for_nothing() {
        assert!(!has_tasks(include_str!("../../../../../docs/templates/HEARTBEAT.md")));
    }
}
