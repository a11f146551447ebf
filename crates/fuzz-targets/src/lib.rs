//! What must hold for any input at all: one function for each reader of what others wrote.
//!
//! Each takes bytes and panics when a promise is broken. `fuzz/` hands them to libFuzzer (`cargo xtask fuzz`); a test
//! of this crate runs them over the seeds in `fuzz/seeds` and over some thousands of inputs made from these.

mod bridge_line;
mod command;
mod dropped;
mod frame;
mod jsonl;
mod markup;
mod node_frame;
mod session;
mod token;

pub use bridge_line::bridge_line;
pub use command::command;
pub use dropped::dropped;
pub use frame::frame;
pub use jsonl::jsonl;
pub use markup::markup;
pub use node_frame::node_frame;
pub use session::session;
pub use token::token;

/// One target: its name, which is also the name of its folder of seeds, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 9] = [
    ("frame", frame),
    ("bridge_line", bridge_line),
    ("dropped", dropped),
    ("jsonl", jsonl),
    ("token", token),
    ("node_frame", node_frame),
    ("command", command),
    ("markup", markup),
    ("session", session),
];
