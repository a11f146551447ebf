//! Runs commands one after the other as named steps, and remembers which failed.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::tally::Tally;

/// The steps of one run. A failed one does not keep the next from running: one run tells everything.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: usize,
    failed: Vec<String>,
}

impl Steps {
    /// Runs a command with its output shown as it comes; whether it succeeded.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> bool {
        let started = announce(name, command);
        let succeeded = command.status().map(|status| status.success());
        self.close(name, started, succeeded)
    }

    /// Runs a test runner with its output shown as it comes; what it says about itself, `None` when it says nothing.
    pub(crate) fn run_tests(&mut self, name: &str, command: &mut Command) -> Option<Tally> {
        let started = announce(name, command);
        let mut tally = None;
        let succeeded = watch(command, &mut tally);
        self.close(name, started, succeeded);
        tally
    }

    /// The closing line; `Err` holds it when a step failed.
    pub(crate) fn summary(&self) -> Result<String, String> {
        if self.failed.is_empty() {
            Ok(format!("steps: {} of {} passed", self.done, self.done))
        } else {
            Err(format!("steps: {} of {} failed ({})", self.failed.len(), self.done, self.failed.join(", ")))
        }
    }

    fn close(&mut self, name: &str, started: Instant, succeeded: io::Result<bool>) -> bool {
        self.done += 1;
        let took = started.elapsed().as_secs_f64();
        match succeeded {
            Ok(true) => {
                println!("── {name}: passed ({took:.1} s)");
                return true;
            }
            Ok(false) => println!("── {name}: FAILED ({took:.1} s)"),
            Err(error) => println!("── {name}: FAILED, it cannot be started: {error}"),
        }
        self.failed.push(name.to_owned());
        false
    }
}

fn announce(name: &str, command: &Command) -> Instant {
    let arguments = command.get_args().map(|argument| shortened(&argument.to_string_lossy()));
    let program =
        std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let words = std::iter::once(program.into_owned()).chain(arguments);
    println!("── {name}: {}", words.collect::<Vec<_>>().join(" "));
    Instant::now()
}

/// An argument may be a whole program.
fn shortened(argument: &str) -> String {
    match argument.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &argument[..end]),
        None => argument.to_owned(),
    }
}

/// Passes both outputs on line by line, through one pipe so that their order stays, and picks up the tallies.
fn watch(command: &mut Command, tally: &mut Option<Tally>) -> io::Result<bool> {
    let (output, input) = io::pipe()?;
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input).spawn()?;
    // The command keeps its own ends of the pipe open; without them the end of the output is seen.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = mpsc::sync_channel(1024);
    thread::spawn(move || read_lines(output, &sender));
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => {
                let line = String::from_utf8_lossy(&line);
                // A macro, because libtest keeps what macros print to itself: our own tests must not be counted.
                print!("{line}");
                if let Some(more) = Tally::read(&line) {
                    *tally.get_or_insert_default() += more;
                }
            }
            // Something that a test left running may hold the pipe open long after the runner has ended.
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_none() => {}
            Err(_) => return Ok(child.wait()?.success()),
        }
    }
}

/// Ends with the output, or when nobody takes the lines any more.
fn read_lines(output: io::PipeReader, sender: &mpsc::SyncSender<Vec<u8>>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        if sender.send(std::mem::take(&mut line)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Steps;
    use crate::tally::Tally;

    #[test]
    fn what_a_test_left_running_does_not_hold_up_the_end() {
        let mut runner = Command::new("sh");
        runner.args(["-c", "sleep 200 & echo 'test result: ok. 1 passed'"]);
        assert_eq!(
            Steps::default().run_tests("tests", &mut runner),
            Some(Tally { passed: 1, ..Tally::default() })
        );
    }

    #[test]
    fn a_failed_step_is_named_at_the_end_and_the_next_one_runs() {
        let mut steps = Steps::default();
        assert!(!steps.run("first", &mut Command::new("false")));
        assert!(steps.run("second", &mut Command::new("true")));
        assert!(!steps.run("third", &mut Command::new("/nowhere/at/all")));
        assert_eq!(steps.summary(), Err("steps: 2 of 3 failed (first, third)".to_owned()));
    }

    #[test]
    fn what_a_test_runner_says_about_itself_is_added_up() {
        let mut steps = Steps::default();
        let mut runner = Command::new("sh");
        let line = "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured";
        runner.args(["-c", &format!("echo '{line}'; echo '{line}' >&2; echo other")]);
        assert_eq!(steps.run_tests("tests", &mut runner), Some(Tally { passed: 4, failed: 0, skipped: 2 }));
        assert_eq!(steps.run_tests("nothing", &mut Command::new("true")), None);
        assert_eq!(steps.summary(), Ok("steps: 2 of 2 passed".to_owned()));
    }
}
