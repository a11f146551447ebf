//! The keeper of one job: a process of its own that outlives the node's program, so that the job does too.
//!
//! It is the same binary, begun with `job-keeper`, and keeps the job's process group, its output on disk, its time and
//! its end. It knows nothing of gateways, and its own environment is empty.

mod door;
mod group;
mod input;
mod keep;
mod output;
mod signals;
mod start;
pub(crate) mod words;

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

pub(crate) use signals::named;

/// The first argument that makes the program a keeper.
pub const ARGUMENT: &str = "job-keeper";

/// The argument after [`ARGUMENT`] with which a keeper becomes a program under another name.
const BECOME: &str = "become";

/// Keeps the job that standard input orders, in the folder in which it was started, until its end.
///
/// Its one line on standard output says that the job runs, or why not; then nobody needs to listen any more.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2);
    if arguments.next().is_some_and(|word| word == BECOME) {
        return turn_into(arguments.collect());
    }
    // Nothing that is typed where the node's program runs may reach the keeper. It fails only for one who leads already.
    let _ = rustix::process::setsid();
    let mut text = String::new();
    let order = std::io::stdin().take(64 << 20).read_to_string(&mut text).map_err(|error| error.to_string());
    match order.and_then(|_| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(order) => {
            drop(text);
            keep::keep(order)
        }
        Err(error) => {
            eprintln!("no order to keep a job came: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Becomes the first of these, called as the second: what starts a program on a terminal knows one name for both.
fn turn_into(words: Vec<OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let (Some(program), Some(name)) = (words.next(), words.next()) else { return ExitCode::FAILURE };
    let error = Command::new(&program).arg0(name).args(words).exec();
    eprintln!("`{}` cannot be started: {error}", program.display());
    ExitCode::from(127)
}
