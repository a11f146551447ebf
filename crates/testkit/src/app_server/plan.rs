//! Reads from a turn's text what the scripted agent shall do in it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::prompt::{count_and_size, in_deltas, numbered_deltas, own_text, words};

/// What one input makes the agent do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// A command to be approved before the answer.
    pub(crate) approve: Option<String>,
    /// A file to be approved before the answer.
    pub(crate) change: Option<String>,
    /// A request to the client before the answer; the answer then says what came back.
    pub(crate) ask: Option<Ask>,
    /// The answer, as it is streamed.
    pub(crate) answer: Answer,
    /// The wait between two deltas.
    pub(crate) pace: Duration,
    /// What happens when half of the deltas are out.
    pub(crate) midway: Vec<Event>,
    /// Bytes put into `turn/completed` besides.
    pub(crate) padding: usize,
    /// When the request that started the turn is answered.
    pub(crate) reply: Reply,
}

/// A request to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) method: String,
    /// Members beside those that every request has.
    pub(crate) params: Map<String, Value>,
}

/// When `turn/start` is answered. The real agent's notifications may overtake its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Before any notification of the turn.
    First,
    /// After `turn/started`.
    AfterStart,
    /// After `turn/completed`.
    AfterEnd,
}

/// The text that an answer consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// That text.
    Text(String),
    /// So many deltas of so many characters.
    Deltas { count: usize, size: usize },
    /// The ids of the thread and the turn.
    Ids,
}

/// What can happen in the middle of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Waits until that file exists.
    Hold(PathBuf),
    /// The process ends at once with that code.
    Die(i32),
    /// A line that is no JSON.
    Garbage,
    /// A notification of at least that many bytes.
    Big(usize),
    /// A line on stderr.
    Stderr(String),
    /// An `error` notification that promises another try.
    Retry(String),
    /// The turn fails with that message.
    Fail(String),
    /// Nothing more comes, until somebody interrupts.
    Hang,
    /// Nothing more comes, interrupted or not.
    HangHard,
}

impl Plan {
    pub(crate) fn read(text: &str) -> Self {
        let mut plan = Self {
            approve: None,
            change: None,
            ask: None,
            answer: Answer::Text(echo(text)),
            pace: Duration::ZERO,
            midway: Vec::new(),
            padding: 0,
            reply: Reply::First,
        };
        for word in words(text) {
            let argument = word.argument;
            let number = argument.parse().unwrap_or(0);
            let event = match word.name {
                "say" => {
                    plan.answer = Answer::Text(argument.to_owned());
                    continue;
                }
                "long" => {
                    plan.answer = Answer::Text(crate::prompt::long_markdown(number));
                    continue;
                }
                "deltas" => {
                    let (count, size) = count_and_size(argument);
                    plan.answer = Answer::Deltas { count, size };
                    continue;
                }
                "ids" => {
                    plan.answer = Answer::Ids;
                    continue;
                }
                "slow" => {
                    plan.pace = Duration::from_millis(argument.parse().unwrap_or(0));
                    continue;
                }
                "approve" => {
                    plan.approve =
                        Some(if argument.is_empty() { "touch approved" } else { argument }.to_owned());
                    continue;
                }
                "change" => {
                    plan.change = Some(argument.to_owned());
                    continue;
                }
                "ask" => {
                    let (method, params) = argument.split_once(' ').unwrap_or((argument, "{}"));
                    let params = serde_json::from_str(params).unwrap_or_default();
                    plan.ask = Some(Ask { method: method.to_owned(), params });
                    continue;
                }
                "early" => {
                    plan.reply = Reply::AfterStart;
                    continue;
                }
                "late" => {
                    plan.reply = Reply::AfterEnd;
                    continue;
                }
                "big completed" => {
                    plan.padding = number;
                    continue;
                }
                "hold" => Event::Hold(argument.into()),
                "die" => Event::Die(argument.parse().unwrap_or(1)),
                "garbage" => Event::Garbage,
                "big" => Event::Big(number),
                "stderr" => Event::Stderr(argument.to_owned()),
                "retry" => Event::Retry(argument.to_owned()),
                "fail" => Event::Fail(argument.to_owned()),
                "hang" => Event::Hang,
                "hang hard" => Event::HangHard,
                _ => continue,
            };
            plan.midway.push(event);
        }
        plan
    }

    /// The answer in its deltas.
    pub(crate) fn deltas(&self, thread: &str, turn: &str) -> Vec<String> {
        match &self.answer {
            Answer::Deltas { count, size } => numbered_deltas(*count, *size),
            Answer::Text(text) => in_deltas(text),
            Answer::Ids => in_deltas(&format!("thread={thread} turn={turn}")),
        }
    }
}

/// The text of an input: its text parts, one below the other.
pub(crate) fn input_text(input: &[Value]) -> String {
    let texts = input.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
    texts.collect::<Vec<_>>().join("\n")
}

/// What an answer without control words says.
pub fn echo(text: &str) -> String {
    format!("echo: {}", own_text(text))
}
