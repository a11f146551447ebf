//! The ends of jobs: told when there is a link, and again until they are acknowledged.

use std::collections::HashMap;
use std::time::Duration;

use argus_protocol::node::{Exited, FromNode, PART_BYTES};
use tokio::time::Instant;

use super::Machine;
use super::outbox::{Bulk, Outbox};

/// How much of a command line is told where it is too long.
const LONGEST_COMMAND: usize = 16 << 10;

/// Which ends were told on this connection, and when to look for more.
#[derive(Debug, Default)]
pub(super) struct Exits {
    told: HashMap<String, Instant>,
    look_at: Option<Instant>,
}

impl Exits {
    /// There is another connection, on which nothing was told yet.
    pub(super) fn again(&mut self) {
        self.told.clear();
        self.stirred();
    }

    /// There may be more to tell.
    pub(super) fn stirred(&mut self) {
        self.look_at = Some(Instant::now());
    }

    /// When to look.
    pub(super) async fn due(&self) {
        match self.look_at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Tells what is to be told and was not told just now.
    pub(super) async fn tell(
        &mut self,
        machine: &dyn Machine,
        outbox: &mut Outbox,
        node_id: &str,
        again: Duration,
    ) {
        let untold = machine.untold().await;
        let now = Instant::now();
        self.told.retain(|job, _| untold.iter().any(|exited| exited.job_id == *job));
        self.look_at = (!untold.is_empty()).then(|| now + again);
        for exited in untold {
            let recent = self.told.get(&exited.job_id).is_some_and(|at| now - *at < again);
            if recent {
                continue;
            }
            if !outbox.has_room() {
                self.look_at = Some(now + again.min(Duration::from_secs(1)));
                return;
            }
            self.told.insert(exited.job_id.clone(), now);
            let job_id = exited.job_id.clone();
            let exited = Exited { node_id: Some(node_id.to_owned()), ..exited };
            outbox.push(&job_id, frame(exited).into(), Bulk::Own);
        }
    }

    /// The gateway has the end of a job. When it has all that were told, there may be more.
    pub(super) fn acked(&mut self, job_id: &str) {
        if self.told.remove(job_id).is_some() && self.told.is_empty() {
            self.stirred();
        }
    }
}

/// The frame; only results go in parts, so of a long command line no more is told than fits.
fn frame(exited: Exited) -> String {
    let text = FromNode::Exited(Box::new(exited.clone())).write();
    if text.len() <= PART_BYTES {
        return text;
    }
    let mut room = LONGEST_COMMAND;
    let mut argv = Vec::new();
    for word in &exited.argv {
        if room < word.len() + 16 {
            argv.push("…".to_owned());
            break;
        }
        room -= word.len() + 16;
        argv.push(word.clone());
    }
    FromNode::Exited(Box::new(Exited { argv, ..exited })).write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_command_line_no_more_is_told_than_fits_a_frame() {
        let tail = "\u{1}".repeat(4000);
        let argv: Vec<String> = (0..400_000).map(|n| format!("{n}")).collect();
        let short =
            Exited { job_id: "j".into(), stdout_tail: tail.clone(), stderr_tail: tail, ..Exited::default() };
        let read = |text: &str| match FromNode::read(text) {
            Ok(FromNode::Exited(exited)) => *exited,
            other => panic!("{other:?}"),
        };
        assert_eq!(read(&frame(short.clone())), short);
        let text = frame(Exited { argv: argv.clone(), ..short.clone() });
        let told = read(&text);
        assert!(text.len() <= PART_BYTES, "{}", text.len());
        assert_eq!((told.argv[0].as_str(), told.argv.last().map(String::as_str)), ("0", Some("…")));
        assert_eq!(told, Exited { argv: told.argv.clone(), ..short });
        let text = frame(Exited { argv: vec!["\u{1}".repeat(1 << 20)], ..Exited::default() });
        assert_eq!(read(&text).argv, ["…"]);
    }
}
