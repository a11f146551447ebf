//! What a request to the model is about: the last words of the person, and what commands have printed since.

use serde_json::Value;

/// The part of a conversation that decides the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The last user text that a person wrote; what the agent adds in the user's name is passed over.
    pub(crate) text: String,
    /// The outputs of the commands that were run since, in order.
    pub(crate) outputs: Vec<String>,
}

impl Asked {
    pub(crate) fn read(body: &Value) -> Self {
        let mut asked = Self::default();
        for item in body["input"].as_array().into_iter().flatten() {
            if item["role"] == "user" {
                let text = text_of(&item["content"]);
                if !is_added_by_the_agent(&text) {
                    asked = Self { text, outputs: Vec::new() };
                }
            } else if item["type"] == "function_call_output" {
                asked.outputs.push(printed(&text_of(&item["output"])));
            }
        }
        asked
    }
}

/// The text of a content, which is a string or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// Whether a user message is one of those that codex writes itself, such as `<environment_context>`.
fn is_added_by_the_agent(text: &str) -> bool {
    ["<environment_context>", "<turn_aborted>", "<user_instructions>", "# AGENTS.md instructions"]
        .iter()
        .any(|begin| text.trim_start().starts_with(begin))
}

/// What a command printed, out of the report that codex makes of it.
fn printed(report: &str) -> String {
    report.split_once("\nOutput:\n").map_or(report, |(_, output)| output).to_owned()
}
