//! What a turn shows while it runs: the answer so far, what the agent does, what it thinks. Pure.

use argus_chat_markup::{Part, utf16_len};
use argus_session::{Activity, Progress};

use crate::config::LiveConfig;

/// The longest message, in UTF-16 units.
const LONGEST: usize = 4096;
/// The most that is held of an answer, in bytes; the end of it counts.
const MOST_ANSWER: usize = 64 * 1024;
/// The most that is shown of what the agent thinks, in characters; the end of it counts.
const MOST_THOUGHTS: usize = 300;
/// The most that is shown of what it does, in characters.
const MOST_ACTIVITY: usize = 160;

/// What is known of a running turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// The newest message of the agent: its item and what it says so far.
    answer: (String, String),
    activity: Option<String>,
    thoughts: String,
}

impl View {
    /// Takes something in; answers whether that can be seen.
    pub(super) fn take(&mut self, progress: Progress, config: LiveConfig) -> bool {
        match progress {
            Progress::Writes { item, delta } => {
                if self.answer.0 != item {
                    self.answer = (item, String::new());
                }
                self.answer.1.push_str(&delta);
                cut_front(&mut self.answer.1, MOST_ANSWER);
                self.activity = None;
                true
            }
            Progress::Wrote { item, text } => {
                let mut answer = (item, text);
                cut_front(&mut answer.1, MOST_ANSWER);
                let changed = self.answer != answer || self.activity.is_some();
                self.answer = answer;
                self.activity = None;
                changed
            }
            Progress::Does(activity) => {
                self.activity = Some(line_of(&activity));
                config.activity
            }
            Progress::Thinks { delta } => {
                self.thoughts.push_str(&delta);
                cut_front(&mut self.thoughts, MOST_THOUGHTS * 8);
                config.reasoning
            }
        }
    }

    /// As one message; none while there is nothing to show.
    pub(super) fn part(&self, config: LiveConfig) -> Option<Part> {
        let activity = self.activity.as_ref().filter(|_| config.activity);
        let thoughts = config.reasoning.then(|| tail_of(&self.thoughts)).filter(|text| !text.is_empty());
        let mut part = Part { html: String::new(), plain: String::new() };
        if let Some(activity) = activity {
            add(&mut part, "\n\n", &escaped(activity), activity);
        }
        if let Some(thoughts) = thoughts {
            let html = format!("<blockquote>{}</blockquote>", escaped(&thoughts));
            add(&mut part, "\n\n", &html, &thoughts);
        }
        let room = LONGEST.saturating_sub(utf16_len(&part.plain) + 2);
        if let Some(answer) = argus_chat_markup::telegram_live(&self.answer.1, room) {
            add(&mut part, "\n\n", &answer.html, &answer.plain);
        }
        (!part.plain.is_empty()).then_some(part)
    }
}

fn add(part: &mut Part, gap: &str, html: &str, plain: &str) {
    if !part.plain.is_empty() {
        part.html.push_str(gap);
        part.plain.push_str(gap);
    }
    part.html.push_str(html);
    part.plain.push_str(plain);
}

fn line_of(activity: &Activity) -> String {
    let (sign, words) = match activity {
        Activity::Runs(command) => ("⚙️", command.clone()),
        Activity::Changes(paths) => {
            let more = if paths.len() > 3 { ", …" } else { "" };
            ("✏️", format!("{}{more}", paths.iter().take(3).cloned().collect::<Vec<_>>().join(", ")))
        }
        Activity::Searches(query) => ("🔎", query.clone()),
        Activity::Uses(tool) => ("🧩", tool.clone()),
    };
    let words = words.split_whitespace().take(MOST_ACTIVITY).collect::<Vec<_>>().join(" ");
    let mut line: String = words.chars().take(MOST_ACTIVITY).collect();
    if line.len() < words.len() {
        line.push('…');
    }
    format!("{sign} {line}").trim_end().to_owned()
}

