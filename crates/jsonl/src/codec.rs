//! The codec itself: where a line ends, and when it is too long.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::memchr;
use tokio_util::codec::{Decoder, Encoder};

use crate::ends::Ends;

/// A line above this leaves the buffer it grew, so that one long line does not make every later one expensive.
const LARGE: usize = 64 * 1024;

/// How large a new buffer is: one that began small would be read into in tiny pieces for ever.
const FRESH: usize = 16 * 1024;

/// One line of input, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line within the limit, neither validated nor copied; trailing `\r` stripped, never blank.
    Text(Bytes),
    /// A line over the limit, skipped.
    Oversized {
        /// Its first bytes, at most [`crate::END_BYTES`].
        head: Bytes,
        /// Its last bytes, at most [`crate::END_BYTES`]; they overlap the head in a short line.
        tail: Bytes,
        /// Its length in bytes, without the newline.
        bytes: u64,
    },
}

/// Splits a stream at `\n` and writes lines with one.
///
/// Blank lines are skipped. What stands before the end of the stream without a newline counts as a line.
#[derive(Debug)]
pub struct LineCodec {
    limit: usize,
    /// How much of the buffer is known to hold no newline.
    scanned: usize,
    skipping: Option<Ends>,
}

impl LineCodec {
    /// A codec for lines of at most `limit_bytes` (the newline not counted).
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit: limit_bytes, scanned: 0, skipping: None }
    }

    /// The line that ends here, or `None` when it is blank.
    fn line(&mut self, mut line: Bytes) -> Option<Line> {
        self.scanned = 0;
        if let Some(mut ends) = self.skipping.take() {
            ends.skip(&line);
            return Some(oversized(ends));
        }
        if line.len() > self.limit {
            return Some(oversized(Ends::new(&line)));
        }
        while line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        (!line.trim_ascii().is_empty()).then_some(Line::Text(line))
    }

    /// Remembers that no newline is here yet, and lets go of a line that is too long already.
    fn wait(&mut self, buffer: &mut BytesMut) {
        if let Some(ends) = &mut self.skipping {
            ends.skip(buffer);
            buffer.clear();
        } else if buffer.len() > self.limit {
            self.skipping = Some(Ends::new(buffer));
            // A new buffer: the old one has grown to the limit.
            *buffer = BytesMut::with_capacity(FRESH);
        }
        self.scanned = buffer.len();
    }
}

fn oversized(ends: Ends) -> Line {
    let (head, tail, bytes) = ends.finish();
    Line::Oversized { head, tail, bytes }
}

impl Decoder for LineCodec {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        loop {
            let Some(found) = memchr(b'\n', &buffer[self.scanned..]) else {
                self.wait(buffer);
                return Ok(None);
            };
            let line = buffer.split_to(self.scanned + found).freeze();
            buffer.advance(1);
            if line.len() > LARGE && buffer.len() <= line.len() {
                let mut fresh = BytesMut::with_capacity(FRESH.max(buffer.len()));
                fresh.extend_from_slice(buffer);
                *buffer = fresh;
            }
            if let Some(line) = self.line(line) {
                return Ok(Some(line));
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(buffer)? {
            return Ok(Some(line));
        }
        let rest = buffer.split().freeze();
        Ok(self.line(rest))
    }
}

impl Encoder<Bytes> for LineCodec {
    type Error = io::Error;

    /// Appends the line and `\n`; a line with a newline inside is refused, because it would arrive as two.
    fn encode(&mut self, line: Bytes, buffer: &mut BytesMut) -> io::Result<()> {
        if memchr(b'\n', &line).is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a line holds a newline"));
        }
        buffer.reserve(line.len() + 1);
        buffer.put(line);
        buffer.put_u8(b'\n');
        Ok(())
    }
}
