//! Frames in the form of their wire: each behind the head that a server writes, many in one piece.

use bytes::{BufMut, Bytes, BytesMut};

/// A frame of more bytes than this is not copied: it stays a piece of its own.
const LARGE: usize = 32 << 10;
/// The longest head.
const HEAD: usize = 10;
/// A whole text frame, unmasked.
const TEXT: u8 = 0x81;
/// A question whether the client lives.
pub(super) const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// Text frames of these, one after the other.
pub(super) fn pack(frames: &[Bytes]) -> Vec<Bytes> {
    let small = frames.iter().filter(|frame| frame.len() <= LARGE).map(Bytes::len).sum::<usize>();
    let mut piece = BytesMut::with_capacity(small + frames.len() * HEAD);
    let mut pieces = Vec::with_capacity(1);
    for frame in frames {
        head(frame.len(), &mut piece);
        if frame.len() <= LARGE {
            piece.extend_from_slice(frame);
        } else {
            pieces.push(piece.split().freeze());
            pieces.push(frame.clone());
        }
    }
    if !piece.is_empty() {
        pieces.push(piece.freeze());
    }
    pieces
}

fn head(length: usize, piece: &mut BytesMut) {
    piece.put_u8(TEXT);
    match u16::try_from(length) {
        Ok(short @ ..126) => piece.put_u8(short.to_be_bytes()[1]),
        Ok(medium) => {
            piece.put_u8(126);
            piece.put_u16(medium);
        }
        Err(_) => {
            piece.put_u8(127);
            piece.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

    #[test]
    fn a_client_reads_the_frames_that_were_packed() {
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 300, LARGE, LARGE + 1];
        let frames: Vec<Bytes> = lengths.iter().map(|length| vec![b'x'; *length].into()).collect();
        let wire = pack(&frames).concat();
        let mut wire = Cursor::new(wire.as_slice());
        for frame in &frames {
            let (header, length) = FrameHeader::parse(&mut wire).unwrap().unwrap();
            let from = usize::try_from(wire.position()).unwrap();
            let to = from + usize::try_from(length).unwrap();
            let read = Frame::from_payload(header, Bytes::copy_from_slice(&wire.get_ref()[from..to]));
            assert_eq!(read.payload(), frame);
            let written = Frame::message(frame.clone(), OpCode::Data(Data::Text), true);
            assert_eq!(read.header(), written.header());
            wire.set_position(to as u64);
        }
        assert_eq!(usize::try_from(wire.position()).unwrap(), wire.get_ref().len());
    }

    #[test]
    fn small_frames_are_one_piece() {
        assert_eq!(pack(&["a".into(), "bc".into()]), [Bytes::from_static(b"\x81\x01a\x81\x02bc")]);
    }
}
