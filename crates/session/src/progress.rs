//! What the agent says within a turn: gathered for the answer, and shown while it goes on where a chat asked for it.

use argus_protocol::Frame;
use argus_protocol::agent::{Delta, Item, ItemNotice, StartedItem, StartedNotice, Words, method};

use crate::answer::{AnswerText, bounded};
use crate::effect::Effect;
use crate::lane::origin;
use crate::notes::Notes;
use crate::session::Session;
use crate::turn::Submission;

/// What the agent does in a turn, as it can be shown while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It writes: more text of a message.
    Writes {
        /// The message.
        item: String,
        /// What is added.
        delta: String,
    },
    /// A message is whole.
    Wrote {
        /// The message.
        item: String,
        /// All of it.
        text: String,
    },
    /// It does something.
    Does(Activity),
    /// It thinks: more of the summary of that.
    Thinks {
        /// What is added; a new part of the summary begins with two line ends.
        delta: String,
    },
}

/// Something that the agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It runs a command.
    Runs(String),
    /// It changes files; their paths.
    Changes(Vec<String>),
    /// It searches the web.
    Searches(String),
    /// It uses a tool: `server.tool`.
    Uses(String),
}

/// The longest text of an activity, in characters.
const MOST_CHARS: usize = 500;
/// Most files of one change that are named.
const MOST_FILES: usize = 20;

/// Notes what a notification says of a turn; `shown`: somebody looks on, and what it shows is answered.
pub(crate) fn note(
    notice: &Frame,
    text: &mut AnswerText,
    notes: &mut Notes,
    shown: bool,
) -> Option<Progress> {
    match notice.method() {
        method::AGENT_MESSAGE_DELTA => {
            let delta = notice.params_as::<Delta<'_>>()?;
            text.delta(&delta.item_id, &delta.delta);
            let (item, delta) = (delta.item_id, delta.delta);
            shown.then(|| Progress::Writes { item: item.into_owned(), delta: bounded(delta.into_owned()) })
        }
        method::ITEM_COMPLETED => {
            let item = notice.params_as::<ItemNotice>()?.item;
            let whole = if shown { wrote(&item) } else { None };
            text.item(item);
            whole
        }
        method::ITEM_STARTED if shown => {
            let written = notice.params_as::<StartedNotice<'_>>()?.item.get();
            let item = serde_json::from_str::<StartedItem<'_>>(written).ok()?;
            notes.change(&item, written);
            activity(item).map(Progress::Does)
        }
        method::SUMMARY_DELTA if shown => {
            let delta = notice.params_as::<Delta<'_>>()?.delta.into_owned();
            Some(Progress::Thinks { delta: bounded(delta) })
        }
        method::SUMMARY_PART if shown => Some(Progress::Thinks { delta: "\n\n".to_owned() }),
        method::TOKEN_USAGE => {
            notes.takes(&notice.params_as()?);
            None
        }
        _ => None,
    }
}

fn wrote(item: &Item) -> Option<Progress> {
    let text = item.text.as_ref().filter(|text| item.kind == "agentMessage" && !text.trim().is_empty())?;
    Some(Progress::Wrote { item: item.id.clone(), text: bounded(text.clone()) })
}

fn activity(item: StartedItem<'_>) -> Option<Activity> {
    match item.kind.as_ref() {
        "commandExecution" => {
            let command = match item.command? {
                Words::Text(text) => text,
                Words::List(words) => unwrapped_words(&words),
            };
            Some(Activity::Runs(shortened(unwrapped(&command))))
        }
        "fileChange" => {
            let paths = item.changes.iter().filter(|file| !file.path.is_empty()).take(MOST_FILES);
            Some(Activity::Changes(paths.map(|file| shortened(&file.path)).collect()))
        }
        "webSearch" => Some(Activity::Searches(shortened(&item.query?))),
        "mcpToolCall" | "dynamicToolCall" => {
            let tool = item.tool?;
            let whose = item.server.or(item.namespace).filter(|name| !name.is_empty());
            Some(Activity::Uses(shortened(&whose.map_or(tool.clone(), |name| format!("{name}.{tool}")))))
        }
        _ => None,
    }
}

