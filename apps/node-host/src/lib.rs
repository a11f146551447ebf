//! A node: lets a gateway run commands on this machine, as far as the machine's owner allows.
//!
//! `call` is what passes between the link, which knows the gateway, and the commands, which know the machine. What runs
//! is a job (`jobs`), kept by a process of its own (`keeper`) that outlives this program.

pub mod call;
pub mod jobs;
pub mod keeper;

pub use call::{Answer, Asker, Call, Command, Progress};
