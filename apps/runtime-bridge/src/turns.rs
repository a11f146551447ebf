//! Which threads have a turn running, as far as the agent's words tell.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memmem;
use serde::Deserialize;

/// How many threads are followed at most; an agent with more is taken to be busy.
const THREADS: usize = 4096;

/// Threads with an open turn.
#[derive(Debug, Default)]
pub(crate) struct Turns(BTreeSet<String>);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Params<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow, default)]
    thread_id: Cow<'a, str>,
}

impl Turns {
    /// Whether any turn runs.
    pub(crate) fn running(&self) -> bool {
        !self.0.is_empty()
    }

    /// Reads one of the agent's lines; all but a few are told apart without reading their JSON.
    pub(crate) fn observe(&mut self, line: &[u8]) {
        if memmem::find(line, b"\"turn/").is_none() {
            return;
        }
        let Ok(frame) = serde_json::from_slice::<Envelope>(line) else { return };
        match &*frame.method {
            "turn/started" if self.0.len() < THREADS => {
                self.0.insert(frame.params.thread_id.into_owned());
            }
            "turn/completed" => self.completed(Some(&frame.params.thread_id)),
            _ => {}
        }
    }

    /// The turn of a thread ended; of every thread, when it is not known of which.
    pub(crate) fn completed(&mut self, thread: Option<&str>) {
        match thread {
            Some(thread) => {
                self.0.remove(thread);
            }
            None => self.0.clear(),
        }
    }

    /// The agent is gone, and its turns with it.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running_after(lines: &[&str]) -> bool {
        let mut turns = Turns::default();
        for line in lines {
            turns.observe(line.as_bytes());
        }
        turns.running()
    }

    #[test]
    fn a_turn_runs_from_started_to_completed_of_its_thread() {
        let started = r#"{"method":"turn/started","params":{"threadId":"a","turn":{"id":"1"}}}"#;
        let completed = r#"{"method":"turn/completed","params":{"turn":{"id":"1"},"threadId":"a"}}"#;
        let other = r#"{"method":"turn/completed","params":{"threadId":"b"}}"#;
        assert!(running_after(&[started]));
        assert!(running_after(&[started, other]));
        assert!(!running_after(&[started, completed]));
        assert!(!running_after(&[]));
    }

    #[test]
    fn words_about_turns_are_not_turns() {
        assert!(!running_after(&[
            r#"{"method":"item/completed","params":{"text":"\"turn/started\""}}"#,
            r#"{"method":"item/completed","params":{"method":"turn/started"}}"#,
            r#""turn/started""#,
            r#"{"method":"turn/started""#,
        ]));
    }

    #[test]
    fn a_completion_of_an_unknown_thread_ends_every_turn() {
        let mut turns = Turns::default();
        turns.observe(br#"{"method":"turn/started","params":{"threadId":"a"}}"#);
        turns.completed(None);
        assert!(!turns.running());
    }
}
