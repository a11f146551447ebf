//! What a session is told when a command ends that went on in the background.

use std::fmt::Write as _;

use argus_protocol::SessionId;
use argus_protocol::node::RUNTIME;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Automation;
use super::events::{Event, EventError, Happening, Queue, Source};
use super::nodes::{object, shortened};

/// The end of a stream that is told, in characters.
const TAIL: usize = 4000;
/// Longest command or folder that is told, in characters.
const LONGEST: usize = 2000;

/// A command that ended, as its node tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// The node on which it ran.
    pub node_id: String,
    /// The session that asked for it, where it is known.
    pub session: Option<SessionId>,
    /// Which command it was.
    pub job_id: String,
    /// The command.
    pub argv: Vec<String>,
    /// Where it ran.
    pub cwd: Option<String>,
    /// Its exit code, where it ended by itself.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Whether it took too long.
    pub end: ExitEnd,
    /// The last that it wrote.
    pub stdout_tail: String,
    /// The last of its complaints.
    pub stderr_tail: String,
}

/// Whether a command came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExitEnd {
    /// It did.
    #[default]
    Ended,
    /// It took too long and was ended.
    TimedOut,
    /// It is not known whether: who looked after it is gone.
    Orphaned,
}

impl Automation {
    /// Tells the session whose command it was, once: a runtime's own node speaks for its session alone, any other for the
    /// session that it names, or for the default one.
    pub async fn process_exited(&self, exit: &Exit) -> Result<Event, EventError> {
        let session = match (exit.node_id.strip_prefix(RUNTIME), &exit.session) {
            (Some(own), _) => {
                own.parse().map_err(|error| EventError::Invalid(format!("`{}`: {error}", exit.node_id)))?
            }
            (None, Some(named)) => named.clone(),
            (None, None) => self.0.workers.default_session().await.map_err(EventError::Sessions)?,
        };
        self.happened(&session, Queue::Main, happening(exit), Source::Internal).await
    }
}

fn happening(exit: &Exit) -> Happening {
    let short = |text: &str| shortened(text).unwrap_or_else(|| "?".to_owned());
    let (node, job) = (short(&exit.node_id), short(&exit.job_id));
    let timed_out = exit.end == ExitEnd::TimedOut;
    let command = beginning(&exit.argv.join(" "));
    let cwd = exit.cwd.as_deref().map(beginning).filter(|cwd| !cwd.is_empty());
    let signal = exit.signal.as_deref().and_then(shortened);
    let mut result = Vec::new();
    result.extend(exit.exit_code.map(|code| format!("exitCode={code}")));
    result.extend(signal.as_ref().map(|signal| format!("signal={signal}")));
    result.extend(timed_out.then(|| "timedOut=true".to_owned()));

    let happened = match exit.end {
        ExitEnd::Ended | ExitEnd::TimedOut => "A command in the background has ended.",
        ExitEnd::Orphaned => {
            "A command in the background was lost sight of: its machine or what looked after it was stopped. Whether it \
             came to its end is not known, and nothing looks after it any more."
        }
    };
    let mut text = format!("{happened}\njobId: {job}");
    let mut tell = |name: &str, value: &str| _ = write!(text, "\n{name}: {value}");
    if !command.is_empty() {
        tell("command", &command);
    }
    if let Some(cwd) = &cwd {
        tell("cwd", cwd);
    }
    if !result.is_empty() {
        tell("result", &result.join(" "));
    }
    for (name, tail) in [("stdout", &exit.stdout_tail), ("stderr", &exit.stderr_tail)] {
        let tail = end(tail.trim_end());
        if !tail.trim().is_empty() {
            _ = write!(text, "\n{name} (tail):\n{tail}");
        }
    }
    text.push_str("\nprocess.logs with this jobId shows all that it wrote.");
    let meta = json!({
        "nodeId": node, "jobId": job, "argv": arguments(&exit.argv), "cwd": cwd, "exitCode": exit.exit_code,
        "signal": signal, "timedOut": timed_out, "orphaned": exit.end == ExitEnd::Orphaned,
    });
    Happening { kind: "process".to_owned(), text, meta: object(meta), key: Some(key(exit)), subject: None }
}

/// Names the end of that command; where its names are long, by their hash.
fn key(exit: &Exit) -> String {
    let name = format!("{}:{}", exit.node_id, exit.job_id);
    if name.len() <= 200 {
        return format!("exit:{name}");
    }
    format!("exit:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(name)))
}

/// The arguments as far as they have room.
fn arguments(argv: &[String]) -> Vec<String> {
    let mut room = LONGEST;
    let mut told = Vec::new();
    for argument in argv {
        let length = argument.chars().count() + 1;
        if length > room {
            told.push("…".to_owned());
            break;
        }
        room -= length;
        told.push(argument.clone());
    }
    told
}

fn beginning(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn end(text: &str) -> &str {
    let over = text.chars().count().saturating_sub(TAIL);
    text.char_indices().nth(over).map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_is_told_with_what_is_known_of_it() {
        let exit = Exit {
            node_id: "runtime:s1".into(),
            session: None,
            job_id: "j-1".into(),
            argv: vec!["make".into(), "all\nnow".into()],
            cwd: Some("/root".into()),
            exit_code: Some(2),
            signal: Some("SIGKILL".into()),
            end: ExitEnd::TimedOut,
            stdout_tail: "built\n".into(),
            stderr_tail: "no rule\n".into(),
        };
        let text = "A command in the background has ended.\njobId: j-1\ncommand: make all now\ncwd: /root\n\
                    result: exitCode=2 signal=SIGKILL timedOut=true\nstdout (tail):\nbuilt\nstderr (tail):\nno rule\n\
                    process.logs with this jobId shows all that it wrote.";
        let meta = json!({
            "nodeId": "runtime:s1", "jobId": "j-1", "argv": ["make", "all\nnow"], "cwd": "/root", "exitCode": 2,
            "signal": "SIGKILL", "timedOut": true, "orphaned": false,
        });
        let expected = Happening {
            kind: "process".into(),
            text: text.into(),
            meta: object(meta),
            key: Some("exit:runtime:s1:j-1".into()),
            subject: None,
        };
        assert_eq!(happening(&exit), expected);
        let bare = Exit { job_id: "j-1".into(), node_id: "n".into(), exit_code: Some(0), ..Exit::default() };
        let text = "A command in the background has ended.\njobId: j-1\nresult: exitCode=0\n\
                    process.logs with this jobId shows all that it wrote.";
        assert_eq!(happening(&bare).text, text);
    }

    #[test]
    fn however_long_a_command_and_what_it_wrote_there_is_room_for_its_end() {
        let long = "\u{1}ä".repeat(20_000);
        let exit = Exit {
            node_id: long.clone(),
            job_id: long.clone(),
            argv: vec!["x".into(), long.clone()],
            cwd: Some(long.clone()),
            signal: Some(long.clone()),
            stdout_tail: long.clone(),
            stderr_tail: format!("{long}end"),
            ..Exit::default()
        };
        let told = happening(&exit);
        assert_eq!(super::super::events::checked(told.clone()).unwrap(), told);
        assert!(told.text.contains("äend\nprocess.logs"), "the end of it is told");
        assert_eq!(told.meta.unwrap()["argv"], json!(["x", "…"]));
    }
}
