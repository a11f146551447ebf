//! The ends of jobs that somebody is yet to be told of.

use std::io;

use argus_protocol::node::{Exited, Fault};
use tokio::sync::watch;

use super::Jobs;
use super::meta::Notify;

/// How many ends are told at once.
const AT_ONCE: usize = 64;

/// The bytes of a command line at which the rest of it is left out.
const LINE: usize = 8 << 10;

impl Jobs {
    /// The ends that nobody was told of, the oldest first, 64 at most. The node's id is left to who tells them.
    pub fn untold(&self) -> Vec<Exited> {
        let ids = self.index().untold(AT_ONCE);
        ids.iter().filter_map(|id| self.exited(id)).collect()
    }

    fn exited(&self, id: &str) -> Option<Exited> {
        let meta = match self.meta(id) {
            Ok(meta) => meta,
            Err(Fault { message, .. }) => {
                tracing::error!(job = id, "a job's end cannot be told: {message}");
                return None;
            }
        };
        // That it ended is told also where what it wrote is lost.
        let tails = self.tails(id);
        let (stdout_tail, stderr_tail) = tails.unwrap_or_else(|fault| (String::new(), fault.message));
        Some(Exited {
            node_id: None,
            session_id: meta.session_id,
            ticket: meta.ticket,
            job_id: meta.job_id,
            argv: shortened(meta.argv),
            cwd: Some(meta.cwd),
            exit_code: meta.exit_code,
            signal: meta.signal,
            timed_out: meta.timed_out,
            orphaned: meta.orphaned,
            started_at_ms: meta.started_at_ms,
            ended_at_ms: meta.ended_at_ms,
            stdout_tail,
            stderr_tail,
        })
    }

    /// Changes whenever an end may have come to be told.
    pub fn ended(&self) -> watch::Receiver<u64> {
        self.0.ended.subscribe()
    }

    /// The end of that job was heard: it is not told again, also not by a program that is started later once this is
    /// on disk, which it is a moment after.
    pub fn told(&self, job_id: &str) {
        // Only of a job that ended: nobody can have heard the end of one that runs.
        if !self.has_ended(job_id) {
            return;
        }
        self.index().told(job_id);
        let (jobs, id) = (self.clone(), job_id.to_owned());
        let noting = move || {
            match jobs.store().change(&id, |meta| meta.told = Some(true)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::error!(%error, job = id, "that a job's end was told cannot be noted");
                }
                // Where it is forgotten already there is nothing to note.
                _ => {}
            }
            jobs.prune();
        };
        // A disk is slower than a link. Should this be lost with the program, the end is told once more.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(self.0.tasks.spawn_blocking_on(noting, &runtime)),
            Err(_) => noting(),
        }
    }

    /// The result of that call was heard, and with it the end of the job that it told of.
    pub fn result_delivered(&self, call_id: &str) {
        let Some(job_id) = self.index().take_back(call_id) else { return };
        match self.store().read(&job_id).map(|meta| meta.notify_on_exit_mode) {
            Ok(Notify::Always) | Err(_) => self.something_ended(),
            Ok(Notify::Auto | Notify::Never) => self.told(&job_id),
        }
    }

    /// The result of that call will never be heard: the end that it told of is told like any other.
    pub fn result_given_up(&self, call_id: &str) {
        if self.index().take_back(call_id).is_some() {
            self.something_ended();
        }
    }
}

/// A command line that fits into a frame, and before a reader.
fn shortened(argv: Vec<String>) -> Vec<String> {
    let (mut room, mut kept) = (LINE, Vec::new());
    for word in argv {
        if word.len() > room {
            kept.push(format!("{}…", &word[..word.floor_char_boundary(room)]));
            break;
        }
        room -= word.len();
        kept.push(word);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shortened_between_characters() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(shortened(words(&["ls", "-l"])), words(&["ls", "-l"]));
        let long = "ß".repeat(LINE);
        let expected = format!("{}…", "ß".repeat(LINE / 2 - 1));
        assert_eq!(shortened(words(&["ls", &long, "more"])), words(&["ls", &expected]));
    }
}
