//! A node: lets a gateway run commands on this machine, as far as the machine's owner allows.
//!
//! `call` is what passes between the link, which knows the gateway, and the commands, which know the machine. `program`
//! puts the parts together: `link` hands each call to `host`, which has it judged by `policy` (that asks the owner where
//! the rules say so; `audit` notes what was) and done by the command that it names. Programs run as `jobs`, each kept by
//! a process of its own (`keeper`).

pub mod call;

pub mod args;
pub mod asking;
pub mod credential;
pub mod enrol;
pub mod host;
pub mod install;
pub mod link;
pub mod program;
pub mod settings;
mod surroundings;

pub mod jobs;
pub mod keeper;

pub mod audit;
pub mod policy;

pub mod clipboard;
pub mod fs;
pub mod info;
pub mod notify;
pub mod screen;
pub mod tool;
pub mod which;

pub use args::{EnrolArgs, InstallArgs, NodeHostArgs, UninstallArgs};
pub use call::{Answer, Asker, Call, Command, Progress};
