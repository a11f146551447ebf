//! Frames of a node's link, of either side.

use argus_protocol::node::{FromNode, Joiner, LARGEST_RESULT, Part, ToNode, split};

/// Whatever a frame says, it is read or refused; what is written is read back as it was; what was taken apart is whole again.
///
/// # Panics
/// When that is not so.
pub fn node_frame(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(frame) = FromNode::read(text) {
        let written = frame.write();
        let again = FromNode::read(&written).expect("what we write can be read");
        assert_eq!(again.write(), written);
        if let FromNode::Part(part) = frame {
            join(&part);
        }
    }
    if let Ok(frame) = ToNode::read(text) {
        assert_eq!(ToNode::read(&frame.write()).expect("what we write can be read"), frame);
    }
    let (mut joiner, mut whole) = (Joiner::default(), None);
    for part in split("c", text) {
        assert!(whole.is_none(), "the last part is the last");
        whole = joiner.take(&part).expect("parts in their order fit together");
    }
    assert_eq!(whole.as_deref(), Some(text));
}

/// A part of somebody else's is taken or refused, and never more is kept than a result may be.
fn join(part: &Part) {
    let mut joiner = Joiner::default();
    for _ in 0..2 {
        _ = joiner.take(part);
        assert!(joiner.kept() <= LARGEST_RESULT);
    }
}
