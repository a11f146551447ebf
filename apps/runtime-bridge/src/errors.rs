//! A child's error output: every line to the log, the end of it remembered for the person who must mend it.

use std::collections::VecDeque;

use argus_jsonl::{Line, LineCodec};
use futures::StreamExt as _;
use tokio::io::AsyncRead;
use tokio_util::codec::FramedRead;

use crate::Log;

/// How much is remembered, in bytes.
const TAIL_BYTES: usize = 2048;

/// A longer line of error output is cut.
const LINE_BYTES: usize = 16 * 1024;

/// The reading end.
pub(crate) struct Errors<R> {
    lines: FramedRead<R, LineCodec>,
    whose: &'static str,
    log: Log,
    tail: VecDeque<u8>,
    closed: bool,
}

impl<R: AsyncRead + Unpin> Errors<R> {
    /// Of the child that the log calls so.
    pub(crate) fn new(whose: &'static str, stderr: R, log: Log) -> Self {
        let lines = FramedRead::with_capacity(stderr, LineCodec::new(LINE_BYTES), 4096);
        Self { lines, whose, log, tail: VecDeque::new(), closed: false }
    }

    /// Writes lines to the log until the child closes its error output. May be cancelled.
    pub(crate) async fn relay(&mut self) {
        while !self.closed {
            match self.lines.next().await {
                Some(Ok(Line::Text(line))) => self.note(&line),
                Some(Ok(Line::Oversized { head, tail, .. })) => {
                    self.note(&[&head[..], b" [...] ", &tail[..]].concat());
                }
                Some(Err(_)) | None => self.closed = true,
            }
        }
    }

    /// The last lines, if there were any.
    pub(crate) fn tail(&self) -> Option<String> {
        let bytes: Vec<u8> = self.tail.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let mut start = text.len().saturating_sub(TAIL_BYTES);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        let text = text[start..].trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn note(&mut self, line: &[u8]) {
        let line = &uncoloured(line);
        self.log.line_of(self.whose, line);
        self.tail.extend(line.iter().chain(b"\n"));
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }
}

/// The line without the colours of a terminal, which mean nothing in a log or a chat.
fn uncoloured(line: &[u8]) -> Vec<u8> {
    let mut parts = line.split(|byte| *byte == 0x1b);
    let mut plain = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let rest = match part.strip_prefix(b"[") {
            // A control sequence: digits and signs, then the letter that ends it.
            Some(sequence) => match sequence.iter().position(|byte| (0x40..=0x7e).contains(byte)) {
                Some(end) => &sequence[end + 1..],
                None => &[],
            },
            None => part,
        };
        plain.extend_from_slice(rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tail(text: &[u8]) -> Option<String> {
        let mut errors = Errors::new("agent", text, Log::stderr());
        errors.relay().await;
        errors.tail()
    }

    #[tokio::test]
    async fn the_end_of_the_error_output_is_remembered() {
        assert_eq!(tail(b"").await, None);
        assert_eq!(tail(b"\n\none\ntwo").await, Some("one\ntwo".to_owned()));
        let many: String =
            (0..1000).flat_map(|n| ["line ".to_owned(), n.to_string(), "\n".to_owned()]).collect();
        let remembered = tail(many.as_bytes()).await.unwrap();
        assert!(remembered.ends_with("line 999") && remembered.len() <= TAIL_BYTES, "{remembered}");
    }

    #[tokio::test]
    async fn colours_are_left_out() {
        let coloured = b"\x1b[2m06:24\x1b[0m \x1b[1;31mERROR\x1b[0m: x[0]\x1b[3";
        assert_eq!(tail(coloured).await, Some("06:24 ERROR: x[0]".to_owned()));
    }

    #[tokio::test]
    async fn what_is_no_text_stays_within_the_bound() {
        let remembered = tail(&[0xff; 10_000]).await.unwrap();
        assert!(remembered.len() <= TAIL_BYTES, "{}", remembered.len());
    }
}
