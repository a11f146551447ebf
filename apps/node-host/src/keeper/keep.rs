//! Keeps one job from its start to its end.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::door::Door;
use super::group::{Ending, Group};
use super::input::STACK;
use super::start::{Started, start};
use super::words::{Cause, Exit, Order, Report, file, now_ms};

/// How often it is looked whether a job wrote too much.
const LOOK: Duration = Duration::from_millis(200);

/// How long a job may take to end when it is told to.
const TERM: Duration = Duration::from_millis(1500);

/// What a job hears when it is to end. One that is stopped would not hear it without the last.
const FAREWELL: [Signal; 2] = [Signal::TERM, Signal::CONT];

/// What one on a terminal hears: shells there pass the first on to all that they began, and do not mind the second.
const TERMINAL_FAREWELL: [Signal; 3] = [Signal::HUP, Signal::TERM, Signal::CONT];

/// What happens to a job.
#[derive(Debug)]
pub(crate) enum Event {
    /// Its leader has ended.
    Ended(Ending),
    /// Somebody wants it ended.
    Kill,
}

/// The file that becomes the job's end.
const MAKING: &str = "exit.json.new";

/// Bytes that are kept free on disk for that; spaces behind it mean nothing.
const END: usize = 1024;

/// Keeps the job of that order.
pub(crate) fn keep(mut order: Order) -> ExitCode {
    if let Err(error) = make_room() {
        return never_began(&format!("there is no room on disk for how the job ends: {error}"));
    }
    let Started { group, pen, terminal, copying } = match start(&mut order) {
        Ok(started) => started,
        Err(words) => return never_began(&words),
    };
    let (group, started_at_ms) = (Arc::new(group), now_ms());
    let (timeout, limit) = (order.timeout_ms.map(Duration::from_millis), order.output_limit);
    // Its environment may hold what should not stay in memory for as long as a job may last.
    drop(order);

    let (events, happened) = sync_channel(4);
    let (waited, ended) = (Arc::clone(&group), events.clone());
    let waiting = move || {
        let _ = ended.send(Event::Ended(waited.wait()));
    };
    let farewell: &[Signal] = if terminal.is_some() { &TERMINAL_FAREWELL } else { &FAREWELL };
    let terminal = terminal.map(Mutex::new);
    let door = Door { group: Arc::clone(&group), started_at_ms, pen, terminal, events };
    let ready = std::thread::Builder::new().stack_size(STACK).spawn(waiting).and_then(|_| door.open());
    if let Err(error) = ready {
        let _ = group.send(Signal::KILL);
        return never_began(&format!("the job cannot be kept: {error}"));
    }
    report(&Report::Running { pid: group.pid(), started_at_ms });

    // A time that no clock can reach is none.
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut watch = Watch { group: &group, farewell, until, limit, ending: None };
    let (code, signal) = watch.until_ended(&happened);
    if let Some(copying) = copying {
        copying.finish();
    }
    let ending = watch.ending;
    group.bury();
    put_down(&Exit {
        pid: Some(group.pid()),
        code,
        signal,
        cause: ending.map(|(cause, _)| cause),
        started_at_ms: Some(started_at_ms),
        ended_at_ms: now_ms(),
    });
    // Whoever the job left behind goes on, unless the job was to be ended.
    if let Some((_, begun)) = ending {
        group.finish(begun + TERM);
    }
    ExitCode::SUCCESS
}

struct Watch<'a> {
    group: &'a Group,
    farewell: &'a [Signal],
    until: Option<Instant>,
    limit: u64,
    ending: Option<(Cause, Instant)>,
}

impl Watch<'_> {
    fn until_ended(&mut self, happened: &Receiver<Event>) -> Ending {
        loop {
            match happened.recv_timeout(self.pause()) {
                Ok(Event::Ended(ending)) => return ending,
                Ok(Event::Kill) => self.end(Cause::Killed),
                Err(RecvTimeoutError::Timeout) => {}
                // The one who waits for the leader never goes without a word.
                Err(RecvTimeoutError::Disconnected) => return (None, None),
            }
            if self.until.is_some_and(|until| Instant::now() >= until) {
                self.end(Cause::Timeout);
            } else if written() > self.limit {
                self.end(Cause::OutputLimit);
            }
            self.insist();
        }
    }

    /// How long nothing has to be looked at.
    fn pause(&self) -> Duration {
        let next = self.ending.map(|(_, begun)| begun + TERM).or(self.until);
        let left = next.and_then(|next| next.checked_duration_since(Instant::now()));
        left.map_or(LOOK, |left| left.min(LOOK))
    }

    fn end(&mut self, cause: Cause) {
        if self.ending.is_none() {
            self.ending = Some((cause, Instant::now()));
            for signal in self.farewell {
                let _ = self.group.send(*signal);
            }
        }
    }

    fn insist(&self) {
        if self.ending.is_some_and(|(_, begun)| begun.elapsed() >= TERM) {
            let _ = self.group.send(Signal::KILL);
        }
    }
}

/// Bytes that the job wrote.
fn written() -> u64 {
    let size = |name| std::fs::metadata(name).map_or(0, |found| found.len());
    size(file::STDOUT) + size(file::STDERR)
}

fn never_began(words: &str) -> ExitCode {
    // Should nobody hear the report, this tells whoever looks for the job later, as a shell would.
    let told = OpenOptions::new().create(true).append(true).mode(0o600).open(file::STDERR);
    let _ = told.and_then(|mut log| writeln!(log, "{words}"));
    let exit = Exit { code: Some(127), ended_at_ms: now_ms(), ..Exit::default() };
    if let Err(error) = replace(&serde_json::to_vec(&exit).unwrap_or_default()) {
        eprintln!("that the job never began cannot be put on disk: {error}");
    }
    report(&Report::Failed(words.to_owned()));
    ExitCode::FAILURE
}

/// Says it to whoever started the keeper, who may be gone.
fn report(report: &Report) {
    let line = serde_json::to_string(report).unwrap_or_default();
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Makes room on disk for the job's end, so that a disk that is full by then does not lose it.
fn make_room() -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(MAKING)?;
    file.write_all(&[b' '; END])
}

/// Puts the job's end on disk, whole or not at all; a disk that does not take it is tried again for a while.
fn put_down(exit: &Exit) {
    let text = serde_json::to_vec(exit).unwrap_or_default();
    for _ in 0..60 {
        match replace(&text) {
            Ok(()) => return,
            // The job's folder is gone, and with it whoever would read its end.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => eprintln!("the job's end cannot be put on disk: {error}"),
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn replace(text: &[u8]) -> io::Result<()> {
    // In the room that was made for it.
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(MAKING)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(MAKING, file::EXIT)
}
