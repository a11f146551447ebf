//! Stand-ins for everything our programs talk to, for the tests of every program.

mod board;
mod loopback;

pub mod app_server;
pub mod bot;
pub mod bot_api;
pub mod client;
pub mod device;
pub mod docker;
pub mod gateway;
pub mod model;
pub mod node;
pub mod programs;
pub mod prompt;
pub mod terminal;
