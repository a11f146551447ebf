//! A node: lets a gateway run commands on this machine, as far as the machine's owner allows.
//!
//! `call` is what passes between the link, which knows the gateway, and the commands, which know the machine.
//! `policy` says what may be done, and asks the owner where it does not; `audit` notes what was. What runs is a job
//! (`jobs`), kept by a process of its own (`keeper`) that outlives this program.

pub mod audit;
pub mod call;
pub mod clipboard;
pub mod fs;
pub mod info;
pub mod jobs;
pub mod keeper;
pub mod notify;
pub mod policy;
pub mod screen;
pub mod tool;
pub mod which;

pub use call::{Answer, Asker, Call, Command, Progress};
