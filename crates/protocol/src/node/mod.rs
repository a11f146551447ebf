//! The link between the gateway and nodes, the machines on which commands run: one JSON text frame each.
//!
//! A node begins with a `connect` frame ([`FromNode::Connect`]), one that has no credential yet with `enrol`. All other
//! frames of both sides are events: `{"type":"event","event":…,"payload":{…}}`. A frame of a kind that the other side
//! does not know is ignored, so that either may be newer.
//!
//! What the reference's nodes do not know (`boot` in `connect`, `node.invoke.job`, `.waiting`, `.cancel`, `.ack`, parts,
//! acknowledged exits, approvals) is sent to a node only if its `connect` frame names a `boot`.

mod approval;
mod connect;
mod exit;
mod fault;
mod frames;
mod info;
mod invoke;
mod parts;

pub use approval::{Answer, Ask, AskOver};
pub use connect::{Beat, Connect, Connected, Enrol, Enrolled};
pub use exit::{ExitAck, Exited};
pub use fault::{Fault, code};
pub use frames::{FromNode, NotAFrame, ToNode};
pub use info::NodeInfo;
pub use invoke::{Cancel, JobKnown, Request, ResultAck, Settled, Waiting};
pub use parts::{Joiner, LARGEST_RESULT, PART_BYTES, Part, PartFault, part, split};

/// The largest frame of either side in bytes; what is larger goes in [`Part`]s.
pub const LARGEST_FRAME: usize = 2 << 20;

/// How often a node says that it lives, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;

/// What a runtime's own node is called: this and its session.
pub const RUNTIME: &str = "runtime:";

/// Whether a text can be a node's id: 1 to 128 letters, digits, `.`, `_`, `:` and `-`.
pub fn names_a_node(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}
