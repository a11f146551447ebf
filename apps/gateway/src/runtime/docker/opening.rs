//! Waits for the bridge in a container: for its own word that it listens, not for some time to pass.

use std::net::{IpAddr, SocketAddr};

use argus_protocol::bridge::{Given, LISTENING};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::net::TcpStream;

use super::engine::Output;
use super::spec::PORT;
use crate::runtime::link::{DialError, Fate, Greeting, OnStop, greet};
use crate::runtime::provision::Reached;

/// How much of a container's output is kept for the words about its end, in bytes.
const TAIL: usize = 4096;

/// How the bridge of a container is called.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) address: IpAddr,
    pub(super) secret: &'a str,
    pub(super) gateway: &'a str,
    pub(super) given: Option<Given>,
    pub(super) fate: Fate,
}

/// How a call went.
#[derive(Debug)]
pub(super) enum Called {
    /// The bridge answered.
    Reached(Box<Reached>),
    /// Nobody answered there, or who did went away.
    Nobody,
}

impl Call<'_> {
    /// Calls once.
    pub(super) async fn once(&self) -> Result<Called, DialError> {
        let address = SocketAddr::new(self.address, PORT);
        let Ok(stream) = TcpStream::connect(address).await else { return Ok(Called::Nobody) };
        // It fails where the other end is gone, which is noticed soon enough.
        _ = stream.set_nodelay(true);
        let greeting = Greeting { secret: self.secret, gateway: self.gateway, given: self.given.clone() };
        match greet(stream, greeting, self.fate.clone(), OnStop::Tell).await {
            Ok(reached) => Ok(Called::Reached(Box::new(reached))),
            Err(DialError::Broken(_)) => Ok(Called::Nobody),
            Err(error) => Err(error),
        }
    }

    /// Calls whenever the container's output says that a bridge listens; the output's last part when it ends before
    /// one answered.
    pub(super) async fn when_listening(
        &self,
        mut output: Output,
    ) -> Result<Result<Box<Reached>, String>, DialError> {
        let (mut tail, mut fate) = (Tail::default(), self.fate.clone());
        loop {
            let part = tokio::select! {
                part = output.next() => part,
                // The output of a container that ended before it was listened to has no end.
                _ = fate.known() => None,
            };
            let Some(part) = part else { break };
            if tail.push(&part) == Heard::Listening
                && let Called::Reached(reached) = self.once().await?
            {
                return Ok(Ok(reached));
            }
        }
        Ok(Err(tail.words()))
    }
}

/// The last part of an output that ends.
pub(super) async fn last_words(mut output: Output) -> String {
    let mut tail = Tail::default();
    while let Some(part) = output.next().await {
        tail.push(&part);
    }
    tail.words()
}

/// The end of an output, in which the bridge's word is looked for.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    /// What is before this was looked at.
    seen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Listening,
    Something,
}

impl Tail {
    /// Adds a part; whether a whole line in it says that a bridge listens.
    fn push(&mut self, part: &Bytes) -> Heard {
        self.bytes.extend_from_slice(part);
        let mut heard = Heard::Something;
        while let Some(length) = self.bytes[self.seen..].iter().position(|byte| *byte == b'\n') {
            let line = &self.bytes[self.seen..self.seen + length];
            if line.starts_with(LISTENING.as_bytes()) {
                heard = Heard::Listening;
            }
            self.seen += length + 1;
        }
        if self.bytes.len() > 2 * TAIL {
            let cut = self.bytes.len() - TAIL;
            self.bytes.drain(..cut);
            self.seen = self.seen.saturating_sub(cut);
        }
        heard
    }

    /// The last lines, on one.
    fn words(&self) -> String {
        let from = self.bytes.len().saturating_sub(TAIL / 2);
        let text = String::from_utf8_lossy(&self.bytes[from..]).into_owned();
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridges_word_is_heard_once_its_line_is_whole() {
        let mut tail = Tail::default();
        let mut heard = |text: &'static str| tail.push(&Bytes::from_static(text.as_bytes()));
        assert_eq!(heard("a log line\nargus-runtime-bridge: liste"), Heard::Something);
        assert_eq!(heard("ning on tcp:0.0.0.0:77"), Heard::Something);
        assert_eq!(heard("77\n"), Heard::Listening);
        assert_eq!(heard("not argus-runtime-bridge: listening on x\n"), Heard::Something);
    }

    #[test]
    fn of_a_long_output_the_end_is_kept() {
        let mut tail = Tail::default();
        for n in 0..10_000 {
            tail.push(&format!("line {n}\n").into());
        }
        assert!(tail.bytes.len() <= 2 * TAIL + 16);
        assert_eq!(tail.words(), "line 9995; line 9996; line 9997; line 9998; line 9999");
        assert_eq!(tail.push(&format!("{LISTENING}tcp:x\n").into()), Heard::Listening);
    }
}
