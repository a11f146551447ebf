//! What the model says, does and fails at in one turn, step by step.

use std::time::Duration;

use crate::prompt::{count_and_size, in_deltas, long_markdown, numbered_deltas, own_text, words};

/// The steps of one turn. A command ends one answer of the model; its output comes with the next request, and the
/// steps behind it are the next answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One delta of text.
    Text(String),
    /// The output of the last command, as text.
    Output,
    /// A summary of reasoning.
    Think(String),
    /// A wait.
    Pause(Duration),
    /// Waits until the test releases that gate.
    Gate(String),
    /// A command the agent shall run (`exec_command`).
    Run(String),
    /// The same outside of the agent's sandbox, for which the agent asks.
    RunOutside(String),
    /// A tool of the gateway that the agent shall call, with its arguments as JSON.
    Tool(String, String),
    /// The answer goes wrong here.
    Fail(Failure),
}

/// How an answer goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// That HTTP status, if nothing of the answer is out yet; else the connection is cut.
    Status(u16),
    /// The event `response.failed` with that code and message.
    Event {
        /// Such as `server_error`, `rate_limit_exceeded`, `invalid_prompt`.
        code: String,
        /// Words.
        message: String,
    },
    /// The connection is cut.
    Cut,
    /// Nothing more for that long, then the connection is cut.
    Hang(Duration),
}

impl Failure {
    /// The event `response.failed` with the code `server_error`.
    pub fn event(message: &str) -> Self {
        Self::Event { code: "server_error".to_owned(), message: message.to_owned() }
    }
}

impl Step {
    fn is_command(&self) -> bool {
        matches!(self, Self::Run(_) | Self::RunOutside(_) | Self::Tool(..))
    }
}

impl Script {
    /// Without steps: an answer without any text.
    pub fn new() -> Self {
        Self::default()
    }

    /// One delta.
    #[must_use]
    pub fn text(self, delta: &str) -> Self {
        self.step(Step::Text(delta.to_owned()))
    }

    /// A text in deltas of usual size.
    #[must_use]
    pub fn say(mut self, text: &str) -> Self {
        self.steps.extend(in_deltas(text).into_iter().map(Step::Text));
        self
    }

    /// The output of the last command as text.
    #[must_use]
    pub fn output(self) -> Self {
        self.step(Step::Output)
    }

    /// A summary of reasoning.
    #[must_use]
    pub fn think(self, summary: &str) -> Self {
        self.step(Step::Think(summary.to_owned()))
    }

    /// A wait.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Freezes here until [`super::ModelServer::release`] opens that gate.
    #[must_use]
    pub fn gate(self, name: &str) -> Self {
        self.step(Step::Gate(name.to_owned()))
    }

    /// A command for the agent to run.
    #[must_use]
    pub fn run(self, command: &str) -> Self {
        self.step(Step::Run(command.to_owned()))
    }

    /// A command for the agent to run outside of its sandbox, so that it has to ask.
    #[must_use]
    pub fn run_outside(self, command: &str) -> Self {
        self.step(Step::RunOutside(command.to_owned()))
    }

    /// A tool of the gateway for the agent to call.
    #[must_use]
    pub fn tool(self, name: &str, arguments: &serde_json::Value) -> Self {
        self.step(Step::Tool(name.to_owned(), arguments.to_string()))
    }

    /// Goes wrong here.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Self {
        self.step(Step::Fail(failure))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The steps after the `done`th command, up to and with the next one.
    pub(crate) fn answer(&self, done: usize) -> Vec<Step> {
        let mut answers = self.steps.split_inclusive(Step::is_command);
        answers.nth(done).unwrap_or_default().to_vec()
    }

    /// The script that a person's text asks for by its control words, or the echo of it.
    pub(crate) fn read(text: &str) -> Self {
        let (mut before, mut midway) = (Vec::new(), Vec::new());
        let mut answer = None;
        let mut pace = Duration::ZERO;
        for word in words(text) {
            let argument = word.argument;
            match word.name {
                "say" => answer = Some(in_deltas(argument)),
                "long" => answer = Some(in_deltas(&long_markdown(argument.parse().unwrap_or(0)))),
                "deltas" => {
                    let (count, size) = count_and_size(argument);
                    answer = Some(numbered_deltas(count, size));
                }
                "slow" => pace = Duration::from_millis(argument.parse().unwrap_or(0)),
                "think" => before.push(Step::Think(argument.to_owned())),
                "run" => before.push(Step::Run(argument.to_owned())),
                "tool" => {
                    let (name, arguments) = argument.split_once(' ').unwrap_or((argument, "{}"));
                    before.push(Step::Tool(name.to_owned(), arguments.to_owned()));
                }
                "outside" => before.push(Step::RunOutside(argument.to_owned())),
                "hold" => midway.push(Step::Gate(argument.to_owned())),
                "cut" => midway.push(Step::Fail(Failure::Cut)),
                "hang" => midway.push(Step::Fail(Failure::Hang(super::LONGEST_WAIT))),
                "fail" => {
                    let failure = argument.parse().map_or_else(|_| Failure::event(argument), Failure::Status);
                    match failure {
                        Failure::Status(_) => before.insert(0, Step::Fail(failure)),
                        _ => midway.push(Step::Fail(failure)),
                    }
                }
                _ => {}
            }
        }
        let ran = before.iter().any(Step::is_command);
        let said: Vec<Step> = match answer {
            Some(deltas) => deltas.into_iter().map(Step::Text).collect(),
            None if ran => vec![Step::Text("The command printed:\n".to_owned()), Step::Output],
            None => in_deltas(&super::echo(own_text(text))).into_iter().map(Step::Text).collect(),
        };
        let middle = said.len() / 2;
        let mut steps = before;
        for (n, step) in said.into_iter().enumerate() {
            if n == middle {
                steps.append(&mut midway);
            }
            if n > 0 && !pace.is_zero() {
                steps.push(Step::Pause(pace));
            }
            steps.push(step);
        }
        steps.append(&mut midway);
        Self { steps }
    }
}

#[cfg(test)]
mod tests {
    use super::{Script, Step};

    #[test]
    fn an_answer_reaches_up_to_its_command_and_the_next_begins_behind_it() {
        let script = Script::new().think("hm").run("ls").text("ok").run("pwd").output();
        let steps = |script: Script| script.steps;
        assert_eq!(script.answer(0), steps(Script::new().think("hm").run("ls")));
        assert_eq!(script.answer(1), steps(Script::new().text("ok").run("pwd")));
        assert_eq!(script.answer(2), [Step::Output]);
        assert_eq!(script.answer(3), []);
    }

    #[test]
    fn words_in_a_text_make_its_script() {
        let quoted = Script::new().run("echo hi").text("The command printed:\n").output();
        assert_eq!(Script::read("please [run: echo hi]"), quoted);
        assert_eq!(Script::read("[say: abcd] [hold: g]"), Script::new().text("ab").gate("g").text("cd"));
        assert_eq!(Script::read("hello"), Script::new().say("You said: hello"));
    }
}
