//! One line at a time, with a size limit: a tokio codec for newline-delimited JSON.
//!
//! The codec does not read the JSON. It hands out each line as a slice of the buffer it arrived in, and a line over
//! the limit as its two ends: the rest is forgotten while it streams, so a 100 MB line costs no more memory than the
//! limit allows.

mod codec;
mod ends;

pub use codec::{Line, LineCodec};
pub use ends::END_BYTES;
