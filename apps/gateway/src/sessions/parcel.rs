//! Frames that go to clients together: shared by all of them, and brought into the form of their wire once.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// One or more frames.
#[derive(Debug)]
pub struct Parcel {
    count: usize,
    bytes: usize,
    content: Mutex<Content>,
}

#[derive(Debug)]
enum Content {
    Frames(Vec<Bytes>),
    Packed(Arc<[Bytes]>),
}

impl Parcel {
    /// These frames, in this order.
    pub fn of(frames: Vec<Bytes>) -> Arc<Self> {
        let (count, bytes) = (frames.len(), frames.iter().map(Bytes::len).sum());
        Arc::new(Self { count, bytes, content: Mutex::new(Content::Frames(frames)) })
    }

    /// How many frames it holds.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Their bytes in all.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The pieces that `pack` makes of the frames. Whoever needs them first has them made; it is always the same `pack`.
    pub fn packed(&self, pack: impl FnOnce(&[Bytes]) -> Vec<Bytes>) -> Arc<[Bytes]> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        match &*content {
            Content::Packed(pieces) => pieces.clone(),
            Content::Frames(frames) => {
                let pieces: Arc<[Bytes]> = pack(frames).into();
                *content = Content::Packed(pieces.clone());
                pieces
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_packed_once_for_everybody() {
        let parcel = Parcel::of(vec!["a".into(), "bc".into()]);
        assert_eq!((parcel.count(), parcel.bytes()), (2, 3));
        let first = parcel.packed(|frames| vec![frames.concat().into()]);
        let second = parcel.packed(|_| panic!("it is packed already"));
        assert_eq!(first, second);
        assert_eq!(*first, [Bytes::from("abc")]);
    }
}
