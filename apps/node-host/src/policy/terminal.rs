//! Asks at the terminal in which the node runs.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::ask::{Asks, Reply};
use super::file::AskBy;
use super::question::Question;

/// How soon a question that is over is noticed.
const LOOK: Duration = Duration::from_millis(200);
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1024;
/// How often a person may answer neither yes nor no.
const TRIES: usize = 3;

/// A terminal: questions come one after the other.
#[derive(Debug)]
pub struct Terminal {
    reads: Arc<OwnedFd>,
    writes: Arc<OwnedFd>,
    one_at_a_time: Arc<Mutex<()>>,
}

impl Terminal {
    /// That of this process; none where standard input or standard error is no terminal.
    pub fn of_process() -> Option<Self> {
        let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
        if !stdin.is_terminal() || !stderr.is_terminal() {
            return None;
        }
        Self::on(stdin.as_fd().try_clone_to_owned().ok()?, stderr.as_fd().try_clone_to_owned().ok()?)
    }

    /// These two, if both are terminals.
    pub fn on(reads: OwnedFd, writes: OwnedFd) -> Option<Self> {
        let both = reads.is_terminal() && writes.is_terminal();
        let [reads, writes] = [reads, writes].map(Arc::new);
        both.then(|| Self { reads, writes, one_at_a_time: Arc::default() })
    }
}

#[async_trait]
impl Asks for Terminal {
    fn place(&self) -> AskBy {
        AskBy::Terminal
    }

    async fn put(&self, question: Arc<Question>, over: CancellationToken) -> Reply {
        let nobody = || Reply::Nobody("the terminal does not answer".into());
        let turn = tokio::select! {
            turn = Arc::clone(&self.one_at_a_time).lock_owned() => turn,
            () = over.cancelled() => return nobody(),
        };
        let (reads, writes) = (Arc::clone(&self.reads), Arc::clone(&self.writes));
        let asked = tokio::task::spawn_blocking(move || {
            // Kept until the terminal is free again, even if nobody waits for this task.
            let _turn = turn;
            ask(reads.as_fd(), &writes, &question, &over)
        });
        asked.await.ok().and_then(Result::ok).unwrap_or_else(nobody)
    }
}

fn ask(
    reads: BorrowedFd,
    writes: &OwnedFd,
    question: &Question,
    over: &CancellationToken,
) -> std::io::Result<Reply> {
    if !is_in_front(reads) {
        return Ok(Reply::Nobody("the node runs in the background of its terminal".into()));
    }
    let mut screen = std::fs::File::from(writes.try_clone()?);
    // What was typed before the question is no answer to it.
    rustix::termios::tcflush(reads, rustix::termios::QueueSelector::IFlush)?;
    screen.write_all(words(question).as_bytes())?;
    for _ in 0..TRIES {
        screen.write_all(b"let it? [y/N] ")?;
        let Some(line) = line(reads, over)? else {
            screen.write_all(b"\n(over: answered elsewhere, too late, or not needed any more)\n")?;
            return Ok(Reply::Nobody("it is over".into()));
        };
        let by = || "at the terminal".to_owned();
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Reply::Yes(by())),
            "" | "n" | "no" => return Ok(Reply::No(by())),
            _ => screen.write_all(b"`y` or `n`, please; ")?,
        }
    }
    Ok(Reply::No("at the terminal: no answer was understood".into()))
}

fn words(question: &Question) -> String {
    let who =
        question.session_id.as_deref().map_or_else(|| "the operator".into(), |id| format!("session {id}"));
    let mut words = format!("\n--- {who} asks for {} ---\n", question.command);
    for line in question.what.lines() {
        let _ = writeln!(words, "  {line}");
    }
    if let Some(cwd) = &question.cwd {
        let _ = writeln!(words, "  in {cwd}");
    }
    words
}

/// Whether this process may read from its terminal; in the background it would be stopped for it.
fn is_in_front(terminal: BorrowedFd) -> bool {
    // One that is not this process's own knows no background.
    rustix::termios::tcgetpgrp(terminal).map_or(true, |front| front == rustix::process::getpgrp())
}

/// A line that somebody types. None: it is over first, or the terminal is closed.
fn line(reads: BorrowedFd, over: &CancellationToken) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let look = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
    while !over.is_cancelled() {
        let mut looked_at = [PollFd::new(&reads, PollFlags::IN)];
        match poll(&mut looked_at, Some(&look)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) if !is_in_front(reads) => {
                // Somebody else's keys.
                std::thread::sleep(LOOK);
                continue;
            }
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut piece = [0; 256];
        let count = rustix::io::read(reads, &mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        line.extend_from_slice(&piece[..count]);
        if line.contains(&b'\n') || line.len() > LONGEST_ANSWER {
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
    }
    Ok(None)
}
