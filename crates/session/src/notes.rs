//! What is noted of a turn beside its text: the file changes it proposes, the tokens it takes.

use std::collections::VecDeque;

use argus_protocol::agent::{ItemRef, StartedItem, Tokens, UsageNotice};
use serde::{Deserialize, Serialize};

use crate::turn::Usage;

/// The newest file changes that are kept, in bytes.
const CHANGES_BYTES: usize = 64 << 10;

/// Notes of one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Notes {
    /// Ids and JSON texts of file changes, oldest first: a question about one only names it.
    changes: VecDeque<(String, String)>,
    /// What the thread had taken before the turn, and what it has taken now.
    tokens: Option<(Usage, Usage)>,
}

impl Notes {
    /// Keeps a file change; `text` is the whole item.
    pub(crate) fn change(&mut self, item: &StartedItem<'_>, text: &str) {
        if item.kind != "fileChange" || text.len() > CHANGES_BYTES {
            return;
        }
        self.changes.push_back((item.id.clone().into_owned(), text.to_owned()));
        while self.changes.iter().map(|(_, text)| text.len()).sum::<usize>() > CHANGES_BYTES {
            self.changes.pop_front();
        }
    }

    /// The item that these parameters name, where it is kept.
    pub(crate) fn item(&self, params: &str) -> Option<String> {
        let named = serde_json::from_str::<ItemRef<'_>>(params).ok()?.item_id;
        self.changes.iter().rev().find(|(id, _)| *id == named).map(|(_, text)| text.clone())
    }

    /// `thread/tokenUsage/updated`
    pub(crate) fn takes(&mut self, notice: &UsageNotice) {
        let (total, last) = (usage(&notice.token_usage.total), usage(&notice.token_usage.last));
        let before = self.tokens.map_or_else(|| less(total, last), |(before, _)| before);
        self.tokens = Some((before, total));
    }

    /// What the turn took so far, where the agent said.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.tokens.map(|(before, now)| less(now, before))
    }
}

fn usage(tokens: &Tokens) -> Usage {
    Usage { input: tokens.input_tokens, cached: tokens.cached_input_tokens, output: tokens.output_tokens }
}

fn less(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input.saturating_sub(b.input),
        cached: a.cached.saturating_sub(b.cached),
        output: a.output.saturating_sub(b.output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(notes: &mut Notes, id: &str, size: usize) {
        let text = format!(r#"{{"type":"fileChange","id":"{id}","x":"{}"}}"#, "x".repeat(size));
        notes.change(&serde_json::from_str(&text).unwrap(), &text);
    }

    #[test]
    fn the_newest_file_changes_are_found_by_their_ids() {
        let mut notes = Notes::default();
        change(&mut notes, "a", 40 << 10);
        change(&mut notes, "b", 40 << 10);
        change(&mut notes, "huge", 70 << 10);
        let found = |id: &str| notes.item(&format!(r#"{{"itemId":"{id}"}}"#)).is_some();
        assert_eq!(["a", "b", "huge"].map(found), [false, true, false]);
        assert_eq!(notes.item("{}"), None);
    }

    #[test]
    fn a_turn_took_what_came_since_it_began() {
        let mut notes = Notes::default();
        assert_eq!(notes.usage(), None);
        for (total, last) in [(1_000, 100), (1_250, 250)] {
            let tokens = |n: u64| {
                format!(r#"{{"inputTokens":{n},"cachedInputTokens":{},"outputTokens":{}}}"#, n / 2, n / 10)
            };
            let text = format!(r#"{{"tokenUsage":{{"total":{},"last":{}}}}}"#, tokens(total), tokens(last));
            notes.takes(&serde_json::from_str(&text).unwrap());
        }
        assert_eq!(notes.usage(), Some(Usage { input: 350, cached: 175, output: 35 }));
    }
}
