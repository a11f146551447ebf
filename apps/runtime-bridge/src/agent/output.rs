//! The agent's output, line by line onto the desk.

use argus_crash_point::here;
use argus_jsonl::{Line, LineCodec};
use argus_protocol::dropped;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::process::ChildStdout;
use tokio_util::codec::FramedRead;

use crate::desk::Desk;

/// How much is read of an agent that is being ended, in bytes: far more than its pipe holds.
const LAST_WORDS_BYTES: usize = 16 << 20;

/// The reading end.
pub(super) struct Output {
    lines: FramedRead<ChildStdout, LineCodec>,
    line_bytes: usize,
    closed: bool,
}

impl Output {
    pub(super) fn new(stdout: ChildStdout, line_bytes: usize) -> Self {
        Self { lines: FramedRead::new(stdout, LineCodec::new(line_bytes)), line_bytes, closed: false }
    }

    /// Puts lines on the desk while it has room, until the agent closes its output. May be cancelled.
    pub(super) async fn relay(&mut self, desk: &Desk) {
        while !self.closed {
            desk.room().await;
            self.next(desk).await;
        }
    }

    /// Puts the lines of a dying agent on the desk, room or not: it must not wait for a gateway to be dead.
    pub(super) async fn drain(&mut self, desk: &Desk) {
        let mut read = 0;
        while !self.closed && read < LAST_WORDS_BYTES {
            read += self.next(desk).await;
        }
    }

    /// Keeps the next line; tells its length.
    async fn next(&mut self, desk: &Desk) -> usize {
        let length = match self.lines.next().await {
            Some(Ok(Line::Text(line))) => {
                let length = line.len();
                let line = as_utf8(line);
                if line.len() <= self.line_bytes {
                    desk.keep_frame(line);
                } else {
                    let ends = argus_jsonl::END_BYTES.min(line.len());
                    self.drop(desk, &line[..ends], &line[line.len() - ends..], length as u64);
                }
                length
            }
            Some(Ok(Line::Oversized { head, tail, bytes })) => {
                self.drop(desk, &head, &tail, bytes);
                head.len()
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the agent's output cannot be read");
                self.closed = true;
                return 0;
            }
            None => {
                self.closed = true;
                return 0;
            }
        };
        here("bridge.frame_kept").await;
        desk.announce();
        length
    }

    fn drop(&self, desk: &Desk, head: &[u8], tail: &[u8], bytes: u64) {
        let event = dropped::event(head, tail, bytes, self.line_bytes);
        tracing::warn!(?event, "a line of the agent is too long and dropped");
        desk.keep_dropped(&event);
    }
}

/// The line, with what is no UTF-8 replaced, so that the link carries text only.
fn as_utf8(line: Bytes) -> Bytes {
    match String::from_utf8_lossy(&line) {
        std::borrow::Cow::Borrowed(_) => line,
        std::borrow::Cow::Owned(mended) => mended.into(),
    }
}
