//! The codec against a plain description of what lines are, however the bytes arrive.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use argus_jsonl::{END_BYTES, Line, LineCodec};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use proptest::prelude::*;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::codec::{Decoder, Encoder, FramedRead};

/// What the lines of `input` are, said as plainly as possible.
fn described(input: &[u8], limit: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        if line.len() > limit {
            lines.push(Line::Oversized {
                head: Bytes::copy_from_slice(&line[..line.len().min(END_BYTES)]),
                tail: Bytes::copy_from_slice(&line[line.len().saturating_sub(END_BYTES)..]),
                bytes: line.len() as u64,
            });
            continue;
        }
        let returns = line.iter().rev().take_while(|byte| **byte == b'\r').count();
        let line = &line[..line.len() - returns];
        if !line.trim_ascii().is_empty() {
            lines.push(Line::Text(Bytes::copy_from_slice(line)));
        }
    }
    lines
}

/// Feeds `input` in pieces of the given sizes (cycled) and gathers what comes out.
fn decoded(input: &[u8], limit: usize, sizes: &[usize]) -> Vec<Line> {
    let mut codec = LineCodec::new(limit);
    let mut buffer = BytesMut::new();
    let mut lines = Vec::new();
    let mut rest = input;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at((*size).min(rest.len()));
        rest = later;
        buffer.extend_from_slice(piece);
        while let Some(line) = codec.decode(&mut buffer).unwrap() {
            lines.push(line);
        }
    }
    while let Some(line) = codec.decode_eof(&mut buffer).unwrap() {
        lines.push(line);
    }
    lines
}

fn bytes_with_newlines() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![4 => Just(b'x'), 1 => any::<u8>(), 2 => Just(b'\n'), 1 => Just(b'\r'), 1 => Just(b' ')];
    proptest::collection::vec(byte, 0..400)
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_how_the_bytes_arrive(
        input in bytes_with_newlines(),
        limit in 0_usize..40,
        sizes in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        prop_assert_eq!(decoded(&input, limit, &sizes), described(&input, limit));
    }

    #[test]
    fn both_ends_of_a_long_line_are_whole(
        length in 0_usize..3 * END_BYTES,
        limit in 0_usize..2 * END_BYTES,
        sizes in proptest::collection::vec(1_usize..END_BYTES * 2, 1..4),
    ) {
        let mut input: Vec<u8> = (0..length).map(|i| b"0123456789abcdef!"[i % 17]).collect();
        input.extend_from_slice(b"\nnext");
        prop_assert_eq!(decoded(&input, limit, &sizes), described(&input, limit));
    }

    #[test]
    fn what_is_written_is_read_again(texts in proptest::collection::vec("[a-z\u{e4}]{1,20}", 0..20)) {
        let mut codec = LineCodec::new(100);
        let mut buffer = BytesMut::new();
        for text in &texts {
            codec.encode(Bytes::from(text.clone()), &mut buffer).unwrap();
        }
        let written: Vec<Line> = texts.into_iter().map(|text| Line::Text(text.into())).collect();
        prop_assert_eq!(decoded(&buffer, 100, &[7]), written);
    }
}

#[test]
fn a_line_with_a_newline_inside_is_refused() {
    let mut buffer = BytesMut::new();
    assert!(LineCodec::new(100).encode(Bytes::from_static(b"a\n17 {}"), &mut buffer).is_err());
    assert!(buffer.is_empty());
}

#[test]
fn a_line_is_a_slice_of_the_buffer_it_came_in() {
    let mut buffer = BytesMut::from(&b"{\"a\":1}\n{}\n"[..]);
    let address = buffer.as_ptr();
    let Ok(Some(Line::Text(line))) = LineCodec::new(100).decode(&mut buffer) else { panic!("no line") };
    assert_eq!(line.as_ptr(), address);
}

#[test]
fn the_buffer_stays_small_while_a_long_line_streams_by() {
    let mut codec = LineCodec::new(1 << 20);
    let mut buffer = BytesMut::new();
    let piece = vec![b'x'; 1 << 16];
    let mut largest = 0;
    for _ in 0..1600 {
        buffer.extend_from_slice(&piece);
        assert_eq!(codec.decode(&mut buffer).unwrap(), None);
        largest = largest.max(buffer.capacity());
    }
    assert!(largest < 4 << 20, "{largest}");
    assert!(buffer.capacity() < 1 << 20, "{}", buffer.capacity());
    buffer.extend_from_slice(b"\n{}\n");
    let Ok(Some(Line::Oversized { bytes, .. })) = codec.decode(&mut buffer) else { panic!("no end") };
    assert_eq!(bytes, 1600 << 16);
    assert_eq!(codec.decode(&mut buffer).unwrap(), Some(Line::Text(Bytes::from_static(b"{}"))));
}

#[test]
fn a_long_line_leaves_no_large_buffer_behind() {
    let mut codec = LineCodec::new(1 << 24);
    let mut buffer = BytesMut::new();
    buffer.extend_from_slice(&vec![b'x'; 1 << 23]);
    buffer.extend_from_slice(b"\nrest");
    assert!(codec.decode(&mut buffer).unwrap().is_some());
    assert_eq!((&buffer[..], buffer.capacity() < 1 << 16), (&b"rest"[..], true));
}

#[tokio::test]
async fn a_stream_ends_with_its_last_fragment() {
    let lines = FramedRead::new(&b"{\"a\":1}\r\n\n  \nhalf"[..], LineCodec::new(100));
    let lines: Vec<Line> = lines.map(Result::unwrap).collect().await;
    assert_eq!(lines, [&b"{\"a\":1}"[..], b"half"].map(|text| Line::Text(Bytes::from_static(text))));
}

/// A source that has everything at once, and counts how often it is asked.
struct Counted<'a> {
    left: &'a [u8],
    reads: usize,
}

impl AsyncRead for Counted<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, left) = self.left.split_at(self.left.len().min(room.remaining()));
        room.put_slice(now);
        self.left = left;
        self.reads += 1;
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn much_is_read_at_once_also_after_a_line_that_was_long_or_too_long() {
    let short = "{\"a\":1}\n".repeat(100_000);
    for limit in [1 << 21, 1 << 17] {
        let text = format!("{}\n{short}{}\n{short}", "x".repeat(1 << 20), "y".repeat(1 << 20));
        let source = Counted { left: text.as_bytes(), reads: 0 };
        let mut lines = FramedRead::with_capacity(source, LineCodec::new(limit), 1 << 16);
        let mut count = 0;
        while let Some(line) = lines.next().await {
            line.unwrap();
            count += 1;
        }
        assert_eq!(count, 200_002);
        let reads = lines.get_ref().reads;
        assert!(reads < text.len() / 4096, "{reads} reads for {} bytes", text.len());
    }
}
