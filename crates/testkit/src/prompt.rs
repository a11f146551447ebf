//! Finds, in the text a turn was given, what the person wrote and the control words of the stand-ins.

/// Characters in one delta of an answer about which nothing else is said.
const USUAL_DELTA: usize = 20;

/// A control word: `[name]` or `[name: argument]`, the name in lower case letters and spaces, brackets in the
/// argument balanced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) name: &'a str,
    pub(crate) argument: &'a str,
}

/// The person's own words: after the last line that closes a context block (`[/NAME]`), up to the instructions and
/// events that the gateway puts behind them.
pub fn own_text(text: &str) -> &str {
    let mut own = text;
    for tail in ["\n\nInstructions:", "\n\nSystem events (batched):"] {
        own = own.rfind(tail).map_or(own, |at| &own[..at]);
    }
    let mut begin = 0;
    let mut at = 0;
    for line in own.split_inclusive('\n') {
        at += line.len();
        if closes_block(line.trim_end()) {
            begin = at;
        }
    }
    own[begin..].trim()
}

fn closes_block(line: &str) -> bool {
    let name = line.strip_prefix("[/").and_then(|rest| rest.strip_suffix(']'));
    name.is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
    })
}

/// Every control word in `text`, in order.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        rest = &rest[open + 1..];
        let letters = rest.find(|c: char| !c.is_ascii_lowercase() && c != ' ').unwrap_or(rest.len());
        let (name, after) = rest.split_at(letters);
        if name.trim() != name || name.is_empty() {
            continue;
        }
        if let Some(behind) = after.strip_prefix(']') {
            found.push(Word { name, argument: "" });
            rest = behind;
        } else if let Some(behind) = after.strip_prefix(':')
            && let Some(end) = closing_bracket(behind)
        {
            found.push(Word { name, argument: behind[..end].trim() });
            rest = &behind[end + 1..];
        }
    }
    found
}

/// Where the bracket is that closes one opened before `text`.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Markdown of exactly `length` characters, in numbered paragraphs with lists and fenced code, so that what is lost,
/// doubled or cut can be seen.
pub fn long_markdown(length: usize) -> String {
    let mut text = String::with_capacity(length + 200);
    for n in 1..=length {
        if text.len() >= length {
            break;
        }
        let part = match n % 4 {
            0 => format!("```rust\nfn part_{n}() -> u32 {{\n    {n} // a < b && c > d\n}}\n```\n\n"),
            1 => format!("## Part {n}\n\nThis is **paragraph {n}** with `code_{n}` & a <tag> in it.\n\n"),
            2 => format!("- first of {n}\n- second of {n}, _a little longer_\n\n"),
            _ => format!("Plain words of part {n}, long enough to be wrapped somewhere in the middle.\n\n"),
        };
        text.push_str(&part);
    }
    text.truncate(length);
    text
}

/// Cuts a text into deltas of some characters; one of two characters or more has at least two, so that there is a
/// middle.
pub(crate) fn in_deltas(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let size = USUAL_DELTA.min(characters.len().div_ceil(2)).max(1);
    characters.chunks(size).map(|chunk| chunk.iter().collect()).collect()
}

/// The deltas of `[deltas: count size size]`: each is its number, filled up to `size` characters.
pub fn numbered_deltas(count: usize, size: usize) -> Vec<String> {
    let delta = |n| {
        let mut delta = format!("{n} ");
        while delta.len() + 1 < size {
            delta.push('.');
        }
        delta.truncate(size.saturating_sub(1));
        delta.push('\n');
        delta
    };
    (0..count).map(delta).collect()
}

/// Reads the argument of `[deltas: count size size]`; the size may be left out.
pub(crate) fn count_and_size(argument: &str) -> (usize, usize) {
    let mut numbers = argument.split_whitespace().filter_map(|part| part.parse().ok());
    (numbers.next().unwrap_or(1), numbers.next().unwrap_or(USUAL_DELTA))
}

#[cfg(test)]
mod tests {
    use super::{Word, long_markdown, own_text, words};

    #[test]
    fn a_person_s_words_are_found_between_context_and_instructions() {
        let prompt = "# Project Context\n\n[ARGUS]\nsessionId: s\n[/ARGUS]\n\n[AGENTS.md]\nInstructions: be kind\n[/AGENTS.md]\
                      \n\nhow are\n\nyou?\n\nSystem events (batched):\n[cron at=x] tick\n\nInstructions:\n- answer";
        assert_eq!(own_text(prompt), "how are\n\nyou?");
    }

    #[test]
    fn a_text_without_context_is_the_person_s_own() {
        assert_eq!(own_text("  hello\n\nthere "), "hello\n\nthere");
        assert_eq!(own_text("[/ARGUS]\n\nhello"), "hello");
        assert_eq!(own_text("see [/AGENTS.md] there"), "see [/AGENTS.md] there");
    }

    #[test]
    fn control_words_are_found_in_order_with_balanced_arguments() {
        assert_eq!(
            words("[ARGUS] a [die] b [run: [ -f x ] && echo [ok]] [hang hard] [Say: no] [ x] [not closed: x"),
            [
                Word { name: "die", argument: "" },
                Word { name: "run", argument: "[ -f x ] && echo [ok]" },
                Word { name: "hang hard", argument: "" },
            ]
        );
    }

    #[test]
    fn long_markdown_has_the_length_asked_for() {
        for length in [0, 1, 12_000] {
            assert_eq!(long_markdown(length).chars().count(), length);
        }
    }
}
