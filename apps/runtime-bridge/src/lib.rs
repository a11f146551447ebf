//! The runtime bridge: owns one agent process, and serves its stdio to a gateway that may come and go.
//!
//! The wire is described in `argus_protocol::bridge`. Reading order: [`Bridge`] puts the parts together around the
//! `desk`, which holds everything the two sides share; `agent` runs the process, and `node` the one that makes this runtime
//! a node; `door` lets gateways in; `link`
//! serves the one that got in; `kept` is what was said to it and is not acknowledged yet.

mod args;
mod bridge;
mod log;
mod program;
mod settings;
mod workspace;

mod claim;
mod leftover;
mod listen;

mod desk;
mod inbox;
mod kept;
mod turns;

mod agent;
mod errors;
mod group;
mod node;

mod door;
mod link;

pub use args::BridgeArgs;
pub use argus_protocol::command::{AgentCommand, CommandError};
pub use bridge::{Bridge, serve};
pub use log::Log;
pub use program::{main_with, misread, run};
pub use settings::{Limits, Listen, Settings};