/// The end of what the agent thinks, without the marks of its headings.
fn tail_of(thoughts: &str) -> String {
    let text = thoughts.replace("**", "");
    let text = text.trim();
    let count = text.chars().count();
    if count <= MOST_THOUGHTS {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(count - MOST_THOUGHTS).collect();
    let from_word = tail.find(char::is_whitespace).map_or(tail.as_str(), |space| &tail[space..]);
    format!("…{}", from_word.trim_start())
}

fn cut_front(text: &mut String, most: usize) {
    if text.len() > most {
        let mut from = text.len() - most;
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text.drain(..from);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Streaming;

    fn all() -> LiveConfig {
        LiveConfig {
            streaming: Streaming::Edit,
            interval: Duration::from_millis(1),
            activity: true,
            reasoning: true,
        }
    }

    fn writes(item: &str, delta: &str) -> Progress {
        Progress::Writes { item: item.into(), delta: delta.into() }
    }

    fn html(view: &View, config: LiveConfig) -> Option<String> {
        view.part(config).map(|part| part.html)
    }

    #[test]
    fn the_newest_message_is_shown_as_far_as_it_goes() {
        let mut view = View::default();
        assert_eq!(html(&view, all()), None);
        assert!(view.take(writes("a", "**one"), all()));
        assert_eq!(html(&view, all()).as_deref(), Some("**one"));
        assert!(view.take(writes("a", "** <x>"), all()));
        assert_eq!(html(&view, all()).as_deref(), Some("<b>one</b> &lt;x&gt;"));
        view.take(writes("b", "```rust\nfn"), all());
        assert_eq!(html(&view, all()).as_deref(), Some("<pre><code class=\"language-rust\">fn</code></pre>"));
        let whole = Progress::Wrote { item: "b".into(), text: "done".into() };
        assert!(view.take(whole.clone(), all()));
        assert!(!view.take(whole, all()));
        assert_eq!(html(&view, all()).as_deref(), Some("done"));
    }

    #[test]
    fn what_the_agent_does_is_one_line_on_top_until_it_writes() {
        let mut view = View::default();
        for (activity, line) in [
            (Activity::Runs("cargo\n  test <x>".into()), "⚙️ cargo test &lt;x&gt;"),
            (Activity::Changes(vec!["a".into(), "b".into(), "c".into(), "d".into()]), "✏️ a, b, c, …"),
            (Activity::Searches("q".into()), "🔎 q"),
            (Activity::Uses("s.t".into()), "🧩 s.t"),
        ] {
            assert!(view.take(Progress::Does(activity), all()));
            assert_eq!(html(&view, all()).as_deref(), Some(line));
        }
        let quiet = LiveConfig { activity: false, ..all() };
        assert_eq!(html(&view, quiet), None);
        assert!(!view.take(Progress::Does(Activity::Uses("s.t".into())), quiet));
        view.take(writes("a", "x"), all());
        assert_eq!(html(&view, all()).as_deref(), Some("x"));
        view.take(Progress::Does(Activity::Runs("y".repeat(500))), all());
        assert_eq!(html(&view, all()), Some(format!("⚙️ {}…\n\nx", "y".repeat(160))));
    }

    #[test]
    fn the_end_of_what_it_thinks_is_a_quotation_where_that_is_wanted() {
        let mut view = View::default();
        view.take(Progress::Thinks { delta: "**Plan**\n\nlook < first".into() }, all());
        assert_eq!(html(&view, all()).as_deref(), Some("<blockquote>Plan\n\nlook &lt; first</blockquote>"));
        assert_eq!(html(&view, LiveConfig { reasoning: false, ..all() }), None);
        view.take(Progress::Thinks { delta: " word".repeat(1000) }, all());
        let shown = view.part(all()).unwrap().plain;
        assert!(shown.starts_with("…word") && shown.chars().count() <= MOST_THOUGHTS + 1, "{shown}");
    }

    #[test]
    fn however_much_comes_one_message_shows_the_end_of_it_and_little_is_held() {
        let mut view = View::default();
        view.take(Progress::Does(Activity::Runs("x".into())), all());
        for number in 0..30_000 {
            view.take(writes("a", &format!("{number} 𝄞\n")), all());
        }
        assert!(view.answer.1.len() <= MOST_ANSWER);
        let part = view.part(all()).unwrap();
        assert!(utf16_len(&part.plain) <= LONGEST);
        assert!(part.plain.starts_with('…') && part.plain.ends_with("29999 𝄞"), "{}", part.plain);
    }
}