/// `bash -lc <what>`, word by word, is what it runs.
fn unwrapped_words(words: &[String]) -> String {
    match words {
        [shell, flag, what] if is_shell(shell) && matches!(flag.as_str(), "-lc" | "-c") => what.clone(),
        _ => words.join(" "),
    }
}

/// `bash -lc '<what>'` is what it runs, where the quotes are plain ones.
fn unwrapped(command: &str) -> &str {
    let mut words = command.trim().splitn(3, ' ');
    let (Some(shell), Some("-lc" | "-c"), Some(what)) = (words.next(), words.next(), words.next()) else {
        return command.trim();
    };
    let what = what.trim();
    let quoted = |quote: char, never: &[char]| {
        let inner = what.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(never)).then_some(inner)
    };
    let inner = quoted('\'', &['\'']).or_else(|| quoted('"', &['"', '\\', '$', '`']));
    let bare = what.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)).then_some(what);
    inner.or(bare).filter(|_| is_shell(shell)).unwrap_or(command.trim())
}

fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("bash" | "sh" | "zsh"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Session {
    /// Shows what these submissions' turn does, where a chat asked for it.
    pub(crate) fn show(&mut self, batch: &[Submission], shown: impl IntoIterator<Item = Progress>) {
        let (Some(origin), Some(first)) = (origin(batch).filter(|one| one.chat().is_some()), batch.first())
        else {
            return;
        };
        self.effects.extend(shown.into_iter().map(|progress| {
            let submission = first.id.clone();
            Effect::Progress { origin: origin.clone(), submission, progress }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn does(item: &str) -> Option<Activity> {
        activity(serde_json::from_str(item).unwrap())
    }

    #[test]
    fn what_begins_is_told_in_a_word() {
        let runs = |command: &str| Some(Activity::Runs(command.to_owned()));
        for (item, shown) in [
            (
                r#"{"type":"commandExecution","id":"1","command":"/bin/bash -lc 'ls -l | wc'"}"#,
                runs("ls -l | wc"),
            ),
            (r#"{"type":"commandExecution","command":["bash","-lc","echo 'a b'"]}"#, runs("echo 'a b'")),
            (r#"{"type":"commandExecution","command":"bash -lc \"a 'b'\""}"#, runs("a 'b'")),
            (r#"{"type":"commandExecution","command":"bash -lc ls"}"#, runs("ls")),
            (r#"{"type":"commandExecution","command":"bash -lc 'a'\\''b'"}"#, runs(r"bash -lc 'a'\''b'")),
            (r#"{"type":"commandExecution","command":"make -c x"}"#, runs("make -c x")),
            (
                r#"{"type":"fileChange","changes":[{"path":"/a","kind":{"type":"add"},"diff":"+"},{"path":"/b"}]}"#,
                Some(Activity::Changes(vec!["/a".to_owned(), "/b".to_owned()])),
            ),
            (r#"{"type":"webSearch","query":"rust"}"#, Some(Activity::Searches("rust".to_owned()))),
            (r#"{"type":"mcpToolCall","server":"s","tool":"t"}"#, Some(Activity::Uses("s.t".to_owned()))),
            (
                r#"{"type":"dynamicToolCall","namespace":null,"tool":"t"}"#,
                Some(Activity::Uses("t".to_owned())),
            ),
            (r#"{"type":"reasoning","summary":[]}"#, None),
            ("{}", None),
        ] {
            assert_eq!(does(item), shown, "{item}");
        }
        let long = format!(r#"{{"type":"webSearch","query":"{}"}}"#, "ü".repeat(600));
        assert_eq!(does(&long), Some(Activity::Searches(format!("{}…", "ü".repeat(500)))));
    }
}
