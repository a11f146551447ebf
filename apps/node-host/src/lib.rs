//! A node: lets a gateway run commands on this machine, as far as the machine's owner allows.
//!
//! `call` is what passes between the link, which knows the gateway, and the commands, which know the machine.

pub mod call;

pub use call::{Answer, Asker, Call, Command, Progress};
