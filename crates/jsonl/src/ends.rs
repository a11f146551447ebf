//! The two ends of a line too long to keep.

use bytes::Bytes;

/// How much is kept of each end of an oversized line, in bytes.
pub const END_BYTES: usize = 4096;

/// A line over the limit while it streams by.
#[derive(Debug)]
pub(crate) struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    bytes: u64,
}

impl Ends {
    /// Begins with everything of the line that was buffered, which the caller may forget now.
    pub(crate) fn new(start: &[u8]) -> Self {
        let mut ends = Self { head: Vec::new(), tail: Vec::with_capacity(END_BYTES), bytes: 0 };
        ends.skip(start);
        ends
    }

    /// Passes over more of the line.
    pub(crate) fn skip(&mut self, more: &[u8]) {
        self.bytes += more.len() as u64;
        let lacking = END_BYTES - self.head.len();
        self.head.extend_from_slice(&more[..more.len().min(lacking)]);
        let newest = &more[more.len().saturating_sub(END_BYTES)..];
        let surplus = (self.tail.len() + newest.len()).saturating_sub(END_BYTES);
        self.tail.drain(..surplus);
        self.tail.extend_from_slice(newest);
    }

    /// Head, tail and length of the line.
    pub(crate) fn finish(self) -> (Bytes, Bytes, u64) {
        (self.head.into(), self.tail.into(), self.bytes)
    }
}
