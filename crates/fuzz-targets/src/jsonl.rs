//! Lines of a stream: the same whatever the pieces it comes in, and within their limit.

use argus_jsonl::{END_BYTES, Line, LineCodec};
use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// The first byte chooses the limit and the next three the pieces; what follows is the stream.
pub fn jsonl(bytes: &[u8]) {
    let Some((&[limit, pieces @ ..], stream)) = bytes.split_first_chunk::<4>() else { return };
    let limit = usize::from(limit) * if limit % 2 == 0 { 1 } else { 40 };
    let expected = lines(stream, limit);
    assert_eq!(decoded(stream, limit, &[stream.len().max(1)]), expected);
    assert_eq!(decoded(stream, limit, &pieces.map(|piece| usize::from(piece) + 1)), expected);
    assert_eq!(decoded(stream, limit, &[1]), expected);
    let texts = expected.into_iter().filter(|line| matches!(line, Line::Text(_))).collect::<Vec<_>>();
    let mut written = BytesMut::new();
    for line in &texts {
        let Line::Text(text) = line else { continue };
        LineCodec::new(limit).encode(text.clone(), &mut written).expect("a line that was read is one line");
    }
    assert_eq!(decoded(&written, limit, &[pieces.len()]), texts);
    let whole = LineCodec::new(limit).encode(Bytes::copy_from_slice(stream), &mut written);
    assert_eq!(whole.is_ok(), !stream.contains(&b'\n'), "what would arrive as two lines is refused");
}

/// The lines by their definition.
fn lines(stream: &[u8], limit: usize) -> Vec<Line> {
    let line = |text: &[u8]| {
        if text.len() > limit {
            let (head, tail) =
                (&text[..text.len().min(END_BYTES)], &text[text.len().saturating_sub(END_BYTES)..]);
            let (head, tail) = (Bytes::copy_from_slice(head), Bytes::copy_from_slice(tail));
            return Some(Line::Oversized { head, tail, bytes: text.len() as u64 });
        }
        let end = text.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
        let text = &text[..end];
        (!text.trim_ascii().is_empty()).then(|| Line::Text(Bytes::copy_from_slice(text)))
    };
    stream.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// The lines as the codec finds them, with pieces of these lengths, again and again.
fn decoded(stream: &[u8], limit: usize, pieces: &[usize]) -> Vec<Line> {
    let (mut codec, mut buffer, mut found) = (LineCodec::new(limit), BytesMut::new(), Vec::new());
    let (mut rest, mut lengths) = (stream, pieces.iter().cycle());
    while !rest.is_empty() {
        let length = lengths.next().map_or(1, |length| (*length).min(rest.len()));
        buffer.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
        while let Some(line) = codec.decode(&mut buffer).expect("reading cannot fail") {
            found.push(line);
        }
        assert!(buffer.len() <= limit, "{} bytes are kept of a line, and {limit} may be", buffer.len());
    }
    while let Some(line) = codec.decode_eof(&mut buffer).expect("reading cannot fail") {
        found.push(line);
    }
    found
}
