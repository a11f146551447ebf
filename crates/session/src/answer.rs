//! The text of a turn as it grows: what is delivered when it ends, or what there was when it broke.

use argus_protocol::agent::Item;
use serde::{Deserialize, Serialize};

use crate::config::SessionConfig;

/// What the agent said in one turn so far. Bounded in bytes; what comes after the bound is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerText {
    /// The newest complete message.
    complete: Option<String>,
    /// Whether that was marked as the final answer.
    is_final: bool,
    /// The message that grows now: its item and its text.
    growing: Option<(String, String)>,
}

impl AnswerText {
    /// `item/agentMessage/delta`
    pub(crate) fn delta(&mut self, item: &str, text: &str) {
        match &mut self.growing {
            Some((id, so_far)) if id == item => {
                if so_far.len() + text.len() <= SessionConfig::ANSWER_BYTES {
                    so_far.push_str(text);
                }
            }
            _ => self.growing = Some((item.to_owned(), bounded(text.to_owned()))),
        }
    }

    /// `item/completed`: the last message wins, unless an earlier one was marked as final and this one is not.
    pub(crate) fn item(&mut self, item: Item) {
        let Some(text) = item.text.filter(|text| item.kind == "agentMessage" && !text.trim().is_empty())
        else {
            return;
        };
        self.growing = None;
        let is_final = item.phase.as_deref() == Some("final_answer");
        if is_final || !self.is_final {
            self.complete = Some(bounded(text));
            self.is_final = is_final;
        }
    }

    /// The message that grows now: its item and its text.
    pub(crate) fn growing(&self) -> Option<&(String, String)> {
        self.growing.as_ref()
    }

    /// The answer of a turn that came to its end; `items` is what `turn/completed` carried: its last message, which
    /// may be the only place where that stands whole.
    pub(crate) fn finish(mut self, items: Vec<Item>) -> String {
        for item in items {
            self.item(item);
        }
        if self.is_final {
            self.growing = None;
        }
        self.partial()
    }

    /// What there is of a turn that broke.
    pub(crate) fn partial(self) -> String {
        let growing = self.growing.map(|(_, text)| text).filter(|text| !text.trim().is_empty());
        growing.or(self.complete).unwrap_or_default()
    }
}

/// A text that is not too long to be kept.
pub(crate) fn bounded(mut text: String) -> String {
    let mut end = text.len().min(SessionConfig::ANSWER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, phase: Option<&str>) -> Item {
        Item {
            id: String::new(),
            kind: "agentMessage".into(),
            text: Some(text.into()),
            phase: phase.map(Into::into),
        }
    }

    #[test]
    fn the_last_message_is_the_answer() {
        let mut answer = AnswerText::default();
        answer.item(message("I look first.", Some("commentary")));
        answer.delta("b", "The ");
        answer.delta("b", "answer");
        answer.item(message("The answer.", None));
        assert_eq!(answer.finish(vec![]), "The answer.");
    }

    #[test]
    fn a_final_answer_is_not_replaced_by_a_remark() {
        let mut answer = AnswerText::default();
        answer.item(message("42", Some("final_answer")));
        answer.item(message("by the way", Some("commentary")));
        assert_eq!(answer.finish(vec![]), "42");
    }

    #[test]
    fn a_broken_turn_keeps_what_was_being_said() {
        let mut answer = AnswerText::default();
        answer.item(message("I look first.", None));
        answer.delta("b", "Half an ans");
        assert_eq!(answer.partial(), "Half an ans");
    }

    #[test]
    fn without_any_notice_the_items_of_the_end_count() {
        assert_eq!(AnswerText::default().finish(vec![message("only here", None)]), "only here");
    }
}
