//! `/mcp`: what a session may do, as tools of the Model Context Protocol over its streamable HTTP transport.

mod answer;
mod check;
mod door;
mod handler;
mod moment;
mod plain;
mod sessions;
mod tools;

pub(super) use door::route;
